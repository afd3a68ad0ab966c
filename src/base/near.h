/* near: how many slips lie between two short words: for "did you mean".
 *
 *     near_distance(SLICE("Comandline"), SLICE("CommandLine"))      // 2: one letter, one case
 *
 * A slip is a byte added, left out or replaced. */
#pragma once

#include <stddef.h>

#include "base/slice.h"

enum { NEAR_WORD = 64 }; /* a longer word is near to nothing */

/* SIZE_MAX where one of them is longer than NEAR_WORD bytes. */
size_t near_distance(struct slice a, struct slice b);
/* The same, of what near_letters compares. */
size_t near_slips(struct slice a, struct slice b);
/* Equal when case and the bytes _ - . and blank are left out of both. */
bool near_letters(struct slice a, struct slice b);
