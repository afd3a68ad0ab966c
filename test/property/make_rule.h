/* make_rule: a Sigma rule drawn at random, as YAML.
 *
 *     make_rule(&dice, &words, 7, true, &yaml);      // title r7, the id ends with 7
 *
 * All condition forms, all modifiers but those that take files. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "property/dice.h"
#include "property/words.h"

enum { MAKE_RULE_FIELDS = 15 };
/* A taxonomy file of logsources that generated rules have beside the program's own. */
extern const char make_rule_taxonomy[];
extern const char *const make_rule_fields[MAKE_RULE_FIELDS];

/* routed: with a logsource of the taxonomy, else any. */
void make_rule(struct dice *dice, const struct words *words, uint32_t number, bool routed,
        struct buf *yaml);
