/* query_span: spans of time and zones in a query.
 *
 *     1h              *span_ns = 3600 * TIME_SECOND
 *     zone +05:30     *zone_ns = 19800 * TIME_SECOND */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "hunt/query_plan.h"

enum err query_span_read(struct query_reader *q, int64_t *span_ns) MUST_CHECK;
/* Nothing is read, and nothing set, where no zone is named. */
enum err query_span_zone(struct query_reader *q, int64_t *zone_ns) MUST_CHECK;
