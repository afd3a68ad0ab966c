#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_every_code_point_comes_back(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char bytes[4];
        size_t n = utf8_encode(code, bytes);
        size_t size = 0;
        bool surrogate = code >= 0xD800 && code < 0xE000;
        if (utf8_sequence(bytes, n) != n ||
                utf8_decode(bytes, &size) != (surrogate ? 0xFFFD : code) || size != n) {
            fail_msg("U+%04X", code);
        }
        for (size_t cut = 0; cut < n; cut++) {
            if (utf8_sequence(bytes, cut) != 0) {
                fail_msg("U+%04X cut to %zu", code, cut);
            }
        }
    }
    char bytes[4];
    assert_int_equal(utf8_encode(0x110000, bytes), 3);
    assert_memory_equal(bytes, "\xef\xbf\xbd", 3);
}

static void test_what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41",
            "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82",
            "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
            "\xfe", "\xf0\x9f\x98", "\xe2\x28\xa1", "\xf0\x28\x8c\xbc"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64] = "0123456789abcdef";
        struct slice bad = slice_text(rows[i]);
        assert_int_equal(utf8_sequence(bad.at, bad.size), 0);
        for (size_t at = 0; at < 16; at++) {
            memset(text, 'x', sizeof text);
            memcpy(text + at, bad.at, bad.size);
            assert_int_equal(utf8_valid_prefix(slice_of(text, sizeof text)), at);
            assert_false(utf8_valid(slice_of(text, sizeof text)));
        }
    }
    assert_true(utf8_valid(SLICE("")));
    assert_true(utf8_valid(SLICE("\0")));
    assert_true(utf8_valid((struct slice){0}));
}

static void test_utf16_becomes_utf8(void **state)
{
    (void)state;
    static const struct {
        struct slice from;
        const char *to;
    } rows[] = {
            {{"", 0}, ""},
            {{"a\0b\0", 4}, "ab"},
            {{"\xe4\0\xac\x20", 4}, "\xc3\xa4\xe2\x82\xac"},
            {{"\x3d\xd8\x00\xde", 4}, "\xf0\x9f\x98\x80"},
            {{"\x3d\xd8", 2}, "\xef\xbf\xbd"},
            {{"\x3d\xd8"
              "a\0",
                     4},
                    "\xef\xbf\xbd"
                    "a"},
            {{"\x00\xde"
              "a\0",
                     4},
                    "\xef\xbf\xbd"
                    "a"},
            {{"\x3d\xd8\x3d\xd8\x00\xde", 6}, "\xef\xbf\xbd\xf0\x9f\x98\x80"},
            {{"a\0b", 3}, "a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char to[64];
        size_t n = utf8_from_utf16(rows[i].from, to);
        assert_int_equal(n, strlen(rows[i].to));
        assert_memory_equal(to, rows[i].to, n);
        assert_true(n <= rows[i].from.size / 2 * 3);
    }
}

static void test_utf16_ends_at_its_first_nul_wherever_it_is(void **unused)
{
    (void)unused;
    char bytes[96 + 16];
    for (size_t nul = 0; nul <= 96; nul += 2) {
        memset(bytes, 'a', sizeof bytes);
        if (nul < 96) {
            bytes[nul] = 0;
            bytes[nul + 1] = 0;
        }
        for (size_t size = 0; size <= 96; size++) {
            size_t expected = nul < size ? nul : size;
            expected &= ~(size_t)1;
            assert_int_equal(utf8_until_nul(slice_of(bytes, size)).size, expected);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_every_code_point_comes_back),
            cmocka_unit_test(test_what_is_not_utf8_is_refused),
            cmocka_unit_test(test_utf16_becomes_utf8),
            cmocka_unit_test(test_utf16_ends_at_its_first_nul_wherever_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
