/* serve_log: the process that owns the disk: it takes frames from the channels, commits them in
 * groups, and acknowledges. It parses nothing but the frames' own bytes.
 *
 *     serve_log_run(&setting);       // in a process of its own; returns when told to stop
 *
 * Two lines that do not wait for each other: what was received, and what was found. */
#pragma once

#include <signal.h>
#include <stdint.h>

#include "app/serve_shared.h"
#include "base/disk.h"
#include "cli/config_retention.h"

struct serve_log_setting {
    struct serve_shared *shared;
    const struct disk *disk;
    const struct config_retention *retention;
    const char *data; /* DATA/log and DATA/findings are made in it */
    uint64_t segment_bytes;
    uint64_t reserve_bytes;
    int64_t forget_ns;                 /* sources that were silent for so long */
    const volatile sig_atomic_t *stop; /* takes what is there, commits, and ends */
};

/* The exit code: 0, or 1 where a log cannot be opened (said on stderr). */
int serve_log_run(const struct serve_log_setting *setting);
