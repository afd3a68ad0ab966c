/* glob: a whole text against a pattern with marks, in linear time but for `?` inside.
 *
 *     glob_match(slice_of("a\xFF" "b", 3), SLICE("a...b"))     // VERDICT_YES
 *
 * Greedy: each piece between two MANY takes its first place; that is exact, because what follows a
 * MANY fits wherever it fits later, too. Pieces without `?` are searched by memmem; a piece with
 * `?` is tried at each place of its first literal run. A pair of pattern and text that needs more
 * than GLOB_WORK steps is undetermined, never "no". */
#pragma once

#include <stdint.h>

#include "base/slice.h"
#include "sigma/verdict.h"

#define GLOB_WORK ((uint64_t)1 << 30)

/* `pattern` as literal_squeeze leaves it: no MANY before a MANY or a ONE. */
enum verdict glob_match(struct slice pattern, struct slice text);
/* The same with a budget of steps of the caller's. */
enum verdict glob_match_within(struct slice pattern, struct slice text, uint64_t work);
