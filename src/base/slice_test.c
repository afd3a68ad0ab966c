#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_equality_is_of_bytes_and_sizes(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE(""), (struct slice){0}));
    assert_true(slice_equal(SLICE("a\0b"), slice_of("a\0b", 3)));
    assert_false(slice_equal(SLICE("a\0b"), slice_of("a\0c", 3)));
    assert_false(slice_equal(SLICE("a"), SLICE("ab")));
    assert_true(slice_equal_nocase(SLICE("aZ[@"), SLICE("Az[@")));
    assert_false(slice_equal_nocase(SLICE("["), SLICE("{")));
    assert_false(slice_equal_nocase(SLICE("\xc3\x84"), SLICE("\xc3\xa4")));
    assert_false(slice_equal_nocase(SLICE("a"), SLICE("")));
}

static void test_starts_ends_and_order(void **state)
{
    (void)state;
    assert_true(slice_starts(SLICE("abc"), SLICE("")));
    assert_true(slice_starts(SLICE("abc"), SLICE("abc")));
    assert_false(slice_starts(SLICE("abc"), SLICE("abcd")));
    assert_false(slice_starts(SLICE("abc"), SLICE("b")));
    assert_true(slice_ends(SLICE("abc"), SLICE("bc")));
    assert_false(slice_ends(SLICE("abc"), SLICE("ab")));
    assert_false(slice_ends(SLICE("c"), SLICE("bc")));
    assert_true(slice_compare(SLICE("a"), SLICE("b")) < 0);
    assert_true(slice_compare(SLICE("a"), SLICE("aa")) < 0);
    assert_true(slice_compare(SLICE("b"), SLICE("aa")) > 0);
    assert_true(slice_compare(SLICE("\xff"), SLICE("a")) > 0);
    assert_int_equal(slice_compare(SLICE(""), (struct slice){0}), 0);
}

static void test_finding(void **state)
{
    (void)state;
    assert_int_equal(slice_find(SLICE("abcabd"), SLICE("abd")), 3);
    assert_int_equal(slice_find(SLICE("ab"), SLICE("abc")), SIZE_MAX);
    assert_int_equal(slice_find(SLICE("ab"), SLICE("")), 0);
    assert_int_equal(slice_find((struct slice){0}, SLICE("a")), SIZE_MAX);
    assert_int_equal(slice_find_byte(SLICE("ab"), 'b'), 1);
    assert_int_equal(slice_find_byte(SLICE("ab"), 'c'), 2);
    assert_int_equal(slice_find_byte((struct slice){0}, 'c'), 0);
}

static void test_trimming_and_cutting(void **state)
{
    (void)state;
    assert_true(slice_equal(slice_trim(SLICE(" \t\r\n a b \n")), SLICE("a b")));
    assert_true(slice_equal(slice_trim(SLICE("\v")), SLICE("\v")));
    assert_int_equal(slice_trim(SLICE("  ")).size, 0);
    assert_int_equal(slice_trim((struct slice){0}).size, 0);
    struct slice rest = SLICE("a,,b");
    assert_true(slice_equal(slice_cut(&rest, ','), SLICE("a")));
    assert_true(slice_equal(slice_cut(&rest, ','), SLICE("")));
    assert_true(slice_equal(slice_cut(&rest, ','), SLICE("b")));
    assert_int_equal(rest.size, 0);
    assert_int_equal(slice_cut(&rest, ',').size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_equality_is_of_bytes_and_sizes),
            cmocka_unit_test(test_starts_ends_and_order),
            cmocka_unit_test(test_finding),
            cmocka_unit_test(test_trimming_and_cutting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
