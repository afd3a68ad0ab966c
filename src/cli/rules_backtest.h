/* rules backtest: what rules would have found, and at what cost. */
#pragma once

#include "cli/verb.h"

extern const struct verb rules_backtest_verb;
