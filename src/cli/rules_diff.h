/* rules_diff: a verb over installed rule packs (cli/packs.h).
 *
 *     merlon rules diff ... */
#pragma once

#include "cli/verb.h"

extern const struct verb rules_diff_verb;
