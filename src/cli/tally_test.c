#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tally.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
static const struct slice tags_a[] = {TEXT("attack.lateral-movement"), TEXT("attack.t1021.002"),
        TEXT("attack.g0016"), TEXT("cve.2021-1")};
static const struct slice tags_b[] = {
        TEXT("attack.lateral_movement"), TEXT("attack.impact"), TEXT("attack.")};
static const struct rule rules[] = {
        {.title = {"a", 1}, .level = LEVEL_HIGH, .tags = tags_a, .tag_count = 4, .number = 0},
        {.title = {"b", 1}, .level = LEVEL_LOW, .tags = tags_b, .tag_count = 3, .number = 1},
};
static const struct rule *const list[] = {&rules[0], &rules[1]};
static const struct ruleset set = {.rules = list, .rule_count = 2};

static void tactics_are_counted_once_for_each_finding(void **state)
{
    (void)state;
    struct tally tally;
    assert_int_equal(tally_init(&tally, &set), OK);
    for (uint32_t i = 0; i < 5; i++) {
        struct tally_mark mark = {.rule = i < 3 ? 0 : 1, .host = SLICE("h")};
        tally_finding(&tally, &mark);
    }
    tally_finish(&tally);
    assert_int_equal(tally.by_level[LEVEL_HIGH], 3);
    assert_int_equal(tally.by_level[LEVEL_LOW], 2);
    assert_int_equal(tally.untimed, 5);
    assert_int_equal(tally.tactic_count, 2);
    assert_true(slice_equal(tally.tactics[0].name, SLICE("lateral-movement")));
    assert_int_equal(tally.tactics[0].findings, 5);
    assert_true(slice_equal(tally.tactics[1].name, SLICE("impact")));
    assert_int_equal(tally.tactics[1].findings, 2);
    tally_fini(&tally);
}

static void hosts_past_the_limit_are_others(void **state)
{
    (void)state;
    struct tally tally;
    char name[32];
    assert_int_equal(tally_init(&tally, &set), OK);
    for (int i = 0; i < TALLY_HOSTS; i++) {
        snprintf(name, sizeof name, "host-%d", i);
        struct tally_mark mark = {.host = slice_text(name)};
        tally_finding(&tally, &mark);
    }
    assert_int_equal(tally.host_count, TALLY_HOSTS);
    assert_int_equal(tally.other_hosts, 0);
    struct tally_mark known = {.host = SLICE("host-7")}, new = {.host = SLICE("one more")};
    tally_finding(&tally, &known);
    tally_finding(&tally, &new);
    assert_int_equal(tally.host_count, TALLY_HOSTS);
    assert_int_equal(tally.other_hosts, 1);
    tally_fini(&tally);
}

static void the_line_counts_every_time_in_its_bucket_whatever_the_order(void **state)
{
    (void)state;
    enum { TIMES = 400, ROUNDS = 200 };
    srand(7);
    for (int round = 0; round < ROUNDS; round++) {
        static int64_t times[TIMES];
        struct tally one, other;
        int64_t span = (int64_t)1 << (rand() % 60);
        assert_int_equal(tally_init(&one, &set), OK);
        assert_int_equal(tally_init(&other, &set), OK);
        for (int i = 0; i < TIMES; i++) {
            times[i] = (((int64_t)rand() << 31) ^ rand()) % span * (rand() % 2 ? 1 : -1);
            tally_finding(&one, &(struct tally_mark){.timed = true, .time_ns = times[i]});
        }
        for (int i = TIMES - 1; i >= 0; i--) {
            tally_finding(&other, &(struct tally_mark){.timed = true, .time_ns = times[i]});
        }
        assert_int_equal(one.line.first_ns, other.line.first_ns);
        assert_int_equal(one.line.last_ns, other.line.last_ns);
        /* Each bucket holds just the times within it. */
        const struct tally_line *line = &one.line;
        uint64_t sum = 0;
        for (int b = 0; b < TALLY_BUCKETS; b++) {
            long double from = (long double)(line->start_s + b * line->width_s) * 1e9L;
            long double to = from + (long double)line->width_s * 1e9L;
            uint64_t within = 0;
            for (int i = 0; i < TIMES; i++) {
                within += (long double)times[i] >= from && (long double)times[i] < to;
            }
            assert_int_equal(line->counts[b], within);
            sum += within;
        }
        assert_int_equal(sum, TIMES);
        tally_fini(&one);
        tally_fini(&other);
    }
}

static void the_ends_of_time_are_times(void **state)
{
    (void)state;
    struct tally tally;
    assert_int_equal(tally_init(&tally, &set), OK);
    tally_finding(&tally, &(struct tally_mark){.timed = true, .time_ns = INT64_MAX});
    tally_finding(&tally, &(struct tally_mark){.timed = true, .time_ns = INT64_MIN});
    tally_finding(&tally, &(struct tally_mark){.timed = true, .time_ns = 0});
    uint64_t sum = 0;
    for (int b = 0; b < TALLY_BUCKETS; b++) {
        sum += tally.line.counts[b];
    }
    assert_int_equal(sum, 3);
    tally_fini(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(tactics_are_counted_once_for_each_finding),
            cmocka_unit_test(hosts_past_the_limit_are_others),
            cmocka_unit_test(the_line_counts_every_time_in_its_bucket_whatever_the_order),
            cmocka_unit_test(the_ends_of_time_are_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
