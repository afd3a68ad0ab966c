/* version: prints the program's version.
 *
 *     merlon version */
#pragma once

#include "cli/verb.h"

extern const struct verb version_verb;
