/* Times of syslog: the forms that are known and those that are none, and the year that is not
 * written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "decode/syslog_time.h"

/* The file was last written at `written`; "" when there is no time. */
static void expect(const char *text, const char *written, const char *expected, size_t size)
{
    struct syslog_clock clock = {.written_ns = INT64_MIN};
    struct syslog_time t;
    char got[SYSLOG_TIME_TEXT + 64] = "";
    if (*written) {
        assert_true(time_parse(slice_text(written), &clock.written_ns));
    }
    assert_int_equal(syslog_time_read(slice_text(text), &t), size);
    for (int again = 0; again < 2; again++) { /* the second one is remembered */
        struct slice iso = syslog_time_text(&clock, &t);
        assert_true(iso.size < sizeof got);
        memcpy(got, iso.at ? iso.at : "", iso.size);
        got[iso.size] = '\0';
        assert_string_equal(got, expected);
    }
}

static void each_form_is_read_to_its_end(void **state)
{
    static const struct {
        const char *text, *expected;
        size_t size;
    } cases[] = {
            {"Nov 22 16:02:33 host", "2023-11-22T16:02:33Z", 15},
            {"Nov  2 16:02:33 host", "2023-11-02T16:02:33Z", 15},
            {"Nov 2 16:02:33 host", "2023-11-02T16:02:33Z", 14},
            {"Nov 02 16:02:33", "2023-11-02T16:02:33Z", 15},
            {"nov 22 16:02:33.5 host", "2023-11-22T16:02:33.500Z", 17},
            {"Nov 22 16:02:33,123456 h", "2023-11-22T16:02:33.123456Z", 22},
            {"Nov 22 16:02:33.1234567891 h", "2023-11-22T16:02:33.123456789Z", 26},
            {"Nov 22 16:02:33 CET: %A", "2023-11-22T16:02:33+01:00", 20},
            {"Nov 22 16:02:33 -0330 h", "2023-11-22T16:02:33-03:30", 21},
            {"Nov 22 16:02:33 CETI h", "2023-11-22T16:02:33Z", 15},
            {"Nov 22 16:02:33 2020 h", "2020-11-22T16:02:33Z", 20},
            {"Nov 22 16:02:33 2020.example h", "2023-11-22T16:02:33Z", 15},
            {"Nov 22 2020 16:02:33: %ASA", "2020-11-22T16:02:33Z", 21},
            {"Nov 22, 2020 16:02:33 h", "2020-11-22T16:02:33Z", 21},
            {"Sun Nov 22 16:02:33 UTC 2020 h", "2020-11-22T16:02:33Z", 28},
            {"2020 Nov 22 16:02:33 h", "2020-11-22T16:02:33Z", 20},
            {"2020-11-22T16:02:33.1Z h", "2020-11-22T16:02:33.1Z", 22},
            {"2020-11-22T16:02:33+01:00 h", "2020-11-22T16:02:33+01:00", 25},
            {"2020-11-22 16:02:33,123 h", "2020-11-22T16:02:33.123Z", 23},
            {"2020/11/22 16:02:33 h", "2020-11-22T16:02:33Z", 19},
            {"22 Nov 2020 16:02:33 h", "2020-11-22T16:02:33Z", 20},
            {"22/Nov/2020:16:02:33 +0100 h", "2020-11-22T16:02:33+01:00", 26},
            {"11/22/2020:16:02:33 GMT h", "2020-11-22T16:02:33Z", 23},
            {"1606060953.123 h", "1606060953.123", 14},
            {"Feb 29 16:02:33 h", "2020-02-29T16:02:33Z", 15}, /* 2024-02-29 is not written yet */
            {"Feb 30 16:02:33 h", "", 15},
            {"Nov 22 16:02:60 h", "2023-11-22T16:02:60Z", 15},
            {"Nov 22 16:02:61 h", "", 0},
            {"Nov 22 24:02:33 h", "", 0},
            {"Nov 22 16:60:33 h", "", 0},
            {"Nov 0 16:02:33 h", "", 0},
            {"Nov 32 16:02:33 h", "", 0},
            {"Nox 22 16:02:33 h", "", 0},
            {"Nov 22 16:02:3x h", "", 0},
            {"Nov 22 16:02:33x h", "", 0},
            {"Nov 22 16:02", "", 0},
            {"2020-13-22T16:02:33Z h", "", 0},
            {"2020-11-22T16:02:33+1 h", "", 0},
            {"160606095.123 h yy", "", 0},
            {"", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect(cases[i].text, "2024-01-15T00:00:00Z", cases[i].expected, cases[i].size);
    }
}

static void the_year_is_the_latest_that_the_file_allows(void **state)
{
    (void)state;
    expect("Mar  1 12:00:00 h", "2024-03-01T12:00:00Z", "2024-03-01T12:00:00Z", 15);
    /* A day of doubt about clocks: N and N + 1. */
    expect("Mar  2 12:00:00 h", "2024-03-01T12:00:00Z", "2024-03-02T12:00:00Z", 15);
    expect("Mar  2 12:00:01 h", "2024-03-01T12:00:00Z", "2023-03-02T12:00:01Z", 15);
    expect("Dec 31 23:59:59 h", "2024-01-01T00:00:00Z", "2023-12-31T23:59:59Z", 15);
    expect("Jan  1 00:00:00 h", "2023-12-31T23:59:59Z", "2024-01-01T00:00:00Z", 15);
    expect("Feb 29 00:00:00 h", "1904-03-01T00:00:00Z", "", 15);
    expect("Feb 29 00:00:00 h", "2107-03-01T00:00:00Z", "2104-02-29T00:00:00Z", 15);
    expect("Feb 29 00:00:00 h", "2103-03-01T00:00:00Z", "2096-02-29T00:00:00Z", 15);
    expect("Mar  1 12:00:00 h", "2262-04-11T23:47:16Z", "", 15);
    expect("Mar  1 12:00:00 h", "", "", 15);
}

static void a_year_and_a_zone_that_are_given_hold(void **state)
{
    struct syslog_clock clock = {.written_ns = 0, .year = 2021, .east = -5 * 3600};
    struct syslog_time t;
    (void)state;
    assert_int_equal(syslog_time_read(SLICE("Mar  1 12:00:00 h"), &t), 15);
    assert_true(slice_equal(syslog_time_text(&clock, &t), SLICE("2021-03-01T12:00:00-05:00")));
    assert_int_equal(syslog_time_read(SLICE("Mar  1 12:00:00 UTC h"), &t), 19);
    assert_true(slice_equal(syslog_time_text(&clock, &t), SLICE("2021-03-01T12:00:00Z")));
    assert_int_equal(syslog_time_read(SLICE("2020-03-01 12:00:00 h"), &t), 19);
    assert_true(slice_equal(syslog_time_text(&clock, &t), SLICE("2020-03-01T12:00:00-05:00")));
    assert_int_equal(syslog_time_read(SLICE("Feb 29 12:00:00 h"), &t), 15);
    assert_int_equal(syslog_time_text(&clock, &t).size, 0);
}

static void zones_have_names_and_numbers(void **state)
{
    static const struct {
        const char *name;
        int32_t east; /* INT32_MIN: none */
    } cases[] = {{"UTC", 0}, {"Z", 0}, {"CEST", 7200}, {"EST", -18000}, {"+02:00", 7200},
            {"-0330", -12600}, {"+02", 7200}, {"+23:59", 86340}, {"+24:00", INT32_MIN},
            {"+02:60", INT32_MIN}, {"+02:", INT32_MIN}, {"+2", INT32_MIN}, {"02:00", INT32_MIN},
            {"+02:000", INT32_MIN}, {"", INT32_MIN}, {"utc", INT32_MIN}, {"XYZ", INT32_MIN}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t east = INT32_MIN;
        bool found = syslog_time_zone(slice_text(cases[i].name), &east);
        assert_int_equal(found, cases[i].east != INT32_MIN);
        assert_int_equal(east, cases[i].east);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_form_is_read_to_its_end),
            cmocka_unit_test(the_year_is_the_latest_that_the_file_allows),
            cmocka_unit_test(a_year_and_a_zone_that_are_given_hold),
            cmocka_unit_test(zones_have_names_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
