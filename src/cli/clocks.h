/* clocks: what the times of one input's records say of its clock, in the order of the records.
 *
 *     struct clocks clocks = {.now_ns = now};
 *     clocks_record(&clocks, true, time_ns);      // each record
 *     clocks.first_ns, clocks.back, clocks.gaps[0]
 *
 * A time before CLOCKS_EARLY or more than a day after now is odd: counted, and left out of range,
 * order and gaps, so that one record of the year 2099 does not make all others late. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

/* 2000-01-01: records of computers that live are younger. */
#define CLOCKS_EARLY (946684800 * TIME_SECOND)
#define CLOCKS_LATE TIME_DAY /* after now */
#define CLOCKS_GAP (3600 * TIME_SECOND)
enum { CLOCKS_GAPS = 8 };

/* A stretch without records. */
struct clocks_gap {
    int64_t from_ns;
    int64_t to_ns;
};

struct clocks {
    int64_t now_ns; /* set before */
    uint64_t timed; /* records with a time, odd ones included */
    uint64_t untimed;
    int64_t first_ns; /* of those that are not odd; valid where timed > early + late */
    int64_t last_ns;
    uint64_t early;
    int64_t earliest_ns; /* of the early ones */
    uint64_t late;
    int64_t latest_ns;
    uint64_t back;        /* records older than one before them */
    int64_t most_back_ns; /* by how much, at most */
    uint64_t ties; /* records of the same time as the one before: only their place orders them */
    /* The largest gaps of at least CLOCKS_GAP, largest first; those that a later record falls into
     * are divided. */
    struct clocks_gap gaps[CLOCKS_GAPS];
    size_t gap_count;
    bool has_previous; /* private */
    int64_t previous_ns;
};

void clocks_record(struct clocks *clocks, bool timed, int64_t time_ns);
