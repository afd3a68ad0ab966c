/* archive: the words of `merlon archive add`, `list`, `verify` and `cat`. */
#pragma once

#include <stdbool.h>

#include "cli/verb.h"
#include "cli/words.h"
#include "event/decoder.h"

struct archive_request {
    const char *data;   /* --data; NULL: as cli/data.h says */
    const char *tenant; /* of `add`: whose they are */
    struct words inputs, taxonomies;
    const struct decoder *decoder; /* --format; NULL: recognised by content */
    bool quiet;
};

extern const struct verb archive_add_verb;
extern const struct verb archive_list_verb;
extern const struct verb archive_verify_verb;
extern const struct verb archive_cat_verb;
