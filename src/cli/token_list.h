/* token_list: `merlon token list`: the tokens of a centre, without their texts. */
#pragma once

#include "cli/verb.h"

extern const struct verb token_list_verb;
