/* correlation_meaning: SHA-256 of what a correlation finds: its own words and its rules' hashes.
 *
 *     TRY(correlation_meaning(correlation, hash));
 *
 * The order of rules makes no difference but in temporal_ordered; nor do titles, how a rule is
 * referred to, and aliases that nothing asks for. */
#pragma once

#include "base/err.h"
#include "sigma/correlation.h"

/* Its rules' hashes are there. ERR_MEMORY. */
enum err correlation_meaning(const struct correlation *c, char out[65]) MUST_CHECK;
