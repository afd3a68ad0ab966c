/* query_run: events go through a query, rows come out.
 *
 *     TRY(query_run_new(query, &options, &run, diag));
 *     for (uint32_t pass = 0; pass < query_passes(query); pass++) {
 *         TRY(query_run_begin(run, pass, diag));
 *         for each event, decoded with query_scan(query, pass)->paths, in log order
 *             if ((e = query_run_event(run, &row, diag)) == ERR_END) break;  // no more is wanted
 *         TRY(query_run_end(run, diag));                                     // rows go to the sink
 *     }
 *     query_run_notes(run)                        // what was left out, in words
 *
 * Owned by one thread. What the stages keep is bounded; nothing is inexact in silence: over a limit
 * the run fails with words. */
#pragma once

#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "event/event.h"
#include "hunt/query.h"
#include "hunt/row.h"

struct query_run;

/* A row of the table; as wide as query_columns says. Not ERR_END. */
typedef enum err query_run_sink(
        void *context, const struct row_cell *cells, uint32_t width, struct diag *diag);

struct query_run_options {
    size_t memory_bytes; /* each stage may keep */
    query_run_sink *sink;
    void *context;
    bool span; /* find out of when the events are */
};

/* An event as a source gives it: from the archive, a file, or the log's tail. */
struct query_event {
    struct event *event; /* decoded, field_count of the pass */
    struct slice id;     /* what identifies it (_id) */
    struct slice source; /* where it came from (_source) */
};

struct query_run_counts {
    uint64_t events;       /* given, all passes */
    uint64_t matched;      /* by the selections */
    uint64_t undetermined; /* a limit stopped the evaluation: neither yes nor no */
    uint64_t rows;         /* that came out */
    /* With `span`: of the events given, those that have a time, and the first and last of these. */
    uint64_t timed;
    int64_t first_ns, last_ns;
};

/* The query must outlive the run. */
enum err query_run_new(const struct query *query, const struct query_run_options *options,
        struct query_run **out, struct diag *diag) MUST_CHECK;
void query_run_free(struct query_run *run);
enum err query_run_begin(struct query_run *run, uint32_t pass, struct diag *diag) MUST_CHECK;
/* ERR_END: this pass needs no more events; more may be given, and change nothing. */
enum err query_run_event(
        struct query_run *run, const struct query_event *event, struct diag *diag) MUST_CHECK;
enum err query_run_end(struct query_run *run, struct diag *diag) MUST_CHECK;
/* Lines, each with a newline; of all passes that ended. */
struct slice query_run_notes(const struct query_run *run);
/* Some of them tell of events that were left out, and not only of ties behind the last row. */
bool query_run_partial(const struct query_run *run);
struct query_run_counts query_run_counts(const struct query_run *run);
