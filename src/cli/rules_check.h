/* rules_check: a line a rule: is it loaded, refused or unroutable, and why.
 *
 *     merlon rules check sigma/rules -o json */
#pragma once

#include "cli/verb.h"

extern const struct verb rules_check_verb;
