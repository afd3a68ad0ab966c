#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/near.h"

static void distance_counts_slips_both_ways(void **state)
{
    static const struct {
        const char *a, *b;
        size_t slips;
    } cases[] = {{"", "", 0}, {"a", "", 1}, {"Image", "Image", 0}, {"Image", "image", 1},
            {"Comandline", "CommandLine", 2}, {"abc", "cba", 2}, {"kitten", "sitting", 3},
            {"ab", "ba", 2}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice a = slice_text(cases[i].a), b = slice_text(cases[i].b);
        assert_int_equal(near_distance(a, b), cases[i].slips);
        assert_int_equal(near_distance(b, a), cases[i].slips);
    }
}

static void distance_ends_at_the_limit(void **state)
{
    char word[NEAR_WORD + 1];
    (void)state;
    memset(word, 'a', sizeof word);
    assert_int_equal(near_distance(slice_of(word, NEAR_WORD), slice_of(word, 0)), NEAR_WORD);
    assert_true(near_distance(slice_of(word, NEAR_WORD + 1), slice_of(word, 0)) == SIZE_MAX);
    assert_true(near_distance(slice_of(word, 0), slice_of(word, NEAR_WORD + 1)) == SIZE_MAX);
}

static void letters_leave_out_case_and_what_stands_between(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {{"SourceIp", "source_ip", true}, {"SourceIp", "source.ip", true},
            {"a-b", "AB", true}, {"_a", "a_", true}, {"", "_", true}, {"", "", true},
            {"source", "sourceIp", false}, {"ab", "ba", false}, {"a", "", false},
            {"aa", "a", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice a = slice_text(cases[i].a), b = slice_text(cases[i].b);
        assert_int_equal(near_letters(a, b), cases[i].same);
        assert_int_equal(near_letters(b, a), cases[i].same);
    }
}

static void slips_leave_out_what_letters_do(void **state)
{
    char word[NEAR_WORD + 2];
    (void)state;
    assert_int_equal(near_slips(SLICE("Usernames"), SLICE("user_name")), 1);
    assert_int_equal(near_slips(SLICE("a.b.c"), SLICE("ABC")), 0);
    assert_int_equal(near_slips(SLICE(""), SLICE("-")), 0);
    memset(word, 'a', sizeof word);
    word[3] = '_';
    struct slice fits = slice_of(word, NEAR_WORD + 1);
    assert_int_equal(near_slips(fits, fits), 0);
    fits.size++;
    assert_true(near_slips(fits, SLICE("a")) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(distance_counts_slips_both_ways),
            cmocka_unit_test(distance_ends_at_the_limit),
            cmocka_unit_test(slips_leave_out_what_letters_do),
            cmocka_unit_test(letters_leave_out_case_and_what_stands_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
