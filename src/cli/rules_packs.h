/* rules_packs: a verb over installed rule packs (cli/packs.h).
 *
 *     merlon rules packs ... */
#pragma once

#include "cli/verb.h"

extern const struct verb rules_packs_verb;
