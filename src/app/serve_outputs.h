/* serve_outputs: the process that sends findings out: a thread for each output, so that a receiver
 * that is dead holds nobody else back. Each goes on from its cursor in DATA/cursors, which moves
 * when the receiver has what lies below: what a crash makes doubtful is sent again.
 *
 *     serve_outputs_run(&setting);         // in a process of its own
 *
 * It may connect out, and does so through net/egress.h alone; it reads DATA/findings, and writes
 * DATA/cursors and the folders of outputs that are files. */
#pragma once

#include <signal.h>

#include "app/serve_shared.h"
#include "cli/config.h"

struct serve_outputs_setting {
    struct serve_shared *shared;
    const struct config *config;
    const volatile sig_atomic_t *stop;
};

/* The parent, before any fork: whom the figures are of. */
void serve_outputs_name(const struct config *config, struct sent *sent);
/* 1: to be started again, after a while where a name could not be resolved. */
int serve_outputs_run(const struct serve_outputs_setting *setting);
