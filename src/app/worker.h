/* worker: one thread's work: blocks decoded, judged and rendered, one after another.
 *
 *     TRY(worker_init(&worker, &shared));
 *     worker_run(&worker);                 // until the feed ends; on any thread
 *     worker_fini(&worker);
 *
 * Owns its event, judge, readers and buffers: nothing is locked between blocks. */
#pragma once

#include <stdint.h>

#include "app/choose.h"
#include "app/feed.h"
#include "app/turn.h"
#include "cli/detect.h"
#include "cli/output.h"
#include "cli/report.h"
#include "detect/judge.h"
#include "event/event.h"

enum {
    WORKER_DECODERS = 64,
    WORKER_FLUSH = 1 << 20, /* a block's output over this is handed over before the block ends */
};

/* What all workers use, and none changes. */
struct worker_shared {
    const struct detect_request *request;
    struct engine *engine;
    const struct output *output;
    struct feed *feed;
    struct turn *turn;
    const struct loaded *loaded;
    const struct report *report; /* NULL: none is made */
    const struct choice *choice;
};

struct worker {
    const struct worker_shared *shared;
    struct event event;
    struct judge *judge;
    struct reader *readers[WORKER_DECODERS]; /* as in decoders[] */
    struct feed_block block;
    struct parcel parcel;
    struct buf time;
    struct buf host;
    struct buf user;
    struct buf scratch;
};

enum err worker_init(struct worker *worker, const struct worker_shared *shared) MUST_CHECK;
void worker_fini(struct worker *worker);
void worker_run(struct worker *worker);
