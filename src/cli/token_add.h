/* token_add: `merlon token add`: make a token for a program or a person. */
#pragma once

#include "cli/verb.h"

extern const struct verb token_add_verb;
