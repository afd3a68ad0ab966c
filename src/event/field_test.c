#include "event/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"

static void test_names_are_numbered_in_order_and_by_case(void **state)
{
    (void)state;
    struct fields *fields = field_table_new();
    assert_non_null(fields);
    uint32_t a, b, c;
    assert_int_equal(field_intern(fields, SLICE("Image"), &a), OK);
    assert_int_equal(field_intern(fields, SLICE("image"), &b), OK);
    assert_int_equal(field_intern(fields, SLICE("Image"), &c), OK);
    assert_int_equal(a, 0);
    assert_int_equal(b, 1);
    assert_int_equal(c, 0);
    assert_int_equal(field_count(fields), 2);
    assert_int_equal(field_find(fields, SLICE("image")), 1);
    assert_int_equal(field_find(fields, SLICE("Imag")), FIELD_NONE);
    assert_true(slice_equal(field_name(fields, 1), SLICE("image")));
    field_table_free(fields);
    field_table_free(NULL);
}

static void test_the_limit_holds_at_n_and_breaks_at_n_plus_1(void **state)
{
    (void)state;
    struct fields *fields = field_table_new();
    assert_non_null(fields);
    uint32_t id = 0;
    for (uint32_t i = 0; i < FIELD_LIMIT; i++) {
        char text[16];
        int n = snprintf(text, sizeof text, "%u", i);
        assert_int_equal(field_intern(fields, slice_of(text, (size_t)n), &id), OK);
    }
    assert_int_equal(field_intern(fields, SLICE("more"), &id), ERR_LIMIT);
    assert_int_equal(field_count(fields), FIELD_LIMIT);
    field_table_free(fields);
    memory_fail_after(1);
    assert_null(field_table_new());
    memory_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_names_are_numbered_in_order_and_by_case),
            cmocka_unit_test(test_the_limit_holds_at_n_and_breaks_at_n_plus_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
