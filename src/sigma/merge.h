/* merge: documents of one file that share content: `action: global`, `repeat` and `reset`.
 *
 *     action: global                 title: a       title: b
 *     logsource: ...          +      detection:     detection:
 *
 * Sigma 1.0 (wiki, "Rule Collections"); the 2.x specification says nothing of them, the reference
 * implementation reads them: a global's content is laid over each rule that follows, until reset;
 * several globals add up; repeat lays its content over the rule before it. */
#pragma once

#include "base/err.h"
#include "base/yaml.h"
#include "sigma/maker.h"

enum { MERGE_KEYS = 4096 }; /* in one map that is merged */

/* {0} at the start of a file. */
struct merge {
    const struct yaml_node *global;
    const struct yaml_node *previous;
};

/* *out: the document as a rule of its own, in scratch or as it was; NULL: it is no rule but says
 * something of others. */
enum err merge_document(struct maker *m, struct merge *state, const struct yaml_node *root,
        const struct yaml_node **out) MUST_CHECK;
