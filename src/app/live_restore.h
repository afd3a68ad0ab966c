/* live_restore: the windows of correlations, made again from the matches that a judge stored beside
 * the findings (doc/log.md, "matches").
 *
 *     const struct live_span span = {.directory = "DATA/findings", .rulesets = "DATA/rulesets",
 *                                    .committed = committed, .most = told_to,
 *                                    .since_ns = live_since(live, receipt_ns)};
 *     TRY(live_restore(live, &span, diag));
 *
 * Nothing is given meanwhile. A frame of matches counts where the result that it is a part of is
 * there, whole: the rest is judged again. */
#pragma once

#include "app/live.h"
#include "base/diag.h"
#include "base/err.h"

struct live_span {
    const char *directory;
    const char *rulesets; /* where sets of rules are kept */
    uint64_t committed;   /* offsets of the findings below it are read */
    uint64_t most;        /* results of judging up to there are taken, and none beyond */
    int64_t since_ns; /* what was received before does not matter: segments of it are not read */
};

enum err live_restore(
        struct live *live, const struct live_span *span, struct diag *diag) MUST_CHECK;
/* Frames of matches with FRAME_PART, one behind the other. */
enum err live_restore_frames(struct live *live, struct slice frames) MUST_CHECK;
