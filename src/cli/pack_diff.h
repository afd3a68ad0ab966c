/* pack_diff: what changed between two states of a pack, shown.
 *
 *     TRY(pack_diff_show(&before, &after, name, json, diag));      // struct content, finished */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "base/err.h"
#include "packs/content.h"

/* On stdout: a line a change, and the counts (JSON: only lines). ERR_IO: it cannot be written. */
enum err pack_diff_show(const struct content *before, const struct content *after,
        struct slice name, bool json, struct diag *diag) MUST_CHECK;
