#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cli/option.h"

static const struct option_row rows[] = {{"jobs", 'j', "N", "threads"},
        {"quiet", 'q', NULL, "no noise"}, {"output", 'o', "HOW", ""}, {0}};

/* Words as the scan gives them, "jobs=4 quiet @file": '@' is an argument, '!' what is wrong. */
static void gives(char *const *argv, int argc, const char *expected)
{
    struct option_scan scan = {.rows = rows, .argc = argc, .argv = argv};
    char out[512] = "";
    const char *value;
    struct diag diag = {0};
    int i;
    while ((i = option_next(&scan, &value, &diag)) != OPTION_END) {
        size_t at = strlen(out);
        if (i == OPTION_WRONG) {
            snprintf(out + at, sizeof out - at, "!%s", diag.words);
            break;
        }
        if (i == OPTION_ARGUMENT) {
            snprintf(out + at, sizeof out - at, "@%s ", value);
        } else {
            snprintf(out + at, sizeof out - at, "%s%s%s ", rows[i].name, value ? "=" : "",
                    value ? value : "");
        }
    }
    assert_string_equal(out, expected);
}
#define GIVES(expected, ...)                                                                       \
    gives((char *[]){__VA_ARGS__}, (int)(sizeof(char *[]){__VA_ARGS__} / sizeof(char *)), expected)

static void the_ways_to_write_an_option_are_the_same(void **state)
{
    (void)state;
    GIVES("jobs=4 ", "--jobs=4");
    GIVES("jobs=4 ", "--jobs", "4");
    GIVES("jobs=4 ", "-j4");
    GIVES("jobs=4 ", "-j", "4");
    GIVES("quiet quiet ", "-q", "--quiet");
    GIVES("output= @a ", "--output=", "a");
    GIVES("jobs=-q ", "-j", "-q");
}

static void arguments_stand_anywhere(void **state)
{
    (void)state;
    GIVES("@a quiet @b ", "a", "-q", "b");
    GIVES("@- @-- @-q ", "-", "--", "--", "-q");
    GIVES("@ ", "");
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    GIVES("!unknown option --job; did you mean --jobs?", "--job", "4");
    GIVES("!unknown option --ouptut; did you mean --output?", "--ouptut=json");
    GIVES("!unknown option --nonsense", "--nonsense");
    GIVES("!unknown option -x", "-x");
    GIVES("!--jobs needs a value: N", "--jobs");
    GIVES("!-j needs a value: N", "-j");
    GIVES("!--quiet takes no value", "--quiet=yes");
    GIVES("!-q takes no value: write options apart", "-qj4");
}

static void a_word_of_any_length_is_bounded(void **state)
{
    (void)state;
    char word[5000] = "--";
    memset(word + 2, 'a', sizeof word - 3);
    struct option_scan scan = {.rows = rows, .argc = 1, .argv = (char *[]){word}};
    const char *value;
    struct diag diag = {0};
    assert_int_equal(option_next(&scan, &value, &diag), OPTION_WRONG);
}

static void numbers_are_whole_and_within(void **state)
{
    (void)state;
    long n;
    unsigned long bytes;
    assert_true(option_number("256", 1, 256, &n) && n == 256);
    static const char *const no_numbers[] = {
            "", "257", "0", "-1", "1x", "x", "1.5", "99999999999999999999"};
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
        assert_false(option_number(no_numbers[i], 1, 256, &n));
    }
    assert_true(option_bytes("16M", 1ul << 30, &bytes) && bytes == 16u << 20);
    assert_true(option_bytes("1G", 1ul << 30, &bytes) && bytes == 1u << 30);
    static const char *const no_sizes[] = {"", "0", "-1", "2G", "1T", "16MB", "M", "1 M",
            "99999999999999999999", "18446744073709551615K"};
    for (size_t i = 0; i < sizeof no_sizes / sizeof *no_sizes; i++) {
        assert_false(option_bytes(no_sizes[i], 1ul << 30, &bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_ways_to_write_an_option_are_the_same),
            cmocka_unit_test(arguments_stand_anywhere),
            cmocka_unit_test(what_is_wrong_is_said),
            cmocka_unit_test(a_word_of_any_length_is_bounded),
            cmocka_unit_test(numbers_are_whole_and_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
