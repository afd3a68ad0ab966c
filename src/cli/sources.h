/* sources: what logs are: format, logsources, fields, times, and how many rules can fire on them.
 *
 *     merlon sources -r rules logs/ */
#pragma once

#include "cli/verb.h"

extern const struct verb sources_verb;
