/* hunt: the words of `merlon hunt`.
 *
 *     merlon hunt 'EventID: 4625 | count by IpAddress' logs/   ->   struct hunt_request */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/hunt_rows.h"
#include "cli/replay.h"
#include "cli/verb.h"
#include "cli/words.h"
#include "event/decoder.h"

struct hunt_request {
    const char *query;
    struct words inputs; /* none: the log of a centre */
    struct words taxonomies;
    enum hunt_form form;
    const struct decoder *decoder; /* --format; NULL: recognised by content */
    struct decode_limits limits;
    size_t state_limit; /* bytes that a stage may keep */
    bool quiet;
    /* Of the log. */
    const char *data;   /* --data; NULL: as cli/data.h says */
    const char *tenant; /* NULL: all */
    struct replay_place from, to;
};

extern const struct verb hunt_verb;
