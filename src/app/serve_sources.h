/* serve_sources: who is known as a source, over restarts, and who no more: a thread of the log's
 * process.
 *
 *     TRY(serve_sources_start(&setting, &sources, diag));      // the log is open
 *     serve_sources_stop(sources);                             // the log is closed
 *
 * At the first start of a centre it tells the counters of all whom DATA/sources names (app/known.h)
 * and of those whom the log has behind it; nobody waits for that. Then it writes the list once a
 * minute where something came, and at the end. One of whom nothing came for so long as
 * `forget_after` says is forgotten, and said; so is, where there are too many, who has been silent
 * longest. */
#pragma once

#include <signal.h>
#include <stdint.h>

#include "app/serve_shared.h"
#include "base/disk.h"

enum {
    /* Above it the longest silent go, one hour of silence provided: there is room for those who
     * come, and nobody is named (others). */
    SERVE_SOURCES_MOST = COUNTS_SOURCES / 8 * 7,
    SERVE_SOURCES_BACK = 5000000, /* records of the log that are read where there is no list */
};

struct serve_sources_setting {
    struct serve_shared *shared;
    const struct disk *disk;
    const char *data;
    int64_t forget_ns;
    const volatile sig_atomic_t *stop;
};

struct serve_sources;

enum err serve_sources_start(const struct serve_sources_setting *setting,
        struct serve_sources **out, struct diag *diag) MUST_CHECK;
void serve_sources_stop(struct serve_sources *sources);
