/* rules_add: a verb over installed rule packs (cli/packs.h).
 *
 *     merlon rules add ... */
#pragma once

#include "cli/verb.h"

extern const struct verb rules_add_verb;
