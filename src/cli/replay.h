/* replay: the words of `merlon replay`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/verb.h"
#include "cli/words.h"

/* A place in the log: an offset, or the first record received at that time or later. */
struct replay_place {
    bool timed;
    uint64_t offset;
    int64_t ns;
};

struct replay_request {
    const char *config; /* -c; NULL: the defaults */
    const char *data;   /* --data; NULL: the configuration's */
    struct words rules; /* -r; none: those that the log names */
    struct replay_place from, to;
};

/* The value of the option --NAME. ERR_USAGE: it is neither. */
enum err replay_take_place(const char *value, const char *name, struct replay_place *out,
        struct diag *diag) MUST_CHECK;
extern const struct verb replay_verb;
