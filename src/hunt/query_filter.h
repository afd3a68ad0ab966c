/* query_filter: `where` on rows that are no events any more: the same rule, judged on columns.
 *
 *     ... | count by Computer | where count|gt: 10 and not Computer|startswith: 'DC' */
#pragma once

#include "base/err.h"
#include "hunt/query_plan.h"

/* Reads the selection; *out lasts as long as the arena, its set and engine until query_filter_free.
 */
enum err query_filter_read(struct query_reader *q, size_t at, struct stage_filter **out) MUST_CHECK;
void query_filter_free(struct stage_filter *filter);
