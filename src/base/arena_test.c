#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"

static bool all_zero(const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (at[i]) {
            return false;
        }
    }
    return true;
}

static void test_the_cap_holds_at_n_and_breaks_at_n_plus_1(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1000);
    assert_non_null(arena_alloc(&arena, 400, 1));
    assert_null(arena_alloc(&arena, 601, 1));
    assert_non_null(arena_alloc(&arena, 600, 1));
    assert_int_equal(arena.used, 1000);
    assert_null(arena_alloc(&arena, 1, 1));
    assert_non_null(arena_alloc(&arena, 0, 1));
    arena_reset(&arena);
    assert_null(arena_alloc(&arena, 1001, 1));
    assert_non_null(arena_alloc(&arena, 1000, 1));
    arena_fini(&arena);
}

static void test_bytes_are_zero_and_aligned_and_apart(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)64 << 20);
    for (int round = 0; round < 3; round++) {
        char *last[64] = {0};
        size_t sizes[64] = {0};
        for (size_t i = 0; i < 4000; i++) {
            /* Small ones, and now and then one that needs a block of its own. */
            size_t size = i % 97 == 0 ? 20000 + i : i % 50;
            size_t align = (size_t)1 << i % 7;
            char *at = arena_alloc(&arena, size, align);
            assert_non_null(at);
            assert_int_equal((uintptr_t)at % align, 0);
            assert_true(all_zero(at, size));
            memset(at, 0x5a, size);
            for (size_t k = 0; k < 64; k++) {
                assert_true(!last[k] || at + size <= last[k] || last[k] + sizes[k] <= at ||
                            size == 0 || sizes[k] == 0);
            }
            last[i % 64] = at;
            sizes[i % 64] = size;
        }
        arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
    arena_fini(&arena);
}

static void test_impossible_sizes_are_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX, 1));
    assert_null(arena_alloc(&arena, SIZE_MAX - 100, 1));
    assert_null(arena_alloc_array(&arena, SIZE_MAX / 2, 3, 8));
    assert_null(arena_alloc(&arena, 8, 128));
    assert_null(arena_copy(&arena, slice_of("", SIZE_MAX)).at);
    struct slice copy = arena_copy(&arena, SLICE("abc"));
    assert_string_equal(copy.at, "abc");
    assert_int_equal(copy.size, 3);
    assert_non_null(arena_copy(&arena, (struct slice){0}).at);
    arena_fini(&arena);
}

static void test_refused_memory_leaves_it_usable(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    memory_fail_after(1);
    assert_null(arena_alloc(&arena, 10, 1));
    memory_fail_after(0);
    assert_int_equal(arena.used, 0);
    char *at = arena_alloc(&arena, 10, 1);
    assert_non_null(at);
    memory_fail_after(1);
    assert_null(arena_alloc(&arena, 100000, 1));
    assert_ptr_equal(arena_alloc(&arena, 10, 1), at + 10);
    memory_fail_after(0);
    arena_fini(&arena);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_the_cap_holds_at_n_and_breaks_at_n_plus_1),
            cmocka_unit_test(test_bytes_are_zero_and_aligned_and_apart),
            cmocka_unit_test(test_impossible_sizes_are_refused),
            cmocka_unit_test(test_refused_memory_leaves_it_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
