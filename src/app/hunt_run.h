/* hunt_run: what `merlon hunt` does, from its request to its exit code: query, events, seal, rows.
 *
 *     const struct verb_app app = {.hunt = hunt_run, ...}; */
#pragma once

#include "cli/hunt.h"

int hunt_run(const struct hunt_request *request);
