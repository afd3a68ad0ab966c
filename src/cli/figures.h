/* figures: numbers as people read them.
 *
 *     figures_count(&out, 1234567)            // 1,234,567
 *     figures_size(&out, 5 << 20)             // 5.0 MiB
 *     figures_span(&out, 3725 * TIME_SECOND)  // 1 h 2 min */
#pragma once

#include <stdint.h>

#include "base/buf.h"

void figures_count(struct buf *out, uint64_t n);
/* Bytes, in the largest unit of 1,024 that leaves at least one; cut, not rounded. */
void figures_size(struct buf *out, uint64_t bytes);
/* A length of time, its two largest units; below a second in ms, then ns. Not negative. */
void figures_span(struct buf *out, int64_t ns);
