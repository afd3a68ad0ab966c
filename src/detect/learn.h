/* learn: what a judge sees of a class's first events, and when that is reason for another plan.
 *
 *     learn_found(judge->seat->lessons, test);          // whenever a trigger is found
 *     TRY(learn_event(judge, event));                   // when the event has been judged
 *
 * A plan chooses by how often tests hold. Of the tests that it looks for, the judge counts that in
 * every event; of the others, by running them on a few events (a survey). At certain numbers of
 * events the plan is made anew, where too many candidates came to nothing. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "detect/literal.h"
#include "event/event.h"

struct judge;
struct plan;

struct lessons {
    const struct plan *plan; /* in use when plan_events were counted */
    uint32_t plan_events;
    uint32_t vain;    /* candidates of them that did not fire */
    uint32_t *found;  /* by test: how often a trigger of it was found, under all plans */
    uint32_t *sought; /* by test: events under past plans that looked for it */
    uint32_t *held;   /* by test, in surveys */
    uint32_t surveyed;
    struct literal_census census; /* of texts, in surveys */
};

static inline void learn_found(struct lessons *lessons, uint32_t test)
{
    if (lessons) {
        lessons->found[test]++;
    }
}
/* The event has been judged. ERR_MEMORY. */
enum err learn_event(struct judge *judge, const struct event *event);
void learn_free(struct lessons *lessons);
