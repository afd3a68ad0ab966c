/* serve: the centre: a parent that holds everything together and does nothing itself, and processes
 * that each may do one thing.
 *
 *     parent   binds sockets, makes the memory that is shared, forks, restarts who dies
 *     listen   network; no files         -> frames into the intake channel
 *     log      its one directory         -> commits, acknowledges
 *     judge    reads the log             -> findings into the results channel
 *
 *     return serve_run(&request);        // until SIGTERM; the exit code */
#pragma once

#include "cli/serve.h"

int serve_run(const struct serve_request *request);
