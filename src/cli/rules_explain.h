/* rules_explain: why a rule fires on an event, or does not.
 *
 *     merlon rules explain rule.yml Security.evtx --record 7 */
#pragma once

#include "cli/verb.h"

extern const struct verb rules_explain_verb;
