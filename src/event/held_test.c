#include "event/held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct held held;

static uint64_t count_of(const char *tenant, const char *rule)
{
    uint64_t count = 0;
    for (size_t i = 0; i < HELD_ROWS; i++) {
        const struct held_row *row = held_at(&held, i);
        if (row && strcmp(row->tenant, tenant) == 0 && strcmp(row->rule, rule) == 0) {
            count += atomic_load(&row->count);
        }
    }
    return count;
}

static void each_tenant_and_rule_has_a_row(void **unused)
{
    (void)unused;
    memset(&held, 0, sizeof held);
    held_add(&held, SLICE("sg/a"), SLICE("r"), 1);
    held_add(&held, SLICE("sg/a"), SLICE("r"), 1);
    held_add(&held, SLICE("sg"), SLICE("/ar"), 1);
    held_add(&held, SLICE("sg/b"), SLICE("r"), 1);
    assert_int_equal(count_of("sg/a", "r"), 2);
    assert_int_equal(count_of("sg", "/ar"), 1);
    assert_int_equal(count_of("sg/b", "r"), 1);
    assert_int_equal(count_of("sg/b", "s"), 0);
    assert_int_equal(atomic_load(&held.others), 0);
}

static void long_texts_are_cut(void **unused)
{
    (void)unused;
    char text[2 * HELD_RULE];
    memset(&held, 0, sizeof held);
    memset(text, 'x', sizeof text);
    held_add(&held, slice_of(text, HELD_TENANT - 1), slice_of(text, HELD_RULE - 1), 1);
    held_add(&held, slice_of(text, HELD_TENANT), slice_of(text, HELD_RULE), 1);
    text[HELD_RULE - 1] = 0;
    char tenant[HELD_TENANT] = {0};
    memset(tenant, 'x', HELD_TENANT - 1);
    assert_int_equal(count_of(tenant, text), 2);
}

static void what_has_no_row_is_counted(void **unused)
{
    (void)unused;
    enum { MANY = 3 * HELD_ROWS };
    uint64_t all = 0, rows = 0;
    memset(&held, 0, sizeof held);
    for (int i = 0; i < MANY; i++) {
        char rule[16];
        int size = snprintf(rule, sizeof rule, "%d", i);
        held_add(&held, SLICE("sg"), slice_of(rule, (size_t)size), 1);
    }
    for (size_t i = 0; i < HELD_ROWS; i++) {
        const struct held_row *row = held_at(&held, i);
        rows += row != NULL;
        all += row ? atomic_load(&row->count) : 0;
    }
    assert_int_equal(all, rows);
    assert_int_equal(all + atomic_load(&held.others), MANY);
    assert_true(rows <= HELD_ROWS && rows > HELD_ROWS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_tenant_and_rule_has_a_row),
            cmocka_unit_test(long_texts_are_cut),
            cmocka_unit_test(what_has_no_row_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
