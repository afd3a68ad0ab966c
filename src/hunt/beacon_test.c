/* beacon_measure against the definition computed slowly, and known rhythms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hunt/beacon.h"

enum { SECOND = 1000000000, MOST = 64 };

static uint64_t seed = 88172645463325252u;

static uint64_t below(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

/* The number that has (count - 1) / 2 others before it. */
static int64_t middle(const int64_t *of, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t less = 0, same = 0;
        for (size_t k = 0; k < count; k++) {
            less += of[k] < of[i];
            same += of[k] == of[i];
        }
        if (less <= (count - 1) / 2 && (count - 1) / 2 < less + same) {
            return of[i];
        }
    }
    fail();
    return 0;
}

/* The next later time; the same where there is none. */
static int64_t next(const int64_t *times, size_t count, int64_t after)
{
    int64_t found = after;
    for (size_t i = 0; i < count; i++) {
        if (times[i] > after && (found == after || times[i] < found)) {
            found = times[i];
        }
    }
    return found;
}

static struct beacon naive(const int64_t *times, size_t count)
{
    struct beacon b = {.moments = count > 0};
    int64_t intervals[MOST], apart[MOST], at = count ? times[0] : 0, first, later;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        at = times[i] < at ? times[i] : at;
    }
    for (first = at; (later = next(times, count, at)) != at; at = later) {
        intervals[n++] = later - at;
        b.moments++;
    }
    if (b.moments < BEACON_TIMES) {
        return b;
    }
    b.median_ns = middle(intervals, n);
    b.mean_ns = (at - first) / (int64_t)n;
    for (size_t i = 0; i < n; i++) {
        apart[i] = intervals[i] < b.median_ns ? b.median_ns - intervals[i]
                                              : intervals[i] - b.median_ns;
    }
    b.jitter = middle(apart, n) * 1000000 / b.median_ns;
    int64_t even = b.jitter > 1000000 ? 0 : 1000000 - b.jitter;
    int64_t sum = b.median_ns * (int64_t)n, all = at - first;
    int64_t steady = sum < all ? sum * 1000000 / all : all * 1000000 / sum;
    b.score = even * steady / 1000000;
    return b;
}

static void agrees_with_the_definition(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        int64_t times[MOST] = {0};
        size_t count = below(MOST + 1);
        uint64_t range = 1 + below(round % 2 ? 50 : 1000000);
        for (size_t i = 0; i < count; i++) {
            times[i] = (int64_t)below(range) - (int64_t)range / 2;
        }
        struct beacon want = naive(times, count), have;
        assert_int_equal(beacon_measure(times, count, &have), want.moments >= BEACON_TIMES);
        assert_int_equal(have.moments, want.moments);
        assert_int_equal(have.median_ns, want.median_ns);
        assert_int_equal(have.mean_ns, want.mean_ns);
        assert_int_equal(have.jitter, want.jitter);
        assert_int_equal(have.score, want.score);
    }
}

static int64_t score_of(const int64_t *intervals, size_t count)
{
    int64_t times[MOST] = {0};
    struct beacon b;
    for (size_t i = 0; i < count; i++) {
        times[i + 1] = times[i] + intervals[i] * SECOND;
    }
    assert_true(beacon_measure(times, count + 1, &b));
    return b.score;
}

static void rhythms_score_as_a_person_would_say(void **state)
{
    (void)state;
    assert_int_equal(score_of((int64_t[]){60, 60, 60, 60, 60}, 5), 1000000);
    /* half of the time as jitter */
    assert_int_equal(score_of((int64_t[]){30, 45, 60, 75, 90}, 5), 750000);
    /* a pause of a day lowers steadiness: median 60, mean 17328 */
    assert_int_equal(score_of((int64_t[]){60, 60, 86400, 60, 60}, 5), 3462);
    assert_int_equal(score_of((int64_t[]){1, 100, 3, 5000, 2}, 5), 979);
    assert_int_equal(score_of((int64_t[]){1, 1, 1, 900, 900, 900, 900}, 7), 571904);
}

static void few_moments_say_nothing(void **state)
{
    int64_t same[] = {7, 7, 7, 9, 9, 8}, enough[] = {7, 7, 6, 9, 9, 8};
    struct beacon b;
    (void)state;
    assert_false(beacon_measure(same, 6, &b));
    assert_int_equal(b.moments, 3);
    assert_true(beacon_measure(enough, 6, &b));
    assert_int_equal(b.moments, 4);
    assert_false(beacon_measure(same, 0, &b));
}

static void times_at_the_ends_do_not_overflow(void **state)
{
    int64_t far[] = {INT64_MIN, INT64_MAX, 0, 1}, near[] = {INT64_MAX, INT64_MAX - 1, 3, INT64_MIN};
    struct beacon b;
    (void)state;
    assert_true(beacon_measure(far, 4, &b));
    assert_true(b.score >= 0 && b.score <= 1000000);
    assert_true(beacon_measure(near, 4, &b));
    assert_true(b.score >= 0 && b.score <= 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(agrees_with_the_definition),
            cmocka_unit_test(rhythms_score_as_a_person_would_say),
            cmocka_unit_test(few_moments_say_nothing),
            cmocka_unit_test(times_at_the_ends_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
