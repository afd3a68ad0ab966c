/* serve_shared: what the processes of a centre share: made by their parent before it forks.
 *
 *     listen --intake channel--> log --committed--> judge --results channel--> log (findings)
 *
 * Each number has one writer, named below. Nothing here is trusted by whom it could harm: readers
 * check what they read, writers keep their own copy. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/serve_reload.h"
#include "app/serve_unread.h"
#include "base/buf.h"
#include "base/channel.h"
#include "base/diag.h"
#include "base/err.h"
#include "event/counts.h"
#include "event/held.h"
#include "event/kept.h"
#include "event/sent.h"
#include "event/standing.h"

enum { SERVE_TALLY = 4096 };

/* How the log counts what it has stored, exactly, whenever it dies: a list of what is to be added,
 * of which `at` are begun; the last of these may have been added or not, its `value` is the sum. */
struct serve_tally {
    _Atomic uint64_t done; /* what came through the channel up to here is counted */
    _Atomic uint64_t next; /* behind what the list has; `done`: it is not in force */
    _Atomic uint32_t at, size;
    struct {
        uint32_t source; /* its counts_number */
        uint64_t records, value;
    } list[SERVE_TALLY];
};

/* In memory of all processes. */
struct serve_page {
    /* The log's. */
    _Atomic uint64_t start;     /* offset at which this run of the centre began */
    _Atomic bool started;       /* that is known */
    _Atomic uint64_t committed; /* offsets of the log below it are on disk */
    _Atomic uint64_t findings;  /* the same of the findings */
    _Atomic uint64_t through;   /* results are on disk of all offsets of the log below it */
    _Atomic uint64_t damaged;   /* offsets that cannot be read */
    _Atomic uint64_t failures;  /* writes and syncs that failed and were gone round */
    _Atomic bool ready;         /* both logs are open, `through` is known */
    _Atomic bool sources_known; /* those of before the start */
    struct serve_tally tally;
    struct serve_unread unread; /* records in quarantine by the judge's word */
    /* The parent's. */
    int64_t started_ns;      /* wall clock */
    _Atomic uint64_t reopen; /* counts SIGHUPs: outputs that are files are opened anew */
    /* The judge's. */
    _Atomic uint64_t judging;      /* the offset being judged, and one; 0: none */
    _Atomic uint64_t judged;       /* records, since the start */
    _Atomic uint64_t found;        /* findings, since the start */
    _Atomic uint64_t undecodable;  /* records */
    _Atomic uint64_t undetermined; /* rules that a limit stopped */
    _Atomic uint64_t passed_over;  /* records that killed a judge */
    _Atomic uint64_t matches;      /* base matches for correlations */
    _Atomic uint64_t late, moved;  /* of these */
    _Atomic uint64_t left_out;     /* matches and groups of correlations that a limit left out */
    _Atomic int64_t tick_ns;       /* a TICK is wanted when the clock says so; INT64_MAX: none */
    _Atomic int64_t horizon_ns;    /* matches older than that do not matter; 0: not known */
    struct held held;              /* findings that exceptions held back */
    struct held late_by;           /* matches that came too late, by correlation */
    _Atomic bool watching;         /* rules are loaded, events are judged */
};

enum { SERVE_TOKENS = 8 << 20 };

/* The text of DATA/tokens.jsonl, for processes that may not open it. The parent writes it, with an
 * odd generation while it does. */
struct serve_tokens {
    _Atomic uint64_t generation;
    _Atomic uint64_t size;
    char at[SERVE_TOKENS];
};

struct serve_shared {
    struct serve_page *page;
    struct serve_tokens *tokens;
    struct serve_reload *reload;
    struct counts *counts;
    struct kept *kept;
    struct sent *sent;
    struct standing *standing;
    struct channel *intake;
    struct channel *results;
    int committed_fd; /* an eventfd: readable when `committed` moved; the judge waits */
};

enum err serve_shared_new(struct serve_shared *shared, struct diag *diag) MUST_CHECK;
void serve_shared_free(struct serve_shared *shared);
/* The parent: what the tokens are from now on; over SERVE_TOKENS nothing changes. */
void serve_shared_set_tokens(struct serve_shared *shared, struct slice text);
/* Anyone: replaces the content of `text` when they have changed since *generation (0 at first),
 * which is set; false: they have not. */
bool serve_shared_tokens(const struct serve_shared *shared, uint64_t *generation, struct buf *text);
/* Makes an eventfd readable; whoever waits reads it. */
void serve_shared_wake(int fd);
/* Waits until one of two is readable, or the time is over; reads it. fd below 0: none. */
void serve_shared_wait(int fd, int other, int timeout_ms);
