#include "base/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"

static struct slice numbered(char *text, size_t size, int i)
{
    int n = snprintf(text, size, "%d", i);
    return slice_of(text, (size_t)n);
}

static void test_a_text_keeps_its_number(void **state)
{
    (void)state;
    struct intern in;
    intern_init(&in, 100000);
    char text[16];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            uint32_t id = 0;
            bool fresh = false;
            assert_int_equal(intern_put(&in, numbered(text, sizeof text, i), &id, &fresh), OK);
            assert_int_equal(id, i);
            assert_int_equal(fresh, round == 0);
        }
    }
    assert_int_equal(in.count, 5000);
    for (int i = 0; i < 5000; i++) {
        assert_true(slice_equal(intern_text(&in, (uint32_t)i), numbered(text, sizeof text, i)));
    }
    assert_int_equal(intern_find(&in, SLICE("5000")), INTERN_NONE);
    assert_int_equal(intern_find(&in, SLICE("1\0")), INTERN_NONE);
    intern_fini(&in);
    assert_int_equal(intern_find(&in, SLICE("1")), INTERN_NONE);
}

static void test_the_limit_holds_at_n_and_breaks_at_n_plus_1(void **state)
{
    (void)state;
    struct intern in;
    intern_init(&in, 2);
    uint32_t id = 9;
    assert_int_equal(intern_put(&in, SLICE(""), &id, NULL), OK);
    assert_non_null(intern_text(&in, id).at);
    assert_int_equal(intern_put(&in, SLICE("a"), &id, NULL), OK);
    id = 9;
    assert_int_equal(intern_put(&in, SLICE("b"), &id, NULL), ERR_LIMIT);
    assert_int_equal(id, 9);
    assert_int_equal(intern_put(&in, SLICE("a"), &id, NULL), OK);
    assert_int_equal(id, 1);
    intern_fini(&in);
}

static void test_refused_memory_changes_nothing(void **state)
{
    (void)state;
    struct intern in;
    intern_init(&in, 1000);
    char text[16];
    for (int i = 0; i < 200; i++) {
        uint32_t id = 0;
        enum err e = ERR_MEMORY;
        for (uint64_t n = 1; e == ERR_MEMORY; n++) {
            memory_fail_after(n);
            e = intern_put(&in, numbered(text, sizeof text, i), &id, NULL);
            memory_fail_after(0);
            assert_int_equal(in.count, e == OK ? i + 1 : i);
        }
        assert_int_equal(e, OK);
        assert_int_equal(id, i);
    }
    intern_fini(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_a_text_keeps_its_number),
            cmocka_unit_test(test_the_limit_holds_at_n_and_breaks_at_n_plus_1),
            cmocka_unit_test(test_refused_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
