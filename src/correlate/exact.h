/* exact: a sum of numbers without rounding, from which numbers can be taken away again.
 *
 *     struct exact sum = {0};
 *     exact_add(&sum, 0.1, +1);
 *     exact_add(&sum, 1e300, +1); exact_add(&sum, 1e300, -1);
 *     exact_value(&sum)            // 0.1: the exact sum, rounded once
 *
 * A fixed-point number as wide as the range of doubles, so that a window that slides for years
 * holds what a sum from scratch would. */
#pragma once

#include <stdint.h>

/* 2^-1074 (the least double) to 2^1024, and 64 bits for carries. */
enum { EXACT_WORDS = 34 };

struct exact {
    uint64_t words[EXACT_WORDS]; /* least first; two's complement */
};

/* sign: 1 or -1. The number is finite. */
void exact_add(struct exact *sum, double number, int sign);
void exact_add_whole(struct exact *sum, int64_t number, int sign);
/* The double nearest to the sum; ties to even. */
double exact_value(const struct exact *sum);
