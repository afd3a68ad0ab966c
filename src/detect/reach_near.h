/* reach_near: the field of the events that is nearest to one that a rule asks for in vain.
 *
 *     struct reach_near *near;
 *     TRY(reach_near_new(survey, &near));
 *     if (reach_near_find(near, rule, SLICE("Comandline"), &hit)) ... hit.name is "CommandLine"
 *
 * Among the names by which rules can ask for what the rule's events have (through the taxonomy's
 * patterns): one of the same letters (case, and what stands between words, left out), else one that
 * ends or begins with the same word, else one that is few slips away. Among equals the one that
 * most events have filled. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "detect/survey.h"

struct reach_near;

struct reach_near_hit {
    struct slice name; /* as a rule would write it */
    uint64_t events;   /* of the rule's logsource, that have it filled */
    const char *how;   /* "same letters" */
};

enum err reach_near_new(const struct survey *survey, struct reach_near **out) MUST_CHECK;
void reach_near_free(struct reach_near *near);
/* false: nothing is near. What *out points to lives as long as `near`. */
bool reach_near_find(
        struct reach_near *near, uint32_t rule, struct slice field, struct reach_near_hit *out);
