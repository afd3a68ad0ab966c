/* live_doubt: what correlations cannot know after a change of rules: matches that the set before
 * did not keep, for it had no such rule, or kept them from the tenant.
 *
 *     TRY(live_doubt_add(&doubts, &now, &before, time));     // at each change
 *     live_doubt_tell(&doubts, tenant, machine);            // to each new machine
 *
 * {0} is empty. */
#pragma once

#include "app/live.h"
#include "base/arena.h"
#include "correlate/machine.h"

struct live_doubt;

struct live_doubts {
    struct arena arena;
    struct live_doubt *first, *last;
};

/* Of the events that may be missing. */
struct live_doubt_time {
    int64_t from_ns, to_ns;
};

/* before NULL: nobody knows what was kept. In order of times. */
enum err live_doubt_add(struct live_doubts *doubts, const struct live_before *now,
        const struct live_before *before, struct live_doubt_time time) MUST_CHECK;
void live_doubt_tell(
        const struct live_doubts *doubts, struct slice tenant, struct machine *machine);
void live_doubt_fini(struct live_doubts *doubts);
