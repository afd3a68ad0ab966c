/* pipeline: files -> blocks -> events -> findings -> stdout, in order.
 *
 *     inputs --feed--> blocks --workers: decode, judge, render--> parcels --turn--> stdout
 *
 *     TRY(pipeline_run(&pipeline, diag));    // facts and tally are filled
 *
 * The output is the same for any number of workers. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "app/archive_feed.h"
#include "app/choose.h"
#include "app/correlated.h"
#include "base/diag.h"
#include "base/err.h"
#include "cli/detect.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/summary.h"
#include "cli/tally.h"
#include "detect/engine.h"
#include "source/inputs.h"

struct pipeline {
    /* Set before. */
    const struct detect_request *request;
    const struct inputs *inputs;
    struct archive_feed *archive; /* NULL: the inputs are read */
    struct engine *engine;
    const struct output *output;
    struct tally *tally;
    struct report *report; /* NULL: none is made */
    const struct loaded *loaded;
    const struct choice *choice;
    struct correlated *correlated; /* NULL: no correlation is run */
    bool draw_progress;
    bool terminal;       /* stdout is one */
    bool guard_terminal; /* and the format does not make text visible itself */
    atomic_bool *stop;   /* set from outside or by a failed write: no new block is begun */
    /* Filled. */
    struct summary_facts facts;
    uint64_t failed; /* events that could not be judged */
};

/* ERR_IO: the output cannot be written, diag says why (words empty: its reader went away). */
enum err pipeline_run(struct pipeline *pipeline, struct diag *diag) MUST_CHECK;
