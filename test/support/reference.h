/* reference: what Sigma rules say of a record, found in the plainest way: each rule's condition is
 * walked as a tree, each test compares each value of its field anew. No index, no cache, no
 * witness; nothing of the decoders, of event/paths or of detect/. What the engine answers must be
 * the same.
 *
 *     struct reference *reference;
 *     TRY(reference_new(set, taxonomy, false, &reference));
 *     TRY(reference_judge(reference, record, verdicts));      // by rule number
 *
 * Shared with the engine, as they have tests of their own: the parsed rules, the taxonomy's lists,
 * fold_code() and the regular expressions. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "event/taxonomy.h"
#include "sigma/ruleset.h"
#include "sigma/verdict.h"
#include "support/tree.h"

struct reference;

/* Set and taxonomy are borrowed. any_source: rules are judged without their logsource. */
enum err reference_new(const struct ruleset *set, const struct taxonomy *taxonomy, bool any_source,
        struct reference **out) MUST_CHECK;
void reference_free(struct reference *reference);
/* Writes a verdict for each rule. */
enum err reference_judge(
        struct reference *reference, const struct tree *record, enum verdict *verdicts) MUST_CHECK;
/* The verdict of one rule for the record last judged, whatever its logsource: its fields are seen
 * as its logsource sees them where it is active. */
enum verdict reference_rule(struct reference *reference, uint32_t rule);
/* Whether a rule's logsource took the record last judged. */
bool reference_routed(const struct reference *reference, uint32_t rule);
