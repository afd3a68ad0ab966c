/* ranks: numbers in order, with a quick way to the k-th: for medians and percentiles of a window.
 *
 *     struct ranks ranks = {0};
 *     if (!ranks_add(&ranks, 3.5)) ... no memory
 *     ranks_take(&ranks, 3.5);
 *     ranks_percentile(&ranks, 50)      // 0 <= p <= 100; there is a number
 *
 * A row of small sorted blocks. {0} is empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RANKS_BLOCK = 256 };

struct ranks_block;

struct ranks {
    struct ranks_block **blocks;
    size_t count, room;
    uint64_t total; /* numbers */
};

void ranks_fini(struct ranks *ranks);
bool ranks_add(struct ranks *ranks, double number) __attribute__((warn_unused_result));
/* The number was added before. */
void ranks_take(struct ranks *ranks, double number);
/* k < total, from the smallest. */
double ranks_at(const struct ranks *ranks, uint64_t k);
/* Linear between the two nearest ranks (Hyndman and Fan's type 7, SQL's PERCENTILE_CONT): 50 is
 * the median, of an even number the mean of the middle two. */
double ranks_percentile(const struct ranks *ranks, double p);
/* Bytes that it holds. */
size_t ranks_bytes(const struct ranks *ranks);
