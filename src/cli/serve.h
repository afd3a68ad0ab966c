/* serve: the words of `merlon serve`. */
#pragma once

#include "cli/verb.h"
#include "cli/words.h"

struct serve_request {
    const char *config; /* -c; NULL: the defaults */
    const char *data;   /* --data; NULL: the configuration's */
    struct words rules; /* -r; none: the configuration's */
};

extern const struct verb serve_verb;
