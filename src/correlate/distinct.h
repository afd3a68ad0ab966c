/* distinct: the different values of a window, each with the last event that had it.
 *
 *     struct distinct values = {0};
 *     if (!distinct_add(&values, text, &event)) ... no memory
 *     distinct_expire(&values, from);       // forgets values not seen since
 *     values.count
 *
 * {0} is empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlate/match.h"

struct distinct_value {
    struct distinct_value *chain;         /* of the same slot */
    struct distinct_value *older, *newer; /* by when they were last seen */
    uint64_t hash;
    struct match_id event;
    size_t size;
    char text[];
};

struct distinct {
    struct distinct_value **slots; /* power of two */
    size_t slot_count;
    size_t count;
    struct distinct_value *oldest, *newest;
    size_t bytes;
};

void distinct_fini(struct distinct *d);
/* The event is not older than any before it. */
bool distinct_add(struct distinct *d, struct slice text, const struct match_id *event)
        __attribute__((warn_unused_result));
void distinct_expire(struct distinct *d, int64_t from_ns);
