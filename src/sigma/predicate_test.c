#include "sigma/predicate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sigma/address.h"
#include "sigma/moment.h"

#define S(text)                                                                                    \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static void numbers_are_whole_texts(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        bool is, integer;
        double value;
    } cases[] = {{S("0"), true, true, 0}, {S("-0"), true, true, 0}, {S("007"), true, true, 7},
            {S("-12"), true, true, -12}, {S("1.5"), true, false, 1.5},
            {S("1e3"), true, false, 1000}, {S("-1.5E-1"), true, false, -0.15},
            {S("9223372036854775807"), true, true, 0x1p63},
            {S("9223372036854775808"), true, false, 0x1p63}, {S("1e999"), true, false, 1.0 / 0.0},
            {S(""), false, false, 0}, {S("-"), false, false, 0}, {S("+1"), false, false, 0},
            {S(" 1"), false, false, 0}, {S("1 "), false, false, 0}, {S(".5"), false, false, 0},
            {S("1."), false, false, 0}, {S("1e"), false, false, 0}, {S("0x1"), false, false, 0},
            {S("1,5"), false, false, 0}, {S("inf"), false, false, 0}, {S("nan"), false, false, 0},
            {S("1\0"), false, false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double number = 0;
        bool is_integer = false;
        int64_t integer = 0;
        bool is = predicate_parse_number(cases[i].text, &number, &is_integer, &integer);
        if (is != cases[i].is ||
                (is && (is_integer != cases[i].integer || number != cases[i].value))) {
            fail_msg("'%.*s': %d %d %g", SLICE_ARG(cases[i].text), is, is_integer, number);
        }
    }
}

static void a_number_of_a_thousand_digits_is_the_last(void **state)
{
    (void)state;
    char text[1001];
    double number;
    bool is_integer;
    int64_t integer;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = '1';
    }
    assert_true(predicate_parse_number(slice_of(text, 1000), &number, &is_integer, &integer));
    assert_false(predicate_parse_number(slice_of(text, 1001), &number, &is_integer, &integer));
}

static enum verdict test_number(enum op op, int64_t integer, struct slice text)
{
    struct predicate p = {.op = op, .number = (double)integer, .is_integer = true};
    p.integer = integer;
    return predicate_test_text(&p, text, text, NULL);
}

static void integers_compare_exactly(void **state)
{
    (void)state;
    int64_t large = 9007199254740993; /* 2^53 + 1: no double */
    assert_int_equal(test_number(OP_NUMBER, large, SLICE("9007199254740993")), VERDICT_YES);
    assert_int_equal(test_number(OP_NUMBER, large, SLICE("9007199254740992")), VERDICT_NO);
    assert_int_equal(test_number(OP_GREATER, large, SLICE("9007199254740994")), VERDICT_YES);
    assert_int_equal(test_number(OP_LESS, large, SLICE("9007199254740992")), VERDICT_YES);
    assert_int_equal(test_number(OP_NUMBER, 5, SLICE("5.0")), VERDICT_YES);
    assert_int_equal(test_number(OP_LESS_EQUAL, 5, SLICE("5")), VERDICT_YES);
    assert_int_equal(test_number(OP_LESS, 5, SLICE("5")), VERDICT_NO);
    assert_int_equal(test_number(OP_GREATER_EQUAL, 5, SLICE("4.99")), VERDICT_NO);
    assert_int_equal(test_number(OP_GREATER, 5, SLICE("x")), VERDICT_NO);
    assert_int_equal(test_number(OP_LESS, 5, SLICE("")), VERDICT_NO);
}

static enum verdict test_string(enum op op, bool cased, struct slice want, struct slice text)
{
    struct predicate p = {.op = op, .cased = cased, .text = want};
    return predicate_test_text(&p, text, SLICE("folded"), NULL);
}

static void cased_tests_take_the_text_others_its_fold(void **state)
{
    (void)state;
    assert_int_equal(test_string(OP_EQUAL, true, SLICE("Text"), SLICE("Text")), VERDICT_YES);
    assert_int_equal(test_string(OP_EQUAL, false, SLICE("folded"), SLICE("Text")), VERDICT_YES);
    assert_int_equal(test_string(OP_PREFIX, false, SLICE("fol"), SLICE("Text")), VERDICT_YES);
    assert_int_equal(test_string(OP_PREFIX, true, SLICE("fol"), SLICE("Text")), VERDICT_NO);
    assert_int_equal(test_string(OP_SUFFIX, true, SLICE("xt"), SLICE("Text")), VERDICT_YES);
    assert_int_equal(test_string(OP_SUFFIX, true, SLICE("LongText"), SLICE("Text")), VERDICT_NO);
    assert_int_equal(test_string(OP_CONTAINS, false, SLICE("old"), SLICE("Text")), VERDICT_YES);
    assert_int_equal(test_string(OP_CONTAINS, false, SLICE("x"), SLICE("Text")), VERDICT_NO);
    assert_int_equal(test_string(OP_PATTERN, true, SLICE("T\xFE\xFF"), SLICE("Text")), VERDICT_YES);
    assert_int_equal(test_string(OP_PRESENT, true, SLICE(""), SLICE("Text")), VERDICT_NO);
}

static void networks_hold_their_addresses(void **state)
{
    (void)state;
    static const struct {
        struct slice network, address;
        bool want;
    } cases[] = {{S("10.0.0.0/8"), S("10.255.0.1"), true}, {S("10.0.0.0/8"), S("11.0.0.1"), false},
            {S("192.168.1.64/26"), S("192.168.1.127"), true},
            {S("192.168.1.64/26"), S("192.168.1.128"), false}, {S("0.0.0.0/0"), S("8.8.8.8"), true},
            {S("1.2.3.4"), S("1.2.3.4"), true}, {S("1.2.3.4/32"), S("1.2.3.5"), false},
            {S("10.0.0.0/8"), S("::ffff:10.0.0.1"), false},
            {S("10.0.0.0/8"), S("010.0.0.1"), false}, {S("10.0.0.0/8"), S("10.0.0"), false},
            {S("10.0.0.0/8"), S("10.0.0.1 "), false}, {S("10.0.0.0/8"), S("10.0.0.1\0"), false},
            {S("fe80::/10"), S("fe80::1%eth0"), true}, {S("fe80::/10"), S("fec0::1"), false},
            {S("::1/128"), S("0:0:0:0:0:0:0:1"), true}, {S("::/0"), S("1.2.3.4"), false},
            {S("2001:db8::/33"), S("2001:db8:8000::"), false},
            {S("2001:db8::/33"), S("2001:db8:7fff::"), true}, {S("::/0"), S(""), false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct predicate p = {.op = OP_CIDR};
        assert_true(address_network(cases[i].network, &p.cidr));
        enum verdict v = predicate_test_text(&p, cases[i].address, SLICE(""), NULL);
        if ((v == VERDICT_YES) != cases[i].want) {
            fail_msg("%.*s in %.*s", SLICE_ARG(cases[i].address), SLICE_ARG(cases[i].network));
        }
    }
}

static void what_is_no_network_is_refused(void **state)
{
    (void)state;
    static const struct slice cases[] = {S(""), S("/8"), S("10.0.0.0/"), S("10.0.0.0/33"),
            S("::/129"), S("10.0.0.0/-1"), S("10.0.0.0/+8"), S("10.0.0/8"), S("10.*"),
            S("10.0.0.0/8/8"), S("host/8"), S("10.0.0.0/0008"), S(":::/8")};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cidr network;
        if (address_network(cases[i], &network)) {
            fail_msg("%.*s", SLICE_ARG(cases[i]));
        }
    }
}

static void networks_are_written_canonically(void **state)
{
    (void)state;
    char text[ADDRESS_TEXT];
    struct cidr network;
    assert_true(address_network(SLICE("2001:DB8:0::1/32"), &network));
    assert_true(slice_equal(address_write(&network, text), SLICE("2001:db8::/32")));
    assert_true(address_network(SLICE("10.1.2.3/9"), &network));
    assert_true(slice_equal(address_write(&network, text), SLICE("10.0.0.0/9")));
}

static void times_have_the_parts_that_are_written(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        int minute, hour, day, week, month, year; /* -1: none */
    } cases[] = {{S("2024-07-10T03:45:00Z"), 45, 3, 10, 28, 7, 2024},
            {S("2024-07-10 03:45"), 45, 3, 10, 28, 7, 2024},
            {S("2024-07-10"), -1, -1, 10, 28, 7, 2024},
            {S("2024-07-10T23:45:00.123456789+02:00"), 45, 23, 10, 28, 7, 2024},
            {S("2024-07-10 23:45:00,5 UTC"), 45, 23, 10, 28, 7, 2024},
            {S("2024-07-10t23:45:00-0230"), 45, 23, 10, 28, 7, 2024},
            {S("2021-01-01"), -1, -1, 1, 53, 1, 2021}, {S("2021-01-04"), -1, -1, 4, 1, 1, 2021},
            {S("2024-12-30"), -1, -1, 30, 1, 12, 2024}, {S("2020-12-31"), -1, -1, 31, 53, 12, 2020},
            {S("2023-01-01"), -1, -1, 1, 52, 1, 2023}, {S("2015-01-05"), -1, -1, 5, 2, 1, 2015},
            {S("2015-01-04"), -1, -1, 4, 1, 1, 2015}, {S("2024-02-29"), -1, -1, 29, 9, 2, 2024},
            {S("2023-02-29"), -1, -1, -1, -1, -1, -1}, {S("2024-13-01"), -1, -1, -1, -1, -1, -1},
            {S("2024-00-01"), -1, -1, -1, -1, -1, -1},
            {S("2024-07-10T24:00"), -1, -1, -1, -1, -1, -1},
            {S("2024-07-10T03:60"), -1, -1, -1, -1, -1, -1},
            {S("2024-07-10T03:45:00 x"), -1, -1, -1, -1, -1, -1},
            {S("2024-07-10T03:45:00+02x"), -1, -1, -1, -1, -1, -1},
            {S("2024-07-10T03:45:00+0260"), -1, -1, -1, -1, -1, -1},
            {S("2024-07-10T03:45:00+24"), -1, -1, -1, -1, -1, -1},
            {S("2024-07-10T03"), -1, -1, -1, -1, -1, -1}, {S("24-07-10"), -1, -1, -1, -1, -1, -1},
            {S("1720583100"), -1, -1, -1, -1, -1, -1}, {S(""), -1, -1, -1, -1, -1, -1},
            {S("2024-07-10T03:45:00."), -1, -1, -1, -1, -1, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int want[] = {cases[i].minute, cases[i].hour, cases[i].day, cases[i].week,
                cases[i].month, cases[i].year};
        for (int k = 0; k < 6; k++) {
            int64_t part = -1;
            bool is = moment_part(cases[i].text, (enum op)(OP_MINUTE + k), &part);
            if (is != (want[k] >= 0) || (is && part != want[k])) {
                fail_msg("%.*s: part %d is %d", SLICE_ARG(cases[i].text), k, (int)part);
            }
        }
    }
}

static void a_time_matches_by_its_part(void **state)
{
    (void)state;
    assert_int_equal(test_number(OP_HOUR, 3, SLICE("2024-07-10T03:45:00Z")), VERDICT_YES);
    assert_int_equal(test_number(OP_HOUR, 4, SLICE("2024-07-10T03:45:00Z")), VERDICT_NO);
    assert_int_equal(test_number(OP_YEAR, 0, SLICE("x")), VERDICT_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(numbers_are_whole_texts),
            cmocka_unit_test(a_number_of_a_thousand_digits_is_the_last),
            cmocka_unit_test(integers_compare_exactly),
            cmocka_unit_test(cased_tests_take_the_text_others_its_fold),
            cmocka_unit_test(networks_hold_their_addresses),
            cmocka_unit_test(what_is_no_network_is_refused),
            cmocka_unit_test(networks_are_written_canonically),
            cmocka_unit_test(times_have_the_parts_that_are_written),
            cmocka_unit_test(a_time_matches_by_its_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
