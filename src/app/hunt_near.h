/* hunt_near: near misses: events that rules miss in exactly one condition (detect/near.h).
 *
 *     return hunt_near_run(&request);     // request->rules; a table on stdout; the exit code
 *
 * A row for each rule, condition and value that was missed: how often, and where first. Those with
 * most conditions held come first, the rarest of them before the others. */
#pragma once

#include "cli/hunt.h"

int hunt_near_run(const struct hunt_request *request);
