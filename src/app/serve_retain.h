/* serve_retain: retention in the process that owns the logs: a thread that counts what is held of
 * whom, publishes the figures, and says up to where the owner of each log may remove. doc/log.md
 * has what goes, and when.
 *
 *     struct serve_retain *retain;
 *     TRY(serve_retain_start(&setting, &retain, diag));
 *     ... the log's own thread, now and then: ...
 *     uint64_t below = serve_retain_below(retain, SERVE_RETAIN_LOG);   // for wal_remove
 *     serve_retain_removed(retain, SERVE_RETAIN_LOG);
 *     serve_retain_stop(retain); */
#pragma once

#include <signal.h>

#include "app/serve_shared.h"
#include "base/disk.h"
#include "cli/config_retention.h"

enum serve_retain_log { SERVE_RETAIN_LOG, SERVE_RETAIN_FINDINGS, SERVE_RETAIN_LOGS };

struct serve_retain_setting {
    struct serve_shared *shared;
    const struct disk *disk;
    const char *data; /* of DATA/log and DATA/findings, which are open */
    const struct config_retention *retention;
    const volatile sig_atomic_t *stop;
};

struct serve_retain;

enum err serve_retain_start(const struct serve_retain_setting *setting, struct serve_retain **out,
        struct diag *diag) MUST_CHECK;
/* Ends with `stop`; waits for it. */
void serve_retain_stop(struct serve_retain *retain);
/* What lies below may be removed; 0: nothing is waiting for that. */
uint64_t serve_retain_below(const struct serve_retain *retain, enum serve_retain_log log);
/* It was, or could not be: the next may be named. */
void serve_retain_removed(struct serve_retain *retain, enum serve_retain_log log);
