/* conformance: each kind of case file, judged by the engine and by the reference evaluator.
 *
 *     build/test/conformance FILE       prints the ids that fail; closes with "N passed, N failed"
 *
 * A case passes when the engine says what is expected and the reference says the same. What else
 * may pass stands in test/conformance/: ambiguous.txt (ID CLAUSE...: decided otherwise, see
 * doc/sigma-semantics.md), matrix-extras.txt and matrix-missing.txt (EVENT_INDEX RULE_ID
 * REASON...). A line that excuses nothing is a failure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

struct tally {
    uint64_t passed;
    uint64_t failed;
    uint64_t skipped;
};

/* Counts a case; prints what failed. */
void conformance_check(struct tally *tally, bool passed, struct slice id, const char *words);

/* A file of test/conformance/ ($MERLON_TESTS: another folder than test). */
enum err conformance_file(const char *name, struct buf *out, struct diag *diag) MUST_CHECK;

/* By kind; `bytes` is the file, unpacked. */
enum err conformance_cases(struct slice bytes, struct tally *tally, struct diag *diag) MUST_CHECK;
enum err conformance_generated(
        struct slice bytes, struct tally *tally, struct diag *diag) MUST_CHECK;
enum err conformance_matrix(struct slice bytes, struct tally *tally, struct diag *diag) MUST_CHECK;
enum err conformance_regression(
        struct slice bytes, struct tally *tally, struct diag *diag) MUST_CHECK;
enum err conformance_correlation(
        struct slice bytes, struct tally *tally, struct diag *diag) MUST_CHECK;
