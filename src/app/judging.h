/* judging: frames of a log in, results out: what `merlon serve` and `merlon replay` share.
 *
 *     struct judging j = {.set = set, .live = live, .log = log_id, .page = &page, .emit = ...};
 *     TRY(judging_frame(&j, &frame));       // parts of a result may be emitted
 *     if (judging_has(&j)) TRY(judging_tell(&j));        // its last part
 *     judging_fini(&j);
 *
 * There is no clock in it: the same log and the same rules give the same results, byte by byte. The
 * result of a frame has parts: base matches for correlations, findings of correlations by tenant,
 * and last the findings of the frame itself. */
#pragma once

#include "app/live.h"
#include "app/serve_set.h"
#include "app/serve_shared.h"
#include "base/buf.h"
#include "event/frame.h"

enum { JUDGING_PART = 4 << 20 }; /* bytes after which a part is emitted */

struct judging_part {
    struct frame *frame; /* kind, tenant, source, clock and records are set */
    uint64_t number;     /* of the part; of the last one: how many there were before it */
    bool last;
};

struct judging {
    struct serve_set *set;
    struct live *live; /* NULL: no correlation is run */
    const char *log;   /* its id */
    struct serve_page *page;
    uint64_t from, to; /* findings of records outside are left out, and those behind not judged */
    const uint64_t *killers; /* offsets that killed judges, and one: they are passed over */
    size_t killer_count;
    enum err (*emit)(void *context, const struct judging_part *part);
    /* Each event, judged: set->event. NULL: nobody wants them. */
    void (*judged)(void *context, const struct frame *frame);
    void *context;
    /* Set by judging_frame. */
    const struct frame *frame;
    uint64_t judged_to; /* offsets below it are judged */
    uint64_t part;      /* of the result at hand */
    bool swapped;       /* the rules, at swap_ns: the next result is the first by the new ones */
    int64_t swap_ns;
    int64_t clock_ns; /* of the frame's tenant, before it */
    enum err failed;
    struct frame_records found, matches, fired;
    struct frame_records unread; /* all of one class */
    struct slice unread_class;
    struct buf fired_tenant;
    struct buf block; /* the frame's records, with bytes behind them */
    struct buf place_json, time, text, scratch, host, match;
};

enum err judging_frame(struct judging *j, const struct frame *frame) MUST_CHECK;
/* Is there something to tell of the frames since the last time? */
bool judging_has(const struct judging *j);
enum err judging_tell(struct judging *j) MUST_CHECK;
void judging_fini(struct judging *j);
/* For live_setting.fired; context: the judging. */
enum err judging_fired(void *context, const struct live_finding *finding);
