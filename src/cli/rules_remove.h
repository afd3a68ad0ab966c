/* rules_remove: a verb over installed rule packs (cli/packs.h).
 *
 *     merlon rules remove ... */
#pragma once

#include "cli/verb.h"

extern const struct verb rules_remove_verb;
