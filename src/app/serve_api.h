/* serve_api: the process that answers questions: it has one listening socket, reads the figures in
 * shared memory and the log of findings, and nothing else.
 *
 *     TRY(serve_api_bind(&config, diag));      // in the parent
 *     serve_api_run(&setting);                 // in a process of its own */
#pragma once

#include <signal.h>

#include "app/serve_hold.h"
#include "app/serve_shared.h"
#include "cli/config.h"

struct serve_api_setting {
    struct serve_shared *shared;
    const struct config *config;
    const volatile sig_atomic_t *stop;
};

/* Fills config->api.listener, where the configuration has an API. */
enum err serve_api_bind(
        struct config *config, const struct serve_hold *hold, struct diag *diag) MUST_CHECK;
int serve_api_run(const struct serve_api_setting *setting);
