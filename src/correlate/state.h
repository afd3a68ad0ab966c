/* state: what a correlation remembers of one group's window.
 *
 *     state_expire(c, &state, now - c->timespan_ns);
 *     if (!state_add_event(c, &state, &event)) ... no memory      // or _number, _value, _parts
 *     if (state_holds(c, &state, from, &value)) ...
 *
 * event_count: the window's events. value_sum, value_avg: those, and an exact sum. value_median,
 * value_percentile: those, and their numbers in order. value_count: each value with its last event.
 * temporal: each rule's last event. temporal_ordered: see sequence.h. {0} is empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlate/distinct.h"
#include "correlate/evidence.h"
#include "correlate/exact.h"
#include "correlate/match.h"
#include "correlate/ranks.h"
#include "correlate/ring.h"
#include "correlate/sequence.h"
#include "sigma/correlation.h"

struct state {
    struct ring ring;
    uint64_t events; /* in the ring; one event may have several numbers */
    union {
        struct exact *sum;
        struct ranks ranks;
        struct distinct values;
        struct match_id *lasts; /* by part; .record 0: none yet */
        struct sequence *sequence;
    };
};

void state_fini(const struct correlation *c, struct state *s);
/* Forgets what lies before from_ns. */
void state_expire(const struct correlation *c, struct state *s, int64_t from_ns);
/* false: no memory. Events come in order. */
bool state_add_event(const struct correlation *c, struct state *s, const struct match_id *event)
        __attribute__((warn_unused_result));
/* again: a further number of the event before. */
bool state_add_number(const struct correlation *c, struct state *s, const struct match_id *event,
        const struct ring_number *number, bool again) __attribute__((warn_unused_result));
bool state_add_value(const struct correlation *c, struct state *s, const struct match_id *event,
        struct slice value) __attribute__((warn_unused_result));
/* parts: a bitmap of those that the event matches. */
bool state_add_parts(const struct correlation *c, struct state *s, const struct match_id *event,
        const uint64_t *parts) __attribute__((warn_unused_result));
/* Is the condition true? *value: what was compared. After state_expire. */
bool state_holds(
        const struct correlation *c, const struct state *s, int64_t from_ns, double *value);
void state_evidence(
        const struct correlation *c, const struct state *s, int64_t from_ns, struct evidence *out);
/* Bytes that it holds. */
size_t state_bytes(const struct correlation *c, const struct state *s);
