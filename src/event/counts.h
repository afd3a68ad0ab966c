/* counts: what became of each source's records, in memory that all processes share:
 * received = stored + rejected + dropped + in flight.
 *
 *     TRY(counts_new(&counts, diag));                          // before fork
 *     struct counts_source *s = counts_source(counts, tenant, SLICE("syslog-udp/10.1.2.3"));
 *     counts_add(&s->dropped[COUNTS_KERNEL], lost);            // received as well
 *
 * What is received is no counter: it is what was taken, rejected and dropped, so that each record
 * is counted in one step. `taken`, `taken_bytes` and `rejected` are counted by the channel that
 * hands records to the log, as it does so (channel_put_counted); no one else adds to them, but for
 * counts_settle.
 *
 * 64-bit counters, each written by whom it concerns, read by anyone. Sources over the limit share
 * one slot, "(others)"; how often that happened is counted. A slot once made stays, until it is
 * forgotten by who keeps the table small:
 *
 *     counts_forget(counts, i);            // who names it from now on makes another one
 *     ...when nobody can hold it any more: after COUNTS_GRACE_S...
 *     counts_settle(counts, i);            // what came to it all the same goes to that other one
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum { COUNTS_SOURCES = 8192, COUNTS_NAME = 120 };
enum { COUNTS_GRACE_S = 60 };
enum { COUNTS_MARKS = 26 }; /* moments that are remembered: a day's hours, and one being written */

enum counts_rejection { /* in quarantine */
    COUNTS_TOO_LONG,
    COUNTS_FRAMING,
    COUNTS_SYNTAX,
    COUNTS_REJECTIONS,
};

enum counts_drop { /* gone, and named */
    COUNTS_KERNEL, /* the socket's queue was full (SO_RXQ_OVFL) */
    COUNTS_BUSY,   /* no room, and no way to hold the sender back */
    COUNTS_CUT,    /* the connection ended within a record */
    COUNTS_DROPS,
};

/* A source's figures at one moment; what is in flight is never negative. */
struct counts_totals {
    uint64_t received, stored, rejected, dropped;
};

struct counts_source {
    char tenant[COUNTS_NAME]; /* with a NUL; longer names are cut */
    char name[COUNTS_NAME];
    _Atomic uint64_t taken;       /* handed to the log as records */
    _Atomic uint64_t taken_bytes; /* of these, and of what was rejected */
    _Atomic uint64_t stored;
    _Atomic uint64_t rejected[COUNTS_REJECTIONS];
    _Atomic uint64_t dropped[COUNTS_DROPS];
    _Atomic int64_t last_ns; /* receipt of the last record */
    _Atomic int64_t skew_ns; /* of the last record with a time: event time less receipt time */
    _Atomic bool skew_known;
    struct counts_totals marks[COUNTS_MARKS]; /* for counts_mark */
    uint64_t left;                            /* all that had come when it was forgotten */
};

struct counts;

enum err counts_new(struct counts **out, struct diag *diag) MUST_CHECK;
void counts_free(struct counts *counts);
/* Finds or makes; never NULL. Any process, any thread. */
struct counts_source *counts_source(struct counts *counts, struct slice tenant, struct slice name);
/* i < counts_size, in the order in which they came. NULL: nobody stands there (yet). */
size_t counts_size(const struct counts *counts);
const struct counts_source *counts_at(const struct counts *counts, size_t i);
/* A source's number, for memory that others can write to; any number gives a source. */
uint32_t counts_number(const struct counts *counts, const struct counts_source *source);
struct counts_source *counts_of(struct counts *counts, uint32_t number);
/* Where all counters lie, for channel_sums_in. */
void *counts_memory(struct counts *counts, size_t *size);
/* It was heard of before the start, then: known from now on, with nothing counted. What was heard
 * of it later stands. */
void counts_recall(struct counts *counts, struct slice tenant, struct slice name, int64_t last_ns);
/* One thread of one process. false: nobody stands there, nothing was ever heard of it, or something
 * of it is in flight. Never of whom came what was put last: the channel may count that again. */
bool counts_forget(struct counts *counts, size_t i);
/* false: it is none that was forgotten. */
bool counts_is_leaving(const struct counts *counts, size_t i);
void counts_settle(struct counts *counts, size_t i);
/* How many were forgotten since the start. */
uint64_t counts_forgotten(const struct counts *counts);
/* How many look-ups ended at "(others)". */
uint64_t counts_crowded(const struct counts *counts);
/* Remembers all figures as of now, once an hour of the wall clock: the parent, often. */
void counts_hours(struct counts *counts, int64_t wall_ns);
/* The moments remembered, the latest ones, in order; returns how many, at most COUNTS_MARKS - 1. */
struct counts_mark {
    int64_t ns;
    uint32_t place; /* in counts_source.marks */
};
size_t counts_marks(const struct counts *counts, struct counts_mark out[COUNTS_MARKS]);
struct counts_totals counts_totals(const struct counts_source *source);
static inline void counts_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}
const char *counts_rejection_name(enum counts_rejection rejection); /* "too_long" */
const char *counts_drop_name(enum counts_drop drop);
