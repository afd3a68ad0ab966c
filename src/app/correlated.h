/* correlated: the matches of a run, sorted, correlated, and their findings written in order.
 *
 *     TRY(correlated_open(&setting, &c, diag));      // before the seal: its files are opened
 *     TRY(correlated_add(c, matches, diag));         // while inputs are read, one at a time
 *     TRY(correlated_run(c, take, context, diag));   // at the end: parcels of findings
 *     correlated_notes(c, &notes);                   // what is to be said
 *     correlated_free(c);
 *
 * Findings come in the order of the events at which they fired: (time, file, record), then rule. */
#pragma once

#include "app/choose.h"
#include "app/turn.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "cli/output.h"
#include "cli/report.h"
#include "source/inputs.h"

enum { CORRELATED_MEMORY = 256 << 20, CORRELATED_PARCEL = 1 << 20 };

struct correlated_setting {
    const struct ruleset *set;
    const struct choice *choice;
    const struct output *output;
    const struct inputs *inputs;
    const struct report *report; /* NULL: none is made */
    bool every;
    bool quiet; /* say only what is not exact */
    size_t state_limit;
    size_t memory; /* for sorting, before a temporary file is used */
};

struct correlated;

enum err correlated_open(const struct correlated_setting *setting, struct correlated **out,
        struct diag *diag) MUST_CHECK;
void correlated_free(struct correlated *c);
/* A row of records as collect_hit makes them. */
enum err correlated_add(struct correlated *c, struct slice matches, struct diag *diag) MUST_CHECK;
/* take: as in struct turn. Stops where *stop becomes true. */
typedef void correlated_take(void *context, const struct parcel *parcel);
enum err correlated_run(
        struct correlated *c, correlated_take *take, void *context, struct diag *diag) MUST_CHECK;
/* Lines for stderr, and how many correlations were not exact throughout. */
uint32_t correlated_notes(const struct correlated *c, struct buf *notes);
