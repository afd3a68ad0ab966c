/* report_parts: what a report holds, for its own files: report.c collects, report_page.c writes. */
#pragma once

#include <stdatomic.h>

#include "cli/report.h"
#include "cli/report_line.h"
#include "cli/report_names.h"

/* A finding that is shown. */
struct report_piece {
    int64_t time_ns;
    bool timed;
    uint32_t order;    /* among its rule's */
    struct slice html; /* owned */
};

struct report_rule {
    _Atomic uint64_t findings;
    uint64_t timed;
    int64_t first_ns, last_ns;
    struct report_piece *pieces;
    size_t count;
    size_t room;
};

struct report {
    const struct ruleset *set;
    struct report_scope scope;
    struct report_rule *rules;          /* by rule number */
    _Atomic uint32_t keep[LEVEL_COUNT]; /* findings of one rule */
    size_t shown;
    size_t bytes;
    struct report_line line;
    struct report_names hosts;
    struct report_names users;
};

/* report_page.c */
void report_page_write(struct report *report, const struct summary_facts *facts,
        const struct tally *tally, struct buf *out);
