/* rule: a Sigma rule as it was read: what it says of itself, and its condition as a tree of
 * predicates.
 *
 *     selection and not 1 of filter_*
 *         AND( OR(pred 3, pred 4), NOT( OR( AND(pred 5, pred 6), pred 7) ) )
 *
 * Immutable after loading; owned by its ruleset's arena. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "event/taxonomy.h"
#include "sigma/predicate.h"

struct correlation;

enum level {
    LEVEL_NONE, /* not given */
    LEVEL_INFORMATIONAL,
    LEVEL_LOW,
    LEVEL_MEDIUM,
    LEVEL_HIGH,
    LEVEL_CRITICAL,
    LEVEL_COUNT
};
/* "high"; LEVEL_NONE: "". */
struct slice level_name(enum level level);
/* false: no such level. */
bool level_parse(struct slice text, enum level *out);

enum node_kind {
    NODE_AND,
    NODE_OR,
    NODE_NOT,       /* one child */
    NODE_AT_LEAST,  /* `threshold` of the children ("2 of selection_*") */
    NODE_PREDICATE, /* a leaf */
    NODE_TRUE,      /* never made today: nothing in a rule holds always */
    NODE_FALSE,     /* "of" a pattern that fits no name, or of more names than there are */
};

/* Where a condition names a search identifier twice, both places share its subtree. At most
 * TREE_DEPTH levels (sigma/tree.h), MAKER_NODES nodes counted at each use (sigma/maker.h). */
struct node {
    enum node_kind kind;
    uint32_t predicate; /* of NODE_PREDICATE: index into ruleset->predicates */
    uint32_t count;     /* children */
    uint32_t threshold;
    const struct node *const *children;
    struct slice label; /* the search identifier that this subtree is, or empty */
};

struct rule {
    struct slice file; /* path as given */
    uint32_t line;     /* of the document's start */
    struct slice title;
    struct slice id; /* may be empty */
    struct slice author;
    struct slice license;
    struct slice description;
    struct slice status;
    struct slice date;
    enum level level;
    const struct slice *tags;
    size_t tag_count;
    const struct slice *references;
    size_t reference_count;
    const struct slice *falsepositives;
    size_t falsepositive_count;
    struct logsource logsource;
    const struct node *condition;          /* of a correlation: NODE_FALSE, no event satisfies it */
    const struct correlation *correlation; /* NULL: a rule over single events */
    /* Fields of its events that correlations ask for; numbers in the ruleset's field table. */
    const uint32_t *wanted;
    uint32_t wanted_count;
    /* .at NULL: an ordinary rule. Else an exception of this tenant: it holds for events that the
     * rules it names are not to find. */
    struct slice exception;
    const uint32_t *excepted; /* of an exception: numbers of the rules that it is about */
    size_t excepted_count;
    const struct slice *missing; /* and what it names and no rule is called */
    size_t missing_count;
    bool has_keywords; /* some predicate is of any field */
    char hash[65];     /* hex SHA-256 of the rule's meaning: its condition tree and logsource; of a
                          correlation: what it asks, and the hashes of its rules */
    uint32_t number;   /* index into ruleset->rules */
};
