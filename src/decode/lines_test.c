/* Lines: each is one record however the stream comes in pieces; blank ones and none; a line over
 * the limit is rejected by name and costs no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "decode/lines.h"

/* Cuts a stream that arrives `piece` bytes at a time; each record with its ordinal, and `!` for a
 * rejected one. */
static void read_stream(struct slice stream, size_t piece, size_t limit, struct buf *out)
{
    struct cutter c = {.limits = {.record_bytes = limit}};
    size_t start = 0, end = 0;
    uint64_t ordinal = 0;
    bool last = false;
    while (!last || start < end) {
        struct cut cut;
        struct diag diag = {0};
        struct slice bytes = slice_of(stream.at + start, end - start);
        assert_int_equal(lines_cut(&c, bytes, last, &cut, &diag), OK);
        for (uint64_t i = 0; i < cut.rejected; i++) {
            buf_format(out, "%d! %s\n", (int)++ordinal, diag.words);
        }
        struct slice block = slice_of(bytes.at + cut.skip, cut.size), line;
        size_t at = 0;
        uint64_t before = ordinal;
        while (lines_next(block, &at, &line)) {
            enum err e = lines_check(line, &c.limits, &diag);
            buf_format(out, "%d%s ", (int)++ordinal, e == OK ? "" : "!");
            buf_add(out, e == OK ? line : slice_text(diag.words));
            buf_byte(out, '\n');
        }
        assert_int_equal(ordinal - before, cut.records);
        start += cut.skip + cut.size;
        if (cut.skip + cut.size == 0) {
            assert_false(last && start < end);
            end = stream.size - end < piece ? stream.size : end + piece;
            last = end == stream.size;
        }
    }
}

static void expect(struct slice stream, size_t limit, const char *expected)
{
    for (size_t piece = 1; piece <= stream.size + 1; piece++) {
        struct buf out = {0};
        read_stream(stream, piece, limit, &out);
        buf_byte(&out, '\0');
        assert_string_equal(out.at, expected);
        buf_fini(&out);
    }
}

static void every_line_is_a_record_but_blank_ones(void **state)
{
    (void)state;
    expect(SLICE("a\nb\r\n\n \t\r\n c \n\xEF\xBB\xBF"), 100, "1 a\n2 b\n3  c \n4 \xEF\xBB\xBF\n");
    expect(SLICE("\xEF\xBB\xBF"
                 "a\nb"),
            100, "1 a\n2 b\n");
    expect(SLICE("a\0b\n\xFF\n"), 100, "1 a\0");
    expect(SLICE(""), 100, "");
    expect(SLICE("\n\n"), 100, "");
}

static void a_line_over_the_limit_is_rejected_alone(void **state)
{
    (void)state;
    expect(SLICE("abcd\nabcde\nx\n"), 4, "1 abcd\n2! record longer than 4 bytes\n3 x\n");
    expect(SLICE("abcd\r\nabcde\r\nx"), 4, "1 abcd\n2! record longer than 4 bytes\n3 x\n");
    expect(SLICE("a\nabcdefghijk"), 4, "1 a\n2! record longer than 4 bytes\n");
    expect(SLICE("          \nb\n"), 4, "1 b\n");
}

static bool begins_with_a(struct slice line)
{
    return line.at[0] == 'a';
}

static void the_share_counts_whole_lines(void **state)
{
    (void)state;
    assert_int_equal(lines_share(SLICE("a\nab\n\nb\nx\n"), true, begins_with_a), 50);
    assert_int_equal(lines_share(SLICE("a\nx"), false, begins_with_a), 100);
    assert_int_equal(lines_share(SLICE("a\nx"), true, begins_with_a), 50);
    assert_int_equal(lines_share(SLICE("x"), false, begins_with_a), 0);
    assert_int_equal(lines_share(SLICE("a"), false, begins_with_a), 100);
    assert_int_equal(lines_share(SLICE("\xEF\xBB\xBF"
                                       "a"),
                             false, begins_with_a),
            100);
    assert_int_equal(lines_share(SLICE(""), true, begins_with_a), 0);
    char many[2 * LINES_SURVEYED + 2];
    for (size_t i = 0; i < sizeof many; i += 2) {
        memcpy(many + i, i < sizeof many - 2 ? "a\n" : "b\n", 2);
    }
    assert_int_equal(lines_share(slice_of(many, sizeof many), true, begins_with_a), 100);
    assert_int_equal(lines_share(slice_of(many + 2, sizeof many - 2), true, begins_with_a), 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_line_is_a_record_but_blank_ones),
            cmocka_unit_test(a_line_over_the_limit_is_rejected_alone),
            cmocka_unit_test(the_share_counts_whole_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
