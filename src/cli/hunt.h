/* hunt: the words of `merlon hunt`.
 *
 *     merlon hunt 'EventID: 4625 | count by IpAddress' logs/   ->   struct hunt_request */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/hunt_input.h"
#include "cli/hunt_rows.h"
#include "cli/verb.h"

struct hunt_request {
    const char *query;
    struct hunt_input input;
    enum hunt_form form;
    size_t state_limit; /* bytes that a stage may keep */
    bool quiet;
};

extern const struct verb hunt_verb;
