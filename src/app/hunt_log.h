/* hunt_log: the log of a centre as the input of a hunt.
 *
 *     TRY(hunt_log_open(&log, input, diag));         // what is stored now is what is read
 *     TRY(hunt_log_pass(&log, &pass, diag));           // each reading
 *     if (log.partial) ...                             // said on stderr */
#pragma once

#include "app/hunt_pass.h"
#include "cli/data.h"
#include "cli/hunt_input.h"

struct hunt_log {
    char path[DATA_PATH];
    const struct hunt_input *input;
    uint64_t first, end; /* offsets that there were at the start: [first, end) */
    bool partial;        /* something could not be read */
    uint64_t unread;     /* records that a centre could not take as what they were to be */
    struct buf block;
};

enum err hunt_log_open(
        struct hunt_log *log, const struct hunt_input *input, struct diag *diag) MUST_CHECK;
enum err hunt_log_pass(struct hunt_log *log, struct hunt_pass *pass, struct diag *diag) MUST_CHECK;
void hunt_log_fini(struct hunt_log *log);
