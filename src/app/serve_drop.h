/* serve_drop: the process that empties drop folders (inputs of kind `drop`): each file there is
 * taken whole when it does not change any more, and moved to `done/` (or removed) when all of it is
 * on disk in the log; one that cannot be read, to `failed/` with the reason beside it.
 *
 *     serve_drop_run(&setting);          // in a process of its own
 *
 * Which of a file's records the log has stands in their frames (drop_take.h), so that a restart in
 * the middle goes on there. */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "app/serve_shared.h"
#include "cli/config.h"

struct serve_drop_setting {
    struct serve_shared *shared;
    const struct config *config;
    const volatile sig_atomic_t *stop;
};

/* Is there anything for it to do? */
bool serve_drop_wanted(const struct config *config);
int serve_drop_run(const struct serve_drop_setting *setting);
