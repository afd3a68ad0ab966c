/* log_cat: `merlon log cat`: the records that a centre has stored. */
#pragma once

#include "cli/verb.h"

extern const struct verb log_cat_verb;
