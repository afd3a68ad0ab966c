/* collect: a rule's match made into a record for correlations (correlate/match.h).
 *
 *     struct collect c = {.judge = judge, .event = &event, .scratch = &scratch, .out = &matches};
 *     c.id = (struct match_id){.time_ns = ns, .file = 3, .record = 7};
 *     collect_hit(&c, hit);
 *
 * Nothing of the event is rendered: only the fields that correlations ask of the rule are read, as
 * the rule itself would see them. */
#pragma once

#include "base/buf.h"
#include "correlate/match.h"
#include "detect/judge.h"
#include "event/event.h"

struct collect {
    const struct judge *judge;
    const struct event *event; /* judged last */
    struct match_id id;
    struct slice host;
    struct buf *scratch;
    struct buf *out;
    uint64_t left_out; /* values over MATCH_VALUES of a field */
};

void collect_hit(struct collect *collect, const struct hit *hit);
