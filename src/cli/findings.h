/* findings: `merlon findings`: what a centre has found, read from its directory. */
#pragma once

#include "cli/verb.h"

extern const struct verb findings_verb;
