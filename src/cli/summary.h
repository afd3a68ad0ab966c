/* summary: what a run did and found, for a person.
 *
 *     summary_write(&facts, &tally, &out); */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/tally.h"

/* What the run did. */
struct summary_facts {
    uint64_t files;      /* read */
    uint64_t skipped;    /* in folders, of no known format */
    uint64_t links;      /* in folders, not followed */
    uint64_t unreadable; /* files and folders, each named before */
    uint64_t bytes;      /* read, before unpacking */
    uint64_t events;
    uint64_t rejected;
    uint64_t outside; /* of --from and --to */
    uint64_t no_time; /* judged though --from or --to was given: their time is not known */
    uint64_t undetermined;
    uint64_t untimed; /* matches without a time, which correlations could not take */
    uint64_t crowded; /* values that correlations left out: a field had too many */
    uint32_t inexact; /* correlations that were not exact throughout; each is named before */
    uint32_t rules;   /* judging */
    uint32_t rules_refused;
    uint32_t rules_unroutable;
    uint32_t rules_unseen; /* judging, but no event was of their logsource */
    int64_t elapsed_ns;    /* reading and judging; 0: left out, as is the rate */
    bool interrupted;
    bool utf8; /* the reader's terminal shows block characters */
};

/* `tally` after tally_finish. */
void summary_write(const struct summary_facts *facts, const struct tally *tally, struct buf *out);
