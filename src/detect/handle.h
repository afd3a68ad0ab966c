/* handle: by what a test can be found without running it, and what it costs either way.
 *
 *     struct handle h = handle_of(predicate);
 *     if (h.direct) run it on every event; else make triggers of what it must contain
 *
 * Costs are nanoseconds, roughly: they decide what is tried first, never what is true. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"
#include "detect/anchor.h"
#include "detect/literal.h"
#include "sigma/predicate.h"

struct handle {
    bool direct;                  /* nothing to search for: the test must be run */
    float prior;                  /* a guess at the share of events in which it is found */
    float search_cost;            /* of searching every event for it, beside others */
    float run_cost;               /* of running it once */
    struct literal_places places; /* of OP_CONTAINS */
};

struct handle handle_of(const struct predicate *p);
/* The rarest literal run of a pattern's text; empty: none. *anchored: it begins or ends the value,
 * as *kind says. */
struct slice handle_run(struct slice pattern, enum anchor_kind *kind, bool *anchored);
