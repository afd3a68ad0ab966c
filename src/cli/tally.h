/* tally: what a run has found, counted for its summary.
 *
 *     tally_finding(&tally, rule, &mark);      // in order: the same input gives the same tally
 *     summary_write(&tally, ...);
 *
 * Bounded: TALLY_HOSTS names are told apart, further ones count as others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "sigma/ruleset.h"

enum { TALLY_HOSTS = 50000, TALLY_HOST_SLOTS = 1 << 17, TALLY_BUCKETS = 256, TALLY_TACTICS = 64 };

/* What the tally keeps of one finding. */
struct tally_mark {
    uint32_t rule;
    bool timed;
    int64_t time_ns;
    struct slice host;
};

struct tally_host {
    struct slice name;
    uint64_t findings;
};

struct tally_tactic {
    struct slice name; /* "lateral-movement" */
    uint64_t findings;
};

/* Findings over time: TALLY_BUCKETS of a width that doubles as the span grows. */
struct tally_line {
    int64_t start_s; /* a multiple of width_s */
    int64_t width_s; /* a power of two; 0: nothing yet */
    uint64_t counts[TALLY_BUCKETS];
    int64_t first_ns;
    int64_t last_ns;
};

struct tally {
    const struct ruleset *set;
    uint64_t *by_rule;
    uint64_t by_level[LEVEL_COUNT];
    uint64_t findings;
    uint64_t untimed;
    struct tally_host *hosts; /* TALLY_HOST_SLOTS, open addressing; name.at NULL: free */
    uint32_t host_count;
    uint64_t other_hosts; /* findings of hosts past TALLY_HOSTS */
    struct tally_tactic tactics[TALLY_TACTICS];
    uint32_t tactic_count;
    struct tally_line line;
    struct arena names;
};

enum err tally_init(struct tally *tally, const struct ruleset *set) MUST_CHECK;
void tally_fini(struct tally *tally);
void tally_finding(struct tally *tally, const struct tally_mark *mark);
/* Adds up the tactics from the rules' counts; once, at the end. */
void tally_finish(struct tally *tally);
