/* rules_list: the rules that would judge, a line each.
 *
 *     merlon rules list sigma/rules --level high */
#pragma once

#include "cli/verb.h"

extern const struct verb rules_list_verb;
