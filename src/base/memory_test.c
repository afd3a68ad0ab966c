#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_blocks_are_zero_and_aligned(void **state)
{
    (void)state;
    for (size_t size = 1; size < 200; size += 7) {
        char *block = memory_alloc(size);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(block[i], 0);
        }
        memset(block, 1, size);
        memory_free(block);
    }
    memory_free(NULL);
}

static void test_impossible_sizes_are_refused(void **state)
{
    (void)state;
    assert_null(memory_alloc(0));
    assert_null(memory_alloc(SIZE_MAX));
    assert_null(memory_alloc(SIZE_MAX - 63));
    assert_null(memory_alloc_array(SIZE_MAX / 8 + 1, 8));
    assert_null(memory_alloc_array(0, 8));
    assert_null(memory_resize(NULL, 0));
}

static void test_failing_starts_where_it_is_told_and_lasts(void **state)
{
    (void)state;
    memory_fail_after(3);
    void *a = memory_alloc(1);
    void *b = memory_alloc(1);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(memory_alloc(1));
    assert_null(memory_alloc_array(1, 1));
    assert_null(memory_resize(a, 100));
    memory_fail_after(0);
    void *c = memory_resize(a, 100);
    assert_non_null(c);
    memory_free(b);
    memory_free(c);
}

static void test_an_array_grows_or_stays_as_it_was(void **state)
{
    (void)state;
    int *numbers = NULL;
    size_t room = 0;
    for (size_t i = 0; i < 1000; i++) {
        assert_true(memory_grow(&numbers, &room, i + 1, sizeof *numbers));
        numbers[i] = (int)i;
    }
    int *before = numbers;
    size_t room_before = room;
    assert_true(memory_grow(&numbers, &room, 10, sizeof *numbers));
    assert_ptr_equal(numbers, before);
    memory_fail_after(1);
    assert_false(memory_grow(&numbers, &room, room + 1, sizeof *numbers));
    memory_fail_after(0);
    assert_false(memory_grow(&numbers, &room, SIZE_MAX, sizeof *numbers));
    assert_false(memory_grow(&numbers, &room, SIZE_MAX / 4, 8));
    assert_ptr_equal(numbers, before);
    assert_int_equal(room, room_before);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(numbers[i], i);
    }
    memory_free(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_blocks_are_zero_and_aligned),
            cmocka_unit_test(test_impossible_sizes_are_refused),
            cmocka_unit_test(test_failing_starts_where_it_is_told_and_lasts),
            cmocka_unit_test(test_an_array_grows_or_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
