#include "event/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"

static struct value text_value(const char *text)
{
    return (struct value){.text = slice_text(text), .kind = VALUE_STRING};
}

/* The field's values joined by blanks. */
static const char *values(const struct event *event, uint32_t field)
{
    static char text[400];
    size_t n = 0;
    text[0] = 0;
    for (const struct value *v = event_value(event, field); v; v = event_next(event, v)) {
        n += (size_t)snprintf(
                text + n, sizeof text - n, "%s%.*s", n ? " " : "", SLICE_ARG(v->text));
    }
    return text;
}

static void put(struct event *event, uint32_t field, const char *text, uint8_t weak)
{
    struct value v = text_value(text);
    event_put_field(event, field, &v, weak);
}

static void test_values_add_up_and_strong_beats_weak_in_any_order(void **state)
{
    (void)state;
    static const struct {
        struct {
            const char *text;
            uint8_t weak;
        } puts[4];
        const char *expected;
    } rows[] = {
            {{{"a", 0}}, "a"},
            {{{"a", 0}, {"b", 0}, {"c", 0}}, "a b c"},
            {{{"a", 1}, {"b", 1}, {"c", 1}}, "a b c"},
            {{{"a", 1}, {"b", 0}, {"c", 0}}, "b c"},
            {{{"a", 0}, {"b", 1}, {"c", 0}}, "a c"},
            {{{"a", 2}, {"b", 1}, {"c", 2}}, "b"},
            {{{"a", 2}, {"b", 2}, {"c", 1}, {"d", 1}}, "c d"},
            {{{"a", 1}, {"b", 2}, {"c", 255}}, "a"},
    };
    struct event event;
    assert_int_equal(event_init(&event, 130), OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t field = (uint32_t)(i * 18);
        event_begin(&event, SLICE("raw"));
        assert_null(event_value(&event, field));
        for (size_t k = 0; k < 4 && rows[i].puts[k].text; k++) {
            put(&event, field, rows[i].puts[k].text, rows[i].puts[k].weak);
        }
        assert_string_equal(values(&event, field), rows[i].expected);
        assert_null(event_value(&event, field + 1));
    }
    event_fini(&event);
}

static void test_an_edge_gives_all_its_fields(void **state)
{
    (void)state;
    struct event event;
    assert_int_equal(event_init(&event, 5), OK);
    event_begin(&event, SLICE(""));
    const struct path_edge two = {.field = {1, 4, FIELD_NONE, FIELD_NONE}, .weak = {0, 3, 0, 0}};
    const struct path_edge four = {.field = {0, 1, 2, 3}};
    const struct path_edge none = {.field = {FIELD_NONE, FIELD_NONE, FIELD_NONE, FIELD_NONE}};
    struct value v = text_value("x"), w = text_value("y");
    event_put(&event, &none, &v);
    event_put(&event, &two, &v);
    event_put(&event, &four, &w);
    assert_string_equal(values(&event, 0), "y");
    assert_string_equal(values(&event, 1), "x y");
    assert_string_equal(values(&event, 3), "y");
    assert_string_equal(values(&event, 4), "x");
    assert_int_equal(event_value(&event, 4)->weak, 3);
    event_fini(&event);
}

static void test_the_limit_of_values_marks_the_record(void **state)
{
    (void)state;
    struct event event;
    assert_int_equal(event_init(&event, 2), OK);
    event_begin(&event, SLICE(""));
    struct value v = text_value("x");
    for (size_t i = 0; i < (size_t)EVENT_MORE_LIMIT + 1; i++) {
        event_put_field(&event, i % 2, &v, 0);
        event_put_field(&event, 0, &v, 1);
    }
    assert_false(event.truncated);
    assert_int_equal(event.more_count, EVENT_MORE_LIMIT - 1);
    event_put_field(&event, 0, &v, 0);
    assert_false(event.truncated);
    event_put_field(&event, 0, &v, 0);
    assert_true(event.truncated);
    event_begin(&event, SLICE(""));
    assert_false(event.truncated);
    assert_null(event_value(&event, 0));
    event_fini(&event);
}

static void test_refused_memory_is_told(void **state)
{
    (void)state;
    struct event event = {0};
    for (uint64_t n = 1; n <= 4; n++) {
        memory_fail_after(n);
        assert_int_equal(event_init(&event, 100), ERR_MEMORY);
        memory_fail_after(0);
    }
    assert_int_equal(event_init(&event, 0), OK);
    event_fini(&event);
    assert_int_equal(event_init(&event, 1), OK);
    event_begin(&event, SLICE(""));
    struct value v = text_value("x");
    for (int i = 0; i < 65; i++) {
        event_put_field(&event, 0, &v, 0);
    }
    memory_fail_after(1);
    event_put_field(&event, 0, &v, 0);
    memory_fail_after(0);
    assert_true(event.truncated);
    event_fini(&event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_values_add_up_and_strong_beats_weak_in_any_order),
            cmocka_unit_test(test_an_edge_gives_all_its_fields),
            cmocka_unit_test(test_the_limit_of_values_marks_the_record),
            cmocka_unit_test(test_refused_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
