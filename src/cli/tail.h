/* tail: `merlon tail`: what comes in at a centre, as it is stored, by its API (api/api_findings.h).
 * A row of the table in verb.c. */
#pragma once

#include "cli/verb.h"

extern const struct verb tail_verb;
