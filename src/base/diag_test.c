#include "base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/slice.h"

static void test_it_returns_the_error_and_keeps_words_and_place(void **state)
{
    (void)state;
    struct diag diag = {0};
    assert_int_equal(diag_set(&diag, ERR_LIMIT, 3, 4, "over %d", 5), ERR_LIMIT);
    assert_string_equal(diag.words, "over 5");
    assert_int_equal(diag.line, 3);
    assert_int_equal(diag.column, 4);
    assert_int_equal(diag_say(&diag, ERR_IO, "in %s", diag.words), ERR_IO);
    assert_string_equal(diag.words, "in over 5");
    assert_int_equal(diag.line, 0);
    assert_int_equal(diag_say(NULL, ERR_END, "x"), ERR_END);
    assert_int_equal(diag_set(NULL, ERR_END, 1, 1, "x"), ERR_END);
}

static void test_nothing_in_it_steers_a_terminal(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
            {"a\x1b[31mb\n\x7f", "a?[31mb??"},
            {"\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac"},
            {"\xc2\x9b"
             "31m",
                    "??31m"},
            {"\xff\xe2\x82", "???"},
            {"\xc2\xa0", "\xc2\xa0"},
    };
    struct diag diag;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        diag_say(&diag, ERR_SYNTAX, "%s", rows[i][0]);
        assert_string_equal(diag.words, rows[i][1]);
    }
}

static void test_words_are_cut_at_the_limit_between_characters(void **state)
{
    (void)state;
    char text[DIAG_WORDS + 10];
    memset(text, 'x', sizeof text);
    text[DIAG_WORDS - 1] = 0;
    struct diag diag;
    diag_say(&diag, ERR_SYNTAX, "%s", text);
    assert_string_equal(diag.words, text);
    memcpy(text + DIAG_WORDS - 3, "\xe2\x82\xac", 4);
    diag_say(&diag, ERR_SYNTAX, "%s", text);
    assert_int_equal(strlen(diag.words), DIAG_WORDS - 1);
    assert_string_equal(diag.words + DIAG_WORDS - 4, "x??");
}

static void test_every_error_has_a_name(void **state)
{
    (void)state;
    for (int e = OK; e <= ERR_USAGE; e++) {
        assert_non_null(err_name((enum err)e));
        assert_true(strlen(err_name((enum err)e)) > 1);
    }
    assert_non_null(err_name((enum err)99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_it_returns_the_error_and_keeps_words_and_place),
            cmocka_unit_test(test_nothing_in_it_steers_a_terminal),
            cmocka_unit_test(test_words_are_cut_at_the_limit_between_characters),
            cmocka_unit_test(test_every_error_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
