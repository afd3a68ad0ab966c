#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/visible.h"

static void shows(const char *text, size_t size, size_t columns, const char *expected)
{
    struct buf out = {0};
    size_t used = visible_add(&out, slice_of(text, size), columns);
    if (!slice_equal(buf_slice(&out), slice_text(expected))) {
        fail_msg("'%.*s' instead of '%s'", SLICE_ARG(buf_slice(&out)), expected);
    }
    if (columns != VISIBLE_ANY) {
        assert_true(used <= columns);
    }
    buf_fini(&out);
}

static void what_steers_a_terminal_is_written_out(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *shown;
    } cases[] = {
            {"plain text", 10, "plain text"},
            {"\x1b[31m", 5, "\\x1B[31m"},
            {"a\nb\rc\td", 7, "a\\x0Ab\\x0Dc\\x09d"},
            {"\0", 1, "\\x00"},
            {"\x7f", 1, "\\x7F"},
            {"\xc2\x9b"
             "31m",
                    5, "\\u{9B}31m"}, /* C1: CSI */
            {"\xe2\x80\xae"
             "gpj.exe",
                    10, "\\u{202E}gpj.exe"}, /* right-to-left override */
            {"\xe2\x81\xa6", 3, "\\u{2066}"},
            {"\xe2\x80\x8b", 3, "\\u{200B}"},
            {"\xff\xfe", 2, "\\xFF\\xFE"},
            {"\xc3", 1, "\\xC3"},
            {"\xed\xa0\x80", 3, "\\xED\\xA0\\x80"}, /* a surrogate is not UTF-8 */
            {"\xc3\xa9", 2, "\xc3\xa9"},
            {"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81", 9, "e\xcc\x81\xcc\x81\xcc\x81\\u{301}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shows(cases[i].text, cases[i].size, VISIBLE_ANY, cases[i].shown);
    }
}

static void a_text_is_cut_to_its_columns(void **state)
{
    (void)state;
    shows("abcdef", 6, 6, "abcdef");
    shows("abcdefg", 7, 6, "abcde\xe2\x80\xa6");
    shows("abc", 3, 1, "\xe2\x80\xa6");
    shows("abc", 3, 0, "");
    /* Two columns each. */
    shows("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 9, 6, "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2");
    shows("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 9, 5, "\xe6\xbc\xa2\xe5\xad\x97\xe2\x80\xa6");
    shows("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 9, 4, "\xe6\xbc\xa2\xe2\x80\xa6");
    /* An escape is never cut in two. */
    shows("ab\x1b"
          "c",
            4, 5, "ab\xe2\x80\xa6");
    shows("ab\x1b", 3, 6, "ab\\x1B");
}

static void no_byte_of_any_text_steers(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            char text[4] = {(char)a, (char)b, 'x', (char)a};
            struct buf out = {0};
            visible_add(&out, slice_of(text, 4), VISIBLE_ANY);
            for (size_t i = 0; i < out.size; i++) {
                unsigned char c = (unsigned char)out.at[i];
                assert_true(c >= 0x20 && c != 0x7f);
            }
            assert_int_equal(visible_width(slice_of(text, 4)) > 0, 1);
            buf_fini(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_steers_a_terminal_is_written_out),
            cmocka_unit_test(a_text_is_cut_to_its_columns),
            cmocka_unit_test(no_byte_of_any_text_steers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
