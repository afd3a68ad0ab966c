/* token_revoke: `merlon token revoke`: make tokens worthless. */
#pragma once

#include "cli/verb.h"

extern const struct verb token_revoke_verb;
