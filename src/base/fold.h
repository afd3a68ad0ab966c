/* fold: simple Unicode case folding (CaseFolding.txt, status C and S): one code point to one.
 *
 *     size_t n = fold_text(value, scratch);     // scratch: 2 * value.size bytes are always enough
 *
 * U+212A KELVIN SIGN folds to k, sharp s stays one letter. Bytes that are not UTF-8 stay as they
 * are. Sigma compares strings without regard to case by default (Sigma Rules Specification 2.1,
 * "Detection Item / General String Matching"). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* The fold of a code point; itself when it has none. */
uint32_t fold_code(uint32_t code);
/* Writes the folded text, returns its size: at most 2 * text.size (U+023A grows from 2 bytes to
 * 3). */
size_t fold_text(struct slice text, char *to);
