/* differential: the engine against the reference evaluator, over every corpus of real events, with
 * all SigmaHQ rules.
 *
 *     build/test/differential                         every event through two engines (with and
 *                                                     without the value cache), a sample of them
 *                                                     through the reference: minutes
 *     MERLON_FULL=1 build/test/differential           all of them: long; 10: every tenth
 *     build/test/differential attack any-source       these parts alone (parser, otrf,
 *                                                     derived)
 *
 * Events go through decoding and routing. The reference looks at a line of JSON as it stands in the
 * file, and at an EVTX record as JSON; what fires on a record must not depend on the form that it
 * came in. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "differential/answers.h"
#include "support/pump.h"
#include "support/rig.h"

/* Two engines of one ruleset: the rig's own, and one without the value cache. */
struct pair {
    struct rig rig;
    struct engine *plain;
    struct pump json, evtx;
    struct pump plain_json, plain_evtx;
};

/* What is known of one corpus. */
struct corpus {
    const char *name;
    struct pair *pair;
    uint32_t step; /* every step-th event goes to the reference */
    uint64_t events;
    uint64_t failures;
    struct answers plain;
};

enum err differential_pair(struct pair *pair, bool any_source, struct diag *diag) MUST_CHECK;
void differential_pair_fini(struct pair *pair);
/* Notes a failure: the first of a corpus are printed. */
void differential_fail(struct corpus *corpus, uint64_t event, const char *words);
/* The step of a corpus: at most what MERLON_FULL says. */
uint32_t differential_step(uint32_t step);

/* JSON lines. `answers` (or NULL) gets what fired on each. */
enum err differential_json(struct corpus *corpus, struct slice bytes, struct answers *answers,
        struct diag *diag) MUST_CHECK;

/* A record of the expected events beside an EVTX archive. */
struct expected {
    struct slice file;
    struct slice record_id; /* System.EventRecordID */
    bool taken;
};
struct expectations {
    struct expected *list;
    size_t count;
    struct buf packed;      /* the file, unpacked */
    struct buf lines;       /* {"Event": ...}, one a record */
    struct answers answers; /* by place in the list */
};
enum err differential_expectations(
        struct expectations *e, const char *path, struct diag *diag) MUST_CHECK;
void differential_expectations_fini(struct expectations *e);
/* The files of an EVTX archive; what fires on a record that is among the expectations must be what
 * fired on it there. */
enum err differential_evtx(struct corpus *corpus, struct slice tar, struct expectations *expected,
        struct diag *diag) MUST_CHECK;
/* Rules derived from the values of some of the files, judged on these. */
enum err differential_derived(
        struct corpus *corpus, struct slice tar, struct diag *diag) MUST_CHECK;
