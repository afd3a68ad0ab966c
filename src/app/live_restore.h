/* live_restore: the windows of correlations, made again from the matches that a judge stored beside
 * the findings (doc/log.md, "matches").
 *
 *     TRY(live_restore(live, "DATA/findings", committed, told_to, diag));
 *
 * Nothing is given meanwhile. A frame of matches counts where the result that it is a part of is
 * there, whole: the rest is judged again. */
#pragma once

#include "app/live.h"
#include "base/diag.h"
#include "base/err.h"

/* committed: offsets of the findings below it are read. most: results of judging up to there are
 * taken, and none beyond. */
enum err live_restore(struct live *live, const char *directory, uint64_t committed, uint64_t most,
        struct diag *diag) MUST_CHECK;
