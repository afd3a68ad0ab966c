/* answers: which rules fired on each event of a stream, kept small.
 *
 *     answers_add(&answers, hits, count);                 // of the next event
 *     const uint32_t *a = answers_of(&answers, 0, &n);    // rule number * 2 + undetermined
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "detect/judge.h"

struct answers {
    uint32_t *rules;
    size_t rule_count, rule_room;
    size_t *ends; /* by event */
    size_t count, room;
};

void answers_clear(struct answers *answers);
void answers_fini(struct answers *answers);
enum err answers_add(struct answers *answers, const struct hit *hits, size_t count) MUST_CHECK;
const uint32_t *answers_of(const struct answers *answers, size_t event, size_t *count);
/* Are they the answers of that event? */
bool answers_equal(
        const struct answers *answers, size_t event, const struct hit *hits, size_t count);
