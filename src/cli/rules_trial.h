/* rules_trial: runs the tests that stand beside rules (cli/test_file.h).
 *
 *     merlon rules test rules/ */
#pragma once

#include "cli/verb.h"

extern const struct verb rules_trial_verb;
