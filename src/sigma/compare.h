/* compare: what changed between two states of a heap of rules.
 *
 *     struct compare compare;
 *     TRY(compare_rulesets(before, after, &compare));
 *     compare.changes[i]                       // added, removed, changed, renamed; in that order
 *     compare_fini(&compare);
 *
 * A rule is the same one in both where its id is (without an id: its title). Of several with one id
 * the first belongs to the first, and so on, in the order of their files. Its meaning is its hash:
 * condition and logsource. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "sigma/ruleset.h"

enum compare_kind { COMPARE_ADDED, COMPARE_REMOVED, COMPARE_CHANGED, COMPARE_RENAMED };

/* What of it changed: bits. */
enum {
    COMPARE_MEANING = 1,
    COMPARE_LEVEL = 2,
    COMPARE_TITLE = 4,
    COMPARE_STATUS = 8,
    COMPARE_FILE = 16, /* alone: COMPARE_RENAMED */
};

struct compare_change {
    enum compare_kind kind;
    unsigned what;
    const struct rule *before; /* NULL: added */
    const struct rule *after;  /* NULL: removed */
};

struct compare {
    struct compare_change *changes; /* by kind, then by file and line */
    size_t count;
    size_t counts[COMPARE_RENAMED + 1];
    size_t same;
};

/* Borrows the rules of both sets. Owner of the list: the caller, by compare_fini. */
enum err compare_rulesets(
        const struct ruleset *before, const struct ruleset *after, struct compare *out) MUST_CHECK;
void compare_fini(struct compare *compare);
