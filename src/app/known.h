/* known: the sources that were ever heard of, and when last, on disk: so that a restart does not
 * hide who is silent.
 *
 *     struct known_at at;
 *     e = known_load(&disk_real, "data", counts, &at, diag);   // data/sources, into the counters
 *     known_save(&disk_real, "data", counts, &at, diag)        // replaced as a whole
 *
 * The list holds for the log's offsets below at.offset; what came later the log knows itself. It is
 * believed only where its sum is right. Counters are not in it: they are of one run. */
#pragma once

#include <stdint.h>

#include "base/disk.h"
#include "event/counts.h"

struct known_at {
    char log[33];    /* its id; "": not known */
    uint64_t offset; /* all that the log has below it is in the list */
};

/* Nothing of a list that is not whole is taken: ERR_SYNTAX. ERR_NOT_FOUND: there is none. */
enum err known_load(const struct disk *disk, const char *directory, struct counts *counts,
        struct known_at *at, struct diag *diag) MUST_CHECK;
enum err known_save(const struct disk *disk, const char *directory, const struct counts *counts,
        const struct known_at *at, struct diag *diag) MUST_CHECK;
