/* sequence: how many of some rules have matched in their order within a window.
 *
 *     struct sequence *s = sequence_new(3);               // three rules, one after another
 *     sequence_add(s, 1 << 0 | 1 << 2, &event);           // this event matches the first and third
 *     sequence_longest(s, from, &last)                    // of what lies at or after `from`
 *
 * For each rule and each length it keeps the sequence of that many rules of the order that ends
 * with it and began last: what a window holds is decided by that beginning alone. One event is one
 * step: it never stands for two rules of the same sequence. */
#pragma once

#include <stdint.h>

#include "correlate/match.h"

struct sequence;

/* rules: 1 to 32. NULL: no memory. */
struct sequence *sequence_new(uint32_t rules);
void sequence_free(struct sequence *s);
/* The event is behind all before it. `steps`: a bit for each rule that it matches. */
void sequence_add(struct sequence *s, uint32_t steps, const struct match_id *event);
/* The most rules of one sequence that began at or after `from_ns`; *events gets its events, oldest
 * first, borrowed until the next add. */
uint32_t sequence_longest(
        const struct sequence *s, int64_t from_ns, const struct match_id **events);
size_t sequence_bytes(const struct sequence *s);
