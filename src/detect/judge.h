/* judge: what one thread needs to match events against an engine's rules.
 *
 *     struct judge *judge;
 *     TRY(judge_new(engine, &judge));
 *     TRY(judge_event(judge, &event, &hits, &count, diag));  // hits: rules in order of their
 * number
 *
 * Exact: the answer does not depend on witnesses, caches, threads or what was seen before. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "detect/engine.h"
#include "event/event.h"
#include "sigma/rule.h"

struct judge;

struct hit {
    const struct rule *rule;
    bool undetermined; /* a limit stopped the evaluation: reported, not a finding */
    uint32_t place;    /* the rule's in its class; for judge_matched */
};

enum err judge_new(struct engine *engine, struct judge **out) MUST_CHECK;
void judge_free(struct judge *judge);
/* Judges one decoded event. *hits is borrowed until the next call. */
enum err judge_event(struct judge *judge, struct event *event, const struct hit **hits,
        size_t *count, struct diag *diag) MUST_CHECK;
/* Only finds the event's class (a number: 0, 1, 2... in the order in which classes are first seen)
 * and fills the fields that the class fills from others: what judging begins with. */
enum err judge_class(
        struct judge *judge, struct event *event, uint32_t *class, struct diag *diag) MUST_CHECK;
/* Adds the body of "matched": the fields that made the rule true, as JSON members
 * ("Image":"C:\\...","CommandLine":"..."), after judge_event of the same event. */
void judge_matched(
        struct judge *judge, const struct event *event, const struct hit *hit, struct buf *out);
/* The first value of what a correlation asks of the rule's event, rule->wanted[index], where the
 * rule itself would see that field; NULL: absent. After judge_event of the same event. */
const struct value *judge_wanted(const struct judge *judge, const struct event *event,
        const struct hit *hit, uint32_t index);
/* For `rules explain`: each condition part with its verdict, values and field mapping, as text or
 * JSON lines. */
enum err judge_explain(
        struct judge *judge, struct event *event, uint32_t rule, struct buf *out) MUST_CHECK;

/* The class of the event last judged: see judge_class. */
uint32_t judge_seat(const struct judge *judge);

/* What a rule costs beyond the search that all rules share: how often its condition was evaluated,
 * how often it held; every JUDGE_TIMED-th event's evaluations are timed. */
struct judge_cost {
    uint64_t asked, held;
    uint64_t timed, timed_ns;
};
enum { JUDGE_TIMED = 64 };
/* From here on costs are counted. */
enum err judge_watch(struct judge *judge) MUST_CHECK;
/* By rule number; NULL: they are not counted. */
const struct judge_cost *judge_costs(const struct judge *judge);

struct judge_counts {
    uint64_t events;
    uint64_t routed;     /* events that some rule's logsource takes */
    uint64_t candidates; /* rules evaluated */
    uint64_t hits;
    uint64_t undetermined;
    uint64_t cache_asked, cache_found;
};
struct judge_counts judge_counts(const struct judge *judge);
