/* serve_listen: the process that has the network, and no files: all inputs' listeners.
 *
 *     TRY(serve_listen_bind(&config, diag));      // in the parent: sockets, before rights are
 * given up serve_listen_run(&setting);                 // in a process of its own */
#pragma once

#include <signal.h>

#include "app/serve_hold.h"
#include "app/serve_shared.h"
#include "cli/config.h"

struct serve_listen_setting {
    struct serve_shared *shared;
    const struct config *config;
    const volatile sig_atomic_t *stop;
};

/* Fills each input's `listener`. */
enum err serve_listen_bind(
        struct config *config, const struct serve_hold *hold, struct diag *diag) MUST_CHECK;
int serve_listen_run(const struct serve_listen_setting *setting);
