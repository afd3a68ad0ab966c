/* help: what merlon can do, and each verb's help.
 *
 *     merlon help             merlon help detect             merlon detect --help */
#pragma once

#include <stdio.h>

#include "cli/verb.h"

extern const struct verb help_verb;

/* The list of verbs. */
void help_overview(FILE *to);
