/* rules_update: a verb over installed rule packs (cli/packs.h).
 *
 *     merlon rules update ... */
#pragma once

#include "cli/verb.h"

extern const struct verb rules_update_verb;
