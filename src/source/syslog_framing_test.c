#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "source/syslog_framing.h"

/* Messages as "[a]", those too long as "{piece}", a cut end as "(rest)". */
static void run(struct syslog_framing f, struct slice stream, size_t first, struct buf *out)
{
    size_t begin = 0, end = first < stream.size ? first : stream.size;
    for (;;) {
        struct syslog_framing_step step;
        struct slice bytes = slice_of(stream.at + begin, end - begin);
        enum syslog_framing_what what = syslog_framing_next(&f, bytes, &step);
        begin += step.used;
        if (what == SYSLOG_FRAMING_MORE) {
            if (end == stream.size) {
                break;
            }
            end = stream.size;
            continue;
        }
        buf_byte(out, what == SYSLOG_FRAMING_MESSAGE ? '[' : '{');
        buf_add(out, step.message);
        buf_byte(out, what == SYSLOG_FRAMING_MESSAGE ? ']' : '}');
    }
    if (syslog_framing_is_cut(slice_from(stream, begin))) {
        buf_byte(out, '(');
        buf_add(out, slice_from(stream, begin));
        buf_byte(out, ')');
    }
}

/* The same at each place where the stream can be cut in two. */
static void expect(size_t record_bytes, struct slice stream, const char *expected)
{
    for (size_t first = 0; first <= stream.size; first++) {
        struct buf out = {0};
        run((struct syslog_framing){.record_bytes = record_bytes}, stream, first, &out);
        buf_byte(&out, '\0');
        assert_false(out.failed);
        assert_string_equal(out.at, expected);
        buf_fini(&out);
    }
}

static void lines_end_with_lf_crlf_or_nul(void **state)
{
    (void)state;
    expect(0, SLICE("<1>a\n<2>b\r\n<3>c\0<4>d\n"), "[<1>a][<2>b][<3>c][<4>d]");
    expect(0, SLICE("\n\r\n\0\n<1>a\n\n"), "[<1>a]");
    expect(0, SLICE("a\rb\n"), "[a\rb]");
}

static void counted_messages_may_hold_anything(void **state)
{
    (void)state;
    expect(0, SLICE("5 <13>a6 <1>b\nc4 <2>\n3 a\nb"), "[<13>a][<1>b\nc][<2>][a\nb]");
}

static void counted_and_lines_may_alternate(void **state)
{
    (void)state;
    expect(0, SLICE("4 <1>a<2>b\n4 <3>c\n4 <4>d"), "[<1>a][<2>b][<3>c][<4>d]");
    expect(0, SLICE("4 <1>a3 {1}3 b\r\n"), "[<1>a][{1}][b]");
}

static void lines_that_begin_with_digits_are_lines(void **state)
{
    (void)state;
    expect(0, SLICE("2026-01-01 x\n12 apples\n0 <1>a\n1234567890 <1>a\n7\n"),
            "[2026-01-01 x][12 apples][0 <1>a][1234567890 <1>a][7]");
}

static void what_ends_within_a_message_is_cut(void **state)
{
    (void)state;
    expect(0, SLICE("<1>a\n<2>b"), "[<1>a](<2>b)");
    expect(0, SLICE("9 <1>a"), "(9 <1>a)");
    expect(0, SLICE("12"), "(12)");
    expect(0, SLICE("<1>a\n\r"), "[<1>a]");
}

static void the_limit_holds_at_n_and_n_plus_1(void **state)
{
    (void)state;
    expect(4, SLICE("<1>a\n<1>b\r\n<1>c\0"), "[<1>a][<1>b][<1>c]");
    expect(4, SLICE("<1>ab\n<2>a\n"), "{<1>a}[<2>a]");
    expect(4, SLICE("<1>ab\r\n<2>a\n"), "{<1>a}[<2>a]");
    expect(4, SLICE("4 <1>a5 <2>bc4 <3>d"), "[<1>a]{<2>bc}[<3>d]");
    expect(4, SLICE("<1>abcdefghijklm\0<2>a\n"), "{<1>a}[<2>a]");
}

static void of_a_too_long_message_the_first_bytes_are_told(void **state)
{
    (void)state;
    struct buf in = {0}, out = {0};
    buf_add(&in, SLICE("100000 <1>"));
    for (size_t i = 3; i < 100000; i++) {
        buf_byte(&in, i == 50000 ? '\n' : 'x');
    }
    buf_add(&in, SLICE("4 <2>b"));
    run((struct syslog_framing){.record_bytes = 99999}, buf_slice(&in), 20000, &out);
    assert_int_equal(out.size, SYSLOG_FRAMING_PIECE + 2 + 6);
    assert_memory_equal(out.at + SYSLOG_FRAMING_PIECE + 2, "[<2>b]", 6);
    buf_clear(&out);
    run((struct syslog_framing){.record_bytes = 100000}, buf_slice(&in), 20000, &out);
    assert_int_equal(out.size, 100000 + 2 + 6);
    buf_fini(&in);
    buf_fini(&out);
}

static void a_message_alone_loses_one_trailer(void **state)
{
    (void)state;
    assert_int_equal(syslog_framing_trim(SLICE("a\n")).size, 1);
    assert_int_equal(syslog_framing_trim(SLICE("a\r\n")).size, 1);
    assert_int_equal(syslog_framing_trim(SLICE("a\n\n")).size, 2);
    assert_int_equal(syslog_framing_trim(SLICE("a\0")).size, 1);
    assert_int_equal(syslog_framing_trim(SLICE("a\r")).size, 2);
    assert_int_equal(syslog_framing_trim(SLICE("\r\n")).size, 0);
    assert_int_equal(syslog_framing_trim(SLICE("")).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(lines_end_with_lf_crlf_or_nul),
            cmocka_unit_test(counted_messages_may_hold_anything),
            cmocka_unit_test(counted_and_lines_may_alternate),
            cmocka_unit_test(lines_that_begin_with_digits_are_lines),
            cmocka_unit_test(what_ends_within_a_message_is_cut),
            cmocka_unit_test(the_limit_holds_at_n_and_n_plus_1),
            cmocka_unit_test(of_a_too_long_message_the_first_bytes_are_told),
            cmocka_unit_test(a_message_alone_loses_one_trailer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
