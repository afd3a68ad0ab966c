
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fold.h"
#include "base/utf8.h"

static void assert_fold(struct slice text, struct slice want)
{
    char to[256];
    assert_true(text.size * 2 <= sizeof to);
    size_t size = fold_text(text, to);
    assert_int_equal(size, want.size);
    assert_int_equal(memcmp(to, want.at, size), 0);
}

static void letters_fold_one_to_one(void **state)
{
    (void)state;
    static const uint32_t cases[][2] = {{'A', 'a'}, {'Z', 'z'}, {'@', '@'}, {'[', '['}, {'`', '`'},
            {'a', 'a'}, {0x212A, 'k'},      /* KELVIN SIGN */
            {0x017F, 's'},                  /* long s */
            {0xDF, 0xDF},                   /* sharp s has only a full fold */
            {0x1E9E, 0xDF},                 /* capital sharp s */
            {0x130, 0x130},                 /* dotted I: full and Turkic folds only */
            {0x131, 0x131}, {0x3C2, 0x3C3}, /* final sigma */
            {0x3A3, 0x3C3}, {0xB5, 0x3BC}, {0x416, 0x436}, {0x4C0, 0x4CF}, {0x13A0, 0x13A0},
            {0xAB70, 0x13A0}, /* Cherokee folds to capitals */
            {0x1F88, 0x1F80}, {0x23A, 0x2C65}, {0x10400, 0x10428}, {0x1E943, 0x1E943},
            {0xFB05, 0xFB06}, {0x100, 0x101}, {0x101, 0x101}, {0x10FFFF, 0x10FFFF}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(fold_code(cases[i][0]), cases[i][1]);
    }
}

static void folding_twice_changes_nothing(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code++) {
        assert_int_equal(fold_code(fold_code(code)), fold_code(code));
    }
}

static void a_text_never_grows_past_twice(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code++) {
        if (code >= 0xD800 && code < 0xE000) {
            continue;
        }
        char from[4], to[8];
        size_t size = utf8_encode(code, from);
        assert_true(fold_text(slice_of(from, size), to) <= 2 * size);
    }
}

static void texts_fold_wherever_the_words_lie(void **state)
{
    (void)state;
    assert_fold(SLICE(""), SLICE(""));
    assert_fold(SLICE("C:\\Windows\\System32\\CMD.EXE"), SLICE("c:\\windows\\system32\\cmd.exe"));
    assert_fold(SLICE("ABCDEFGHIJKLMNOPQRSTUVWXYZ[@`{"), SLICE("abcdefghijklmnopqrstuvwxyz[@`{"));
    assert_fold(SLICE("@AZ[`az{\x7F\x01 09_~]"), SLICE("@az[`az{\x7F\x01 09_~]"));
    assert_fold(SLICE("1234567\xC3\x84"
                      "BCDEFGHIJ"),
            SLICE("1234567\xC3\xA4"
                  "bcdefghij"));
    assert_fold(SLICE("\xE2\x84\xAA"
                      "ELVIN"),
            SLICE("kelvin"));
}

static void bytes_that_are_not_utf8_stay(void **state)
{
    (void)state;
    assert_fold(SLICE("A\xFF\xC3"
                      "B\xE2\x84"),
            SLICE("a\xFF\xC3"
                  "b\xE2\x84"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(letters_fold_one_to_one),
            cmocka_unit_test(folding_twice_changes_nothing),
            cmocka_unit_test(a_text_never_grows_past_twice),
            cmocka_unit_test(texts_fold_wherever_the_words_lie),
            cmocka_unit_test(bytes_that_are_not_utf8_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
