/* hunt: the words of `merlon hunt`.
 *
 *     merlon hunt 'EventID: 4625 | count by IpAddress' logs/   ->   struct hunt_request
 *     merlon hunt --rule new-rules/ logs/ */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/hunt_input.h"
#include "cli/hunt_rows.h"
#include "cli/output.h"
#include "cli/verb.h"

struct hunt_request {
    const char *query;  /* NULL: rules are hunted with */
    struct words rules; /* --rule; of a query none */
    const char *config; /* of the centre whose log they judge; NULL: the defaults */
    struct hunt_input input;
    bool near;                          /* what the rules miss in one condition */
    enum hunt_form form;                /* of a query's rows */
    const struct output_format *format; /* of findings, by rules */
    size_t state_limit;                 /* bytes that a stage may keep */
    bool quiet;
};

extern const struct verb hunt_verb;
