#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

static void test_times_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
            {"1970-01-01T00:00:00Z", 0},
            {"1970-01-01", 0},
            {"2021-10-20T13:39:12.731904Z", 1634737152731904000},
            {"2021-10-20t13:39:12.731904z", 1634737152731904000},
            {"2021-10-20 13:39:12.731904", 1634737152731904000},
            {"2021/10/20 13:39:12,731904", 1634737152731904000},
            {"  2021-10-20T15:39:12.731904+02:00\n", 1634737152731904000},
            {"2021-10-20T15:39:12.731904 +0200", 1634737152731904000},
            {"2021-10-20T08:09:12.731904-0530", 1634737152731904000},
            {"2021-10-20T15:39:12.731904+02", 1634737152731904000},
            {"2021-10-20T13:39", 1634737140000000000},
            {"2021-10-20T13:39:12.1234567891Z", 1634737152123456789},
            {"2021-10-20T13:39:12.7Z", 1634737152700000000},
            {"20/Oct/2021:15:39:12 +0200", 1634737152000000000},
            {"20/OCT/2021:13:39:12", 1634737152000000000},
            {"1634737152", 1634737152000000000},
            {"1634737152.731904", 1634737152731904000},
            {"1634737152731", 1634737152731000000},
            {"1634737152731.904", 1634737152731904000},
            {"1634737152731904", 1634737152731904000},
            {"1634737152731904000", 1634737152731904000},
            {"0", 0},
            {"-1.5", -1500000000},
            {"100000000000", 100000000000000000},
            {"2000-02-29T00:00:00Z", 951782400000000000},
            {"2016-12-31T23:59:60Z", 1483228800000000000},
            {"1969-12-31T23:59:59.999999999Z", -1},
            {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
            {"1677-09-21T00:12:43.145224192Z", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ns = 7;
        bool ok = time_parse(slice_text(rows[i].text), &ns);
        if (!ok || ns != rows[i].ns) {
            fail_msg("%s: %d %lld", rows[i].text, ok, (long long)ns);
        }
    }
}

static void test_what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"", " ", "x", "2021-10", "2021-10-2", "2021-13-01",
            "2021-00-01", "2021-02-29", "1900-02-29", "2021-04-31", "2021-10-00", "2021-10/20",
            "2021-10-20T", "2021-10-20T1", "2021-10-20T24:00:00", "2021-10-20T13:60:00",
            "2021-10-20T13:39:61", "2021-10-20T13:39:12.", "2021-10-20T13:39:12.Z",
            "2021-10-20T13:39:12+2", "2021-10-20T13:39:12+24:00", "2021-10-20T13:39:12+02:60",
            "2021-10-20T13:39:12+02:", "2021-10-20T13:39:12Zx", "2021-10-20x13:39:12",
            "2021-10-20T13:39:12Z+01:00", "20/Okt/2021:13:39:12", "20/Oct/2021 13:39:12",
            "2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43.145224191Z",
            "9999-12-31T23:59:59Z", "-", "-x", "1.", ".5", "1e9", "0x10", "12 34",
            "99999999999" /* seconds: the year 5138 */, "99999999999999999999",
            "9223372036854775808", "2021-10-20T-1:00:00"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ns = 7;
        if (time_parse(slice_text(rows[i]), &ns) || ns != 7) {
            fail_msg("'%s' is read as %lld", rows[i], (long long)ns);
        }
    }
    int64_t ns = 7;
    assert_false(time_parse(slice_of("2021-10-20\0", 11), &ns));
}

static void expect_text(int64_t ns, const char *text)
{
    struct buf out = {0};
    time_format(&out, ns);
    buf_byte(&out, 0);
    assert_string_equal(out.at, text);
    buf_fini(&out);
}

static void test_times_are_written_as_short_as_exact(void **state)
{
    (void)state;
    expect_text(0, "1970-01-01T00:00:00Z");
    expect_text(1634737152731904000, "2021-10-20T13:39:12.731904Z");
    expect_text(1634737152700000000, "2021-10-20T13:39:12.700Z");
    expect_text(1634737152000000001, "2021-10-20T13:39:12.000000001Z");
    expect_text(-1, "1969-12-31T23:59:59.999999999Z");
    expect_text(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
    expect_text(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
}

static void test_every_day_agrees_with_libc_both_ways(void **state)
{
    (void)state;
    struct buf out = {0};
    for (int64_t day = -106751; day <= 106751; day++) {
        time_t seconds = (time_t)(day * 86400 + (day * 7919 % 86400 + 86400) % 86400);
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        char text[40];
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        buf_clear(&out);
        time_format(&out, (int64_t)seconds * TIME_SECOND);
        if (!slice_equal(buf_slice(&out), slice_text(text))) {
            fail_msg("%.*s is not %s", SLICE_ARG(buf_slice(&out)), text);
        }
        int64_t ns = 0;
        assert_true(time_parse(slice_text(text), &ns));
        assert_int_equal(ns, (int64_t)seconds * TIME_SECOND);
    }
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_times_are_read),
            cmocka_unit_test(test_what_is_no_time_is_refused),
            cmocka_unit_test(test_times_are_written_as_short_as_exact),
            cmocka_unit_test(test_every_day_agrees_with_libc_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
