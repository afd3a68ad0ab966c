/* report_attack: ATT&CK tactics and techniques of rules, from their tags, as a matrix for a page.
 *
 *     attack.execution, attack.t1059.001    ->    column Execution, T1059 with T1059.001 in it
 *
 * A rule's technique stands under those of the rule's tactics that the technique belongs to; where
 * that is none, under all of the rule's tactics; where the rule names none, under the technique's.
 * A finding counts once for each tactic and technique of its rule. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sigma/ruleset.h"

/* by_rule: findings by rule number. ERR_MEMORY. */
enum err report_attack_write(
        const struct ruleset *set, const uint64_t *by_rule, struct buf *out) MUST_CHECK;
/* Adds the ids of the rule's techniques and their parents, with blanks: "T1059 T1059.001". */
void report_attack_ids(const struct rule *rule, struct buf *out);
