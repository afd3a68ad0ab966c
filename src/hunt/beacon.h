/* beacon: how regular the times of a contact are.
 *
 *     if (beacon_measure(times, count, &b))
 *         b.score                             // 1000000: as regular as can be; 0: not at all
 *
 * Of the intervals between the times (of a median with two in the middle, the smaller):
 *     deviation   the median of what each interval differs from the median
 *     jitter      deviation / median
 *     evenness    1 - jitter, at least 0
 *     steadiness  median / mean, or mean / median where that is smaller: pauses and bursts lower it
 *     score       evenness * steadiness
 * In whole millionths, each rounded down. Bowley's skewness, which others add, has no part: where
 * intervals hardly differ it is chance. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BEACON_TIMES = 4 /* fewest moments that say anything: three intervals */ };

struct beacon {
    size_t moments; /* different times */
    int64_t median_ns, mean_ns;
    int64_t jitter; /* millionths, as the score */
    int64_t score;
};

/* false: fewer than BEACON_TIMES moments, and only `moments` is set. Overwrites the times. */
bool beacon_measure(int64_t *times, size_t count, struct beacon *out);
