/* turn: results of blocks, written in the order of their numbers, whoever finishes first.
 *
 *     turn_deliver(&turn, sequence, &parcel);      // any thread; the parcel comes back empty
 *
 * Whoever delivers the number that is next writes it, and those that wait behind it. At most
 * `ahead` parcels and about TURN_WAITING bytes wait: a thread that is further ahead stands still.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    TURN_AHEAD_A_JOB = 64,   /* a thread put aside, or making a plan, holds nobody up */
    TURN_WAITING = 16 << 20, /* bytes in parcels that wait */
    TURN_KEPT = 256 << 10,   /* a buffer that grew over this is given back */
};

/* One finding for the tally; its host stands in `hosts`, its user behind that. */
struct turn_mark {
    uint32_t rule;
    uint32_t host_size;
    uint32_t user_size;
    uint32_t piece_size; /* of `pieces`; 0: none was made */
    size_t host_at;
    int64_t time_ns;
    bool timed;
};

struct turn_counts {
    uint64_t events;
    uint64_t rejected;
    uint64_t outside;
    uint64_t no_time;
    uint64_t undetermined;
    uint64_t failed;  /* events that could not be judged */
    uint64_t untimed; /* matches without a time: correlations cannot take them */
    uint64_t crowded; /* values of a field that correlations left out */
};

/* What a block gave. */
struct parcel {
    struct buf out;   /* for stdout */
    struct buf notes; /* for stderr */
    struct buf marks; /* struct turn_mark */
    struct buf hosts;
    struct buf pieces;  /* of the report, one behind the other */
    struct buf matches; /* for correlations */
    struct turn_counts counts;
};

struct turn {
    /* Set before use: takes a parcel's content, in order, one at a time. */
    void (*take)(void *context, const struct parcel *parcel);
    void *context;
    /* Private. */
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    uint64_t next;
    bool taking;
    size_t waiting; /* bytes in slots */
    uint64_t ahead;
    struct turn_slot *slots; /* `ahead` of them: by number, modulo */
};

enum err turn_init(struct turn *turn, unsigned jobs) MUST_CHECK;
void turn_fini(struct turn *turn);
void turn_deliver(struct turn *turn, uint64_t sequence, struct parcel *parcel);
/* Waits until `sequence` is next and hands over what there is already; deliver comes later. Bounds
 * what a block holds. */
void turn_flush(struct turn *turn, uint64_t sequence, struct parcel *parcel);
void turn_parcel_fini(struct parcel *parcel);
/* Empty again; large buffers are given back. */
void turn_parcel_clear(struct parcel *parcel);
