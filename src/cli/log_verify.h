/* log_verify: `merlon log verify`: whether what a centre keeps is whole. */
#pragma once

#include "cli/verb.h"

extern const struct verb log_verify_verb;
