/* The values of a text record: what rules name and what people see come from one parser and agree;
 * several values of a name, values that the bytes do not hold, the route that no rule can name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "decode/fields.h"
#include "event/field.h"

enum { FIRST, SEVERITY };
static const char *const fixed[] = {[FIRST] = "first", [SEVERITY] = "severity"};

/* The first character is a severity; then name=value, each behind a blank. */
static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    (void)context;
    if (text.size == 0) {
        return diag_say(diag, ERR_SYNTAX, "nothing there");
    }
    fields_put(sink, FIRST, slice_of(text.at, 1));
    fields_made(sink, SEVERITY, text.at[0] == '3' ? SLICE("error") : SLICE("other"));
    struct slice rest = slice_of(text.at + 1, text.size - 1);
    slice_cut(&rest, ' ');
    while (rest.size > 0) {
        struct slice value = slice_cut(&rest, ' ');
        struct slice name = slice_cut(&value, '=');
        if (slice_equal(value, SLICE("made"))) {
            fields_named_made(sink, name, arena_copy(sink->scratch, SLICE("in scratch")));
        } else if (slice_equal(value, SLICE("42"))) {
            struct value number = {.kind = VALUE_NUMBER, .text = value};
            fields_named_value(sink, name, &number);
        } else {
            fields_named(sink, name, value);
        }
    }
    if (text.at[0] == '9') {
        fields_format(sink, SLICE("nine"));
    }
    return OK;
}

static const struct fields_form form = FIELDS_FORM("example", fixed, parse);

struct fixture {
    struct fields *names;
    struct paths *paths;
    struct fields_reader reader;
    struct event event;
};

static void open_fixture(struct fixture *f)
{
    static const char *const rules[] = {"severity", "user", "a.b"};
    const struct path_pattern patterns[] = {
            {SLICE("*"), SLICE("*"), false}, {SLICE(FIELDS_FORMAT), SLICE(FIELDS_FORMAT), false}};
    *f = (struct fixture){.names = field_table_new()};
    for (size_t i = 0; i < 3; i++) {
        uint32_t id;
        assert_int_equal(field_intern(f->names, slice_text(rules[i]), &id), OK);
    }
    assert_int_equal(paths_build(f->names, patterns, 2, &f->paths), OK);
    assert_int_equal(event_init(&f->event, f->paths->field_count), OK);
    assert_int_equal(fields_init(&f->reader, &form, f->paths, NULL), OK);
}

static void close_fixture(struct fixture *f)
{
    fields_fini(&f->reader);
    event_fini(&f->event);
    paths_free(f->paths);
    field_table_free(f->names);
}

/* All values of a field, each behind a bar. */
static void expect_values(const struct fixture *f, const char *name, const char *expected)
{
    struct buf out = {0};
    uint32_t id = field_find(f->names, slice_text(name));
    assert_true(id != FIELD_NONE);
    for (const struct value *v = event_value(&f->event, id); v; v = event_next(&f->event, v)) {
        buf_byte(&out, '|');
        buf_add(&out, v->text);
    }
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&out);
}

static void expect_json(const struct fixture *f, const char *expected)
{
    struct buf out = {0};
    f->event.form->write_json(&f->event, &out);
    assert_false(out.failed);
    buf_byte(&out, '\0');
    assert_string_equal(out.at, expected);
    buf_fini(&out);
}

static void rules_and_people_see_the_same_values(void **state)
{
    (void)state;
    struct fixture f;
    struct diag diag;
    open_fixture(&f);
    struct slice raw = SLICE("3 user=root a.b=1 user=\xFF\" x=42 user=made =empty");
    assert_int_equal(fields_read(&f.reader, raw, &f.event, &diag), OK);
    expect_values(&f, "severity", "|error");
    expect_values(&f, "user", "|root|\xFF\"|in scratch");
    expect_values(&f, "a.b", "|1");
    expect_values(&f, FIELDS_FORMAT, "|example");
    expect_json(&f, "{\"first\":\"3\",\"severity\":\"error\","
                    "\"user\":[\"root\",\"\xEF\xBF\xBD\\\"\",\"in scratch\"],"
                    "\"a.b\":\"1\",\"x\":42,\"\":\"empty\"}");
    assert_true(f.event.plain_text);
    assert_memory_equal(f.event.constants.at, "error\0in scratch\0", f.event.constants.size);
    assert_int_equal(f.event.constants.size, 17);
    close_fixture(&f);
}

static void a_record_cannot_name_its_own_format(void **state)
{
    (void)state;
    struct fixture f;
    struct diag diag;
    open_fixture(&f);
    assert_int_equal(fields_read(&f.reader,
                             SLICE("1 \x01"
                                   "format=squid"),
                             &f.event, &diag),
            OK);
    expect_values(&f, FIELDS_FORMAT, "|example");
    expect_json(&f, "{\"first\":\"1\",\"severity\":\"other\",\"\\u0001format\":\"squid\"}");
    assert_int_equal(fields_read(&f.reader, SLICE("9"), &f.event, &diag), OK);
    expect_values(&f, FIELDS_FORMAT, "|nine");
    expect_json(&f, "{\"first\":\"9\",\"severity\":\"other\"}");
    close_fixture(&f);
}

static void what_the_parser_refuses_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct diag diag;
    open_fixture(&f);
    assert_int_equal(fields_read(&f.reader, SLICE(""), &f.event, &diag), ERR_SYNTAX);
    assert_string_equal(diag.words, "nothing there");
    close_fixture(&f);
}

static bool stop_at_second(void *context, struct slice path, const struct value *value)
{
    (void)path;
    (void)value;
    return ++*(int *)context < 2;
}

static void a_visitor_can_stop(void **state)
{
    (void)state;
    struct fixture f;
    struct diag diag;
    int visited = 0;
    open_fixture(&f);
    assert_int_equal(fields_read(&f.reader, SLICE("1 a=1 b=2"), &f.event, &diag), OK);
    assert_int_equal(f.event.form->walk(&f.event, stop_at_second, &visited), OK);
    assert_int_equal(visited, 2);
    close_fixture(&f);
}

static void no_memory_is_said(void **state)
{
    (void)state;
    struct fixture f;
    struct diag diag;
    open_fixture(&f);
    assert_int_equal(fields_read(&f.reader, SLICE("1 a=1 b=2"), &f.event, &diag), OK);
    for (uint64_t n = 1;; n++) {
        struct buf out = {0};
        buf_reserve(&out, 4096);
        memory_fail_after(n);
        f.event.form->write_json(&f.event, &out);
        memory_fail_after(0);
        bool failed = out.failed;
        buf_fini(&out);
        if (!failed) {
            assert_true(n > 2);
            break;
        }
    }
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(rules_and_people_see_the_same_values),
            cmocka_unit_test(a_record_cannot_name_its_own_format),
            cmocka_unit_test(what_the_parser_refuses_is_refused),
            cmocka_unit_test(a_visitor_can_stop),
            cmocka_unit_test(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
