#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/clocks.h"

#define NOW (1700000000 * TIME_SECOND)
#define HOUR (3600 * TIME_SECOND)

static struct clocks of(const int64_t *hours, size_t count)
{
    struct clocks c = {.now_ns = NOW};
    for (size_t i = 0; i < count; i++) {
        clocks_record(&c, true, NOW - 1000 * HOUR + hours[i] * HOUR);
    }
    return c;
}

static int64_t hours_of(struct clocks_gap gap)
{
    return (gap.to_ns - gap.from_ns) / HOUR;
}

static void a_step_back_is_measured_from_the_newest(void **state)
{
    const int64_t hours[] = {10, 12, 11, 11, 3, 12};
    struct clocks c = of(hours, 6);
    (void)state;
    assert_int_equal(c.timed, 6);
    assert_int_equal(c.back, 3);
    assert_int_equal(c.most_back_ns, 9 * HOUR);
    assert_int_equal(c.ties, 1);
    assert_int_equal(c.last_ns - c.first_ns, 9 * HOUR);
}

static void odd_times_are_counted_and_spoil_nothing(void **state)
{
    struct clocks c = {.now_ns = NOW};
    (void)state;
    clocks_record(&c, true, NOW - HOUR);
    clocks_record(&c, true, NOW + CLOCKS_LATE + 1);
    clocks_record(&c, true, CLOCKS_EARLY - 1);
    clocks_record(&c, true, 0);
    clocks_record(&c, false, 0);
    clocks_record(&c, true, NOW);
    assert_int_equal(c.timed, 5);
    assert_int_equal(c.untimed, 1);
    assert_int_equal(c.early, 2);
    assert_int_equal(c.earliest_ns, 0);
    assert_int_equal(c.late, 1);
    assert_int_equal(c.latest_ns, NOW + CLOCKS_LATE + 1);
    assert_int_equal(c.back, 0);
    assert_int_equal(c.first_ns, NOW - HOUR);
    assert_int_equal(c.last_ns, NOW);
}

static void the_edges_of_odd_are_not_odd(void **state)
{
    struct clocks c = {.now_ns = NOW};
    (void)state;
    clocks_record(&c, true, CLOCKS_EARLY);
    clocks_record(&c, true, NOW + CLOCKS_LATE);
    assert_int_equal(c.early + c.late, 0);
    assert_int_equal(c.gap_count, 1);
}

static void gaps_come_largest_first_from_the_limit_on(void **state)
{
    struct clocks c = {.now_ns = NOW};
    int64_t at = NOW - 1000 * HOUR;
    (void)state;
    clocks_record(&c, true, at);
    clocks_record(&c, true, at += CLOCKS_GAP - 1);
    assert_int_equal(c.gap_count, 0);
    clocks_record(&c, true, at += CLOCKS_GAP);
    assert_int_equal(c.gap_count, 1);
    for (int i = 0; i < CLOCKS_GAPS + 1; i++) {
        clocks_record(&c, true, at += (2 + i) * HOUR);
    }
    assert_int_equal(c.gap_count, CLOCKS_GAPS);
    for (int i = 0; i < CLOCKS_GAPS; i++) {
        assert_int_equal(hours_of(c.gaps[i]), 2 + CLOCKS_GAPS - i);
    }
}

static void a_late_record_divides_a_gap(void **state)
{
    const int64_t hours[] = {0, 10, 4, 20, 12};
    struct clocks c = of(hours, 5);
    (void)state;
    /* 0-4, 4-10, 10-12, 12-20 */
    assert_int_equal(c.gap_count, 4);
    assert_int_equal(hours_of(c.gaps[0]), 8);
    assert_int_equal(hours_of(c.gaps[1]), 6);
    assert_int_equal(hours_of(c.gaps[2]), 4);
    assert_int_equal(hours_of(c.gaps[3]), 2);
}

static void a_record_before_the_first_makes_a_gap(void **state)
{
    const int64_t hours[] = {10, 5};
    struct clocks c = of(hours, 2);
    (void)state;
    assert_int_equal(c.gap_count, 1);
    assert_int_equal(hours_of(c.gaps[0]), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_step_back_is_measured_from_the_newest),
            cmocka_unit_test(odd_times_are_counted_and_spoil_nothing),
            cmocka_unit_test(the_edges_of_odd_are_not_odd),
            cmocka_unit_test(gaps_come_largest_first_from_the_limit_on),
            cmocka_unit_test(a_late_record_divides_a_gap),
            cmocka_unit_test(a_record_before_the_first_makes_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
