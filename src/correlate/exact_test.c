#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "correlate/exact.h"

static void assert_same(double a, double b)
{
    if (!(a == b)) {
        fail_msg("%a is not %a", a, b);
    }
}

static void sums_are_rounded_once(void **state)
{
    (void)state;
    struct exact sum = {0};
    assert_same(exact_value(&sum), 0);
    exact_add(&sum, 0.1, 1);
    exact_add(&sum, 0.1, 1);
    exact_add(&sum, 0.1, 1);
    assert_same(exact_value(&sum), 0.30000000000000004); /* of the doubles; 0.3 is below it */
    exact_add(&sum, 1e300, 1);
    exact_add(&sum, -1e300, 1);
    assert_same(exact_value(&sum), 0.30000000000000004);
    exact_add(&sum, 0.1, -1);
    exact_add(&sum, 0.1, -1);
    assert_same(exact_value(&sum), 0.1);
}

static void ties_go_to_even(void **state)
{
    (void)state;
    struct exact sum = {0};
    exact_add(&sum, 9007199254740992.0, 1); /* 2^53: its neighbours are 2 apart */
    exact_add(&sum, 1, 1);
    assert_same(exact_value(&sum), 9007199254740992.0);
    exact_add(&sum, DBL_TRUE_MIN, 1);
    assert_same(exact_value(&sum), 9007199254740994.0);
    exact_add(&sum, DBL_TRUE_MIN, -1);
    exact_add(&sum, 2, 1);
    assert_same(exact_value(&sum), 9007199254740996.0);
}

static void extremes_cancel(void **state)
{
    (void)state;
    struct exact sum = {0};
    for (int i = 0; i < 1000; i++) {
        exact_add(&sum, DBL_MAX, 1);
        exact_add_whole(&sum, INT64_MIN, 1);
        exact_add(&sum, -DBL_TRUE_MIN, 1);
    }
    assert_true(isinf(exact_value(&sum)));
    for (int i = 0; i < 1000; i++) {
        exact_add(&sum, DBL_MAX, -1);
        exact_add(&sum, -DBL_TRUE_MIN, -1);
    }
    assert_same(exact_value(&sum), 1000.0 * (double)INT64_MIN);
    for (int i = 0; i < 1000; i++) {
        exact_add_whole(&sum, INT64_MIN, -1);
    }
    assert_same(exact_value(&sum), 0);
    exact_add_whole(&sum, INT64_MAX, 1);
    exact_add_whole(&sum, INT64_MIN, 1);
    assert_same(exact_value(&sum), -1);
}

/* Numbers of few bits and near exponents: 64 bits hold every sum of them. */
static void any_order_of_adding_and_taking_gives_the_sum(void **state)
{
    (void)state;
    double numbers[64];
    srand(7);
    for (int round = 0; round < 2000; round++) {
        struct exact sum = {0};
        long double wanted = 0;
        int count = 1 + rand() % 64;
        for (int i = 0; i < count; i++) {
            numbers[i] = ldexp(rand() % 2000001 - 1000000, rand() % 20 - 30);
            exact_add(&sum, numbers[i], 1);
            wanted += numbers[i];
        }
        assert_same(exact_value(&sum), (double)wanted);
        for (int i = 0; i < count; i += 2) {
            exact_add(&sum, numbers[i], -1);
            wanted -= numbers[i];
        }
        assert_same(exact_value(&sum), (double)wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(sums_are_rounded_once),
            cmocka_unit_test(ties_go_to_even),
            cmocka_unit_test(extremes_cancel),
            cmocka_unit_test(any_order_of_adding_and_taking_gives_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
