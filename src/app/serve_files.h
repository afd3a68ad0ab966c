/* serve_files: the process that may read files: what the inputs of kind `file` follow goes to the
 * log.
 *
 *     serve_files_run(&setting);         // in a process of its own
 *
 * How far each file was read stands in the frames of its records, so that nobody can have one
 * without the other: at its start the process reads from the log where it was, from the place on
 * that the table of positions (source/places.h, in DATA/files) has. */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "app/serve_shared.h"
#include "cli/config.h"

struct serve_files_setting {
    struct serve_shared *shared;
    const struct config *config;
    const volatile sig_atomic_t *stop;
};

/* Is there anything for it to do? */
bool serve_files_wanted(const struct config *config);
int serve_files_run(const struct serve_files_setting *setting);
