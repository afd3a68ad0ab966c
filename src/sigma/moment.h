/* moment: the parts of a time written in a text, for |minute to |year.
 *
 *     int64_t part;
 *     moment_part(SLICE("2024-07-10T03:45:00Z"), OP_HOUR, &part)    // 3
 *
 * Read are YYYY-MM-DD, and that with `T` or a blank, hh:mm, seconds, a fraction and a zone, each
 * optional from the right (RFC 3339 section 5.6, a blank between date and time allowed). The parts
 * are taken as written: the modifiers appendix of Sigma 2.1 says that no zone is converted. Weeks
 * are those of ISO 8601. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "sigma/predicate.h"

/* false: not a time, or without that part. `part`: OP_MINUTE to OP_YEAR. */
bool moment_part(struct slice text, enum op part, int64_t *out);
