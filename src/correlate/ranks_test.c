#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "correlate/ranks.h"

enum { MOST = 3000 };

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void every_rank_is_that_of_the_sorted_numbers(void **state)
{
    (void)state;
    static double all[MOST], sorted[MOST];
    struct ranks ranks = {0};
    int count = 0;
    srand(3);
    for (int step = 0; step < 20000; step++) {
        if (count < MOST && (count == 0 || rand() % 100 < (step < 10000 ? 70 : 35))) {
            all[count] = rand() % 500 - 250;
            assert_true(ranks_add(&ranks, all[count++]));
        } else {
            int at = rand() % count;
            ranks_take(&ranks, all[at]);
            all[at] = all[--count];
        }
        assert_int_equal(ranks.total, count);
        if (count == 0 || step % 97) {
            continue;
        }
        memcpy(sorted, all, (size_t)count * sizeof *all);
        qsort(sorted, (size_t)count, sizeof *sorted, by_number);
        for (int k = 0; k < count; k++) {
            assert_true(ranks_at(&ranks, (uint64_t)k) == sorted[k]);
        }
    }
    ranks_fini(&ranks);
}

static void percentiles_lie_between_the_nearest_ranks(void **state)
{
    (void)state;
    struct ranks ranks = {0};
    const double numbers[] = {40, 10, 30, 20};
    const double wanted[][2] = {{0, 10}, {100, 40}, {50, 25}, {25, 17.5}, {90, 37}};
    for (int i = 0; i < 4; i++) {
        assert_true(ranks_add(&ranks, numbers[i]));
    }
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        assert_true(ranks_percentile(&ranks, wanted[i][0]) == wanted[i][1]);
    }
    ranks_take(&ranks, 40);
    assert_true(ranks_percentile(&ranks, 50) == 20);
    ranks_fini(&ranks);
}

static void refused_memory_leaves_the_numbers(void **state)
{
    (void)state;
    struct ranks ranks = {0};
    for (int i = 0; i < RANKS_BLOCK; i++) {
        assert_true(ranks_add(&ranks, i));
    }
    memory_fail_after(1);
    assert_false(ranks_add(&ranks, 5));
    memory_fail_after(0);
    assert_int_equal(ranks.total, RANKS_BLOCK);
    assert_true(ranks_add(&ranks, 5));
    assert_true(ranks_at(&ranks, 6) == 5 && ranks_at(&ranks, RANKS_BLOCK) == RANKS_BLOCK - 1);
    ranks_fini(&ranks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_rank_is_that_of_the_sorted_numbers),
            cmocka_unit_test(percentiles_lie_between_the_nearest_ranks),
            cmocka_unit_test(refused_memory_leaves_the_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
