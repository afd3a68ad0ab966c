/* machine: base matches in, findings of correlations out, event by event.
 *
 *     const struct machine_setting setting = {.set = set, .state_limit = 1 << 30, .finding = ...};
 *     TRY(machine_new(&setting, &machine));
 *     for each base match, in order of (time, file, record, rule):
 *         TRY(machine_match(machine, record));          // a record of correlate/match.h
 *     TRY(machine_end(machine));                        // findings that were open are given
 *     machine_report(machine, i, &report)               // what is to be said of each correlation
 *
 * There is no clock in it: the same matches give the same findings. What comes before an event that
 * was judged already is late: counted, and the time in which it would have mattered is named as
 * inexact. State is bounded: the groups that were touched least recently are dropped, and the time
 * in which that may matter is named. Outside such spans the findings are those of a machine without
 * limits. One user at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "correlate/evidence.h"
#include "correlate/match.h"
#include "correlate/span.h"
#include "sigma/ruleset.h"

struct machine;

/* Borrowed from the machine until the call returns. */
struct machine_finding {
    const struct rule *rule;
    int64_t time_ns;           /* of the event at which the condition became true */
    int64_t from_ns;           /* the first of its events */
    int64_t to_ns;             /* the last that it was extended by */
    double value;              /* at time_ns */
    const struct slice *group; /* by name of group-by; .at NULL: the events have none */
    const struct evidence *evidence;
    struct slice host;       /* of the event at time_ns */
    struct match_id trigger; /* that event */
    bool inexact;            /* it touches a time in which the correlation is not exact */
};

struct machine_setting {
    const struct ruleset *set;
    const bool *judged;  /* by rule number: correlations that are run; NULL: all */
    const bool *visible; /* by rule number: those that give findings; NULL: all */
    bool every;          /* a finding for each event at which the condition is true */
    size_t state_limit;  /* bytes; 0: none */
    /* Called in the order in which findings end (every: in order of events). NULL: nobody asks. */
    enum err (*finding)(void *context, const struct machine_finding *finding);
    /* Called when a condition becomes true, with what is known then; not with `every`. NULL: nobody
     * asks. */
    enum err (*fired)(void *context, const struct machine_finding *finding);
    void *context;
};

/* What is to be said of a correlation. */
struct machine_report {
    const struct rule *rule;
    uint64_t events;   /* that reached it */
    uint64_t no_value; /* of these: skipped, the condition's field held nothing that counts */
    uint64_t no_group; /* of these: a field of group-by was missing: grouped as null */
    uint64_t left_out; /* combinations of several values over MACHINE_SPREAD */
    uint64_t late;     /* that came after their time */
    uint64_t evicted;  /* groups */
    const struct span_list *inexact;
};

enum { MACHINE_SPREAD = 64 }; /* groups that one event may belong to by one rule */

enum err machine_new(const struct machine_setting *setting, struct machine **out) MUST_CHECK;
void machine_free(struct machine *machine);
/* The bytes are copied. ERR_MEMORY, or what `finding` returned. */
enum err machine_match(struct machine *machine, struct slice record) MUST_CHECK;
/* Nothing before this time will come: findings whose window has passed are given. */
enum err machine_advance(struct machine *machine, int64_t time_ns) MUST_CHECK;
/* Not all matches of this rule that lie between are told: what rests on them is not exact. In order
 * of from_ns. */
void machine_doubt(struct machine *machine, uint32_t rule, int64_t from_ns, int64_t to_ns);
enum err machine_end(struct machine *machine) MUST_CHECK;
/* Correlations that are run, in order of their rules' numbers. */
uint32_t machine_count(const struct machine *machine);
void machine_report(const struct machine *machine, uint32_t index, struct machine_report *out);
