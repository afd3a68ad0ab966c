/* config_check: `merlon config check FILE`: would `merlon serve -c FILE` take it? */
#pragma once

#include "cli/verb.h"

extern const struct verb config_check_verb;
