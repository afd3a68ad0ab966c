/* status: `merlon status`: the figures of a centre that runs, for a person. */
#pragma once

#include "cli/verb.h"

extern const struct verb status_verb;
