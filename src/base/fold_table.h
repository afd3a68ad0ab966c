/* fold_table: the simple case folds of the code points from U+0080 on, as ranges in order.
 *
 *     {0x100, 0x12E, 2, 1}   every second code point of 0x100..0x12E folds to the next one
 *
 * For fold.c only; written by tools/gen-fold. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fold_range {
    uint32_t first;
    uint32_t last;
    uint32_t step; /* 1 or 2 */
    int32_t delta; /* fold - code */
};

extern const struct fold_range fold_table[];
extern const size_t fold_table_size;
