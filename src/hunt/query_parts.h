/* query_parts: a query's inside, for its own files and for runs.
 *
 *     query->pipes[0]     // the main one; the others belong to its joins and are run before it */
#pragma once

#include "hunt/query.h"
#include "hunt/query_plan.h"

struct query {
    struct arena arena;
    struct slice text; /* the arena's */
    const struct taxonomy *taxonomy;
    struct taxonomy *bare; /* no entry: rows that are no events */
    struct query_pipe pipes[QUERY_PIPES];
    uint32_t pipe_count;
    struct query_scan scans[QUERY_PIPES]; /* by pass */
};
