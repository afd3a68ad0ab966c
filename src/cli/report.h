/* report: a run's findings as one page of HTML that needs nothing but itself.
 *
 *     TRY(report_new(set, &scope, &report));
 *     if (report_wants(report, rule)) report_finding_write(...)   // any thread: pieces for the
 * page TRY(report_take(report, &mark, piece));                     // in order, every finding
 *     TRY(report_write(report, &facts, &tally, &out));
 *
 * All findings are counted; of each rule only the first are shown, so that the page stays usable
 * and memory bounded: REPORT_A_RULE at first, and half as many of a level's rules, the lowest
 * level's first, whenever more than REPORT_FINDINGS findings or REPORT_BYTES bytes are held. One of
 * each rule always stays. What is shown depends on the order of the findings alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "cli/summary.h"
#include "cli/tally.h"
#include "sigma/ruleset.h"

enum { REPORT_A_RULE = 256, REPORT_FINDINGS = 4000, REPORT_BYTES = 32 << 20 };

struct report;

/* What is counted of one finding. */
struct report_mark {
    uint32_t rule;
    bool timed;
    int64_t time_ns;
    struct slice host;
    struct slice user;
};

/* What the run was narrowed to, for the page to say. */
struct report_scope {
    enum level level; /* and above; LEVEL_NONE: all */
    size_t excluded;  /* --exclude-rule, so often */
    bool any_source;
    bool has_from;
    bool has_to;
    int64_t from_ns;
    int64_t to_ns;
};

enum err report_new(const struct ruleset *set, const struct report_scope *scope,
        struct report **out) MUST_CHECK;
void report_free(struct report *report);
/* May the next finding of the rule still be shown? Once false it stays so. */
bool report_wants(const struct report *report, uint32_t rule);
/* `piece` as report_finding_write makes it; empty where report_wants was false. ERR_MEMORY. */
enum err report_take(
        struct report *report, const struct report_mark *mark, struct slice piece) MUST_CHECK;
/* `tally` after tally_finish. ERR_MEMORY. */
enum err report_write(struct report *report, const struct summary_facts *facts,
        const struct tally *tally, struct buf *out) MUST_CHECK;
