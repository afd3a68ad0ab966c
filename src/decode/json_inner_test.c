/* Records within texts and lists of pairs: what they add to an event, and what they must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "decode/json.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

static const char *const names[] = {"a", "b", "list.one", "list.two", "list.a.b"};

static struct fields *fields;
static struct paths *paths;
static struct event event;
static struct reader *reader;

static int set_up(void **state)
{
    (void)state;
    const struct decode_limits limits = DECODE_LIMITS;
    const struct path_pattern patterns[] = {
            {SLICE("*"), SLICE("*"), false},
            {SLICE("weak"), SLICE("a"), true},
            {SLICE("\x01json"), SLICE("\x01json"), false},
            {SLICE("text"), SLICE("\x01json"), false},
            {SLICE("\x01pairs"), SLICE("\x01pairs"), false},
            {SLICE("list"), SLICE("\x01pairs"), false},
    };
    fields = field_table_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t id;
        assert_int_equal(field_intern(fields, slice_text(names[i]), &id), OK);
    }
    assert_int_equal(paths_build(fields, patterns, sizeof patterns / sizeof *patterns, &paths), OK);
    assert_int_equal(event_init(&event, paths->field_count), OK);
    assert_int_equal(json_decoder.reader_new(paths, &limits, &reader), OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decoder.reader_free(reader);
    event_fini(&event);
    paths_free(paths);
    field_table_free(fields);
    return 0;
}

/* The fields of a record as "name=value value;..." */
static void read_record(const char *text, struct buf *out)
{
    struct buf block = {0}, scratch = {0};
    buf_format(&block, "%s\n", text);
    size_t size = block.size;
    assert_non_null(buf_reserve(&block, 64));
    json_decoder.begin(reader, slice_of(block.at, size), (struct slice){0});
    assert_int_equal(json_decoder.next(reader, &event, NULL), OK);
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct value *v = event_value(&event, i);
        if (v) {
            buf_format(out, "%s=", names[i]);
        }
        for (; v; v = event_next(&event, v)) {
            buf_add(out, value_slice(v, &scratch));
            buf_byte(out, v->next ? ' ' : ';');
        }
    }
    assert_int_equal(json_decoder.next(reader, &event, NULL), ERR_END);
    buf_fini(&block);
    buf_fini(&scratch);
}

struct sample {
    const char *text, *want;
};

static void expect(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < 2 * count; i++) { /* twice: by shapes that were learned as well */
        struct buf out = {0};
        read_record(samples[i % count].text, &out);
        if (!slice_equal(buf_slice(&out), slice_text(samples[i % count].want))) {
            fail_msg("%s: got %.*s, wanted %s", samples[i % count].text, SLICE_ARG(buf_slice(&out)),
                    samples[i % count].want);
        }
        buf_fini(&out);
    }
}

static void a_text_that_is_an_object_adds_its_values(void **state)
{
    (void)state;
    static const struct sample samples[] = {
            {"{\"text\":\"{\\\"a\\\":1}\"}", "a=1;"},
            {"{\"text\":\" {\\\"a\\\":\\\"x\\\\n\\\\\\\"\\\",\\\"b\\\":[1,2]}\\n\"}",
                    "a=x\n\";b=1 2;"},
            {"{\"text\":[\"{\\\"a\\\":1}\",\"no\",\"{\\\"a\\\":2}\"]}", "a=1 2;"},
            {"{\"text\":\"\\u007b\\\"a\\\":3}\"}", "a=3;"},
            /* what the record says itself goes first, by whichever pattern */
            {"{\"a\":0,\"text\":\"{\\\"a\\\":1,\\\"b\\\":2}\"}", "a=0;b=2;"},
            {"{\"text\":\"{\\\"a\\\":1}\",\"weak\":0}", "a=0;"},
            /* one level deep */
            {"{\"text\":\"{\\\"text\\\":\\\"{\\\\\\\"a\\\\\\\":1}\\\"}\"}", ""},
            /* no object */
            {"{\"text\":\"{\\\"a\\\":1\"}", ""},
            {"{\"text\":\"{\\\"a\\\":1} x\"}", ""},
            {"{\"text\":\"{\\\"a\\\":1,}\"}", ""},
            {"{\"text\":\"[{\\\"a\\\":1}]\"}", ""},
            {"{\"text\":\"{\"}", ""},
            {"{\"text\":\"\"}", ""},
            {"{\"text\":{\"a\":1}}", ""},
            {"{\"text\":7}", ""},
            {"{\"other\":\"{\\\"a\\\":1}\"}", ""},
    };
    expect(samples, sizeof samples / sizeof *samples);
}

static void a_list_of_pairs_is_read_by_its_names(void **state)
{
    (void)state;
    static const struct sample samples[] = {
            {"{\"list\":[{\"name\":\"one\",\"value\":1},{\"name\":\"two\",\"value\":\"x\"}]}",
                    "list.one=1;list.two=x;"},
            {"{\"list\":[{\"value\":1,\"name\":\"one\"},{\"value\":\"x\",\"name\":\"two\"}]}",
                    "list.one=1;list.two=x;"},
            {"{\"list\":[{\"Name\":\"one\",\"t\":0,\"Value\":1},{\"Name\":\"no\"},"
             "{\"Name\":\"two\",\"Value\":2}]}",
                    "list.one=1;list.two=2;"},
            {"{\"list\":[{\"name\":\"one\",\"multiValue\":[1,2]}]}", "list.one=1 2;"},
            {"{\"list\":[{\"multiValue\":[1,2],\"name\":\"one\"},{\"name\":\"two\"}]}",
                    "list.one=1 2;"},
            {"{\"list\":[{\"displayName\":\"a.b\",\"newValue\":1,\"oldValue\":2}]}", "list.a.b=1;"},
            {"{\"list\":[{\"name\":\"\\u006fne\",\"value\":\"\\u0041\"}]}", "list.one=A;"},
            {"{\"list\":[{\"name\":1,\"value\":2},{\"name\":\"one\",\"value\":{}}]}", ""},
            {"{\"list\":[{\"name\":\"one\"}],\"other\":[{\"value\":1}]}", ""},
            {"{\"other\":[{\"name\":\"one\",\"value\":1}]}", ""},
            {"{\"list\":{\"one\":1}}", "list.one=1;"},
    };
    expect(samples, sizeof samples / sizeof *samples);
}

static void no_memory_is_said(void **state)
{
    (void)state;
    static const char text[] =
            "{\"text\":\"{\\\"a\\\":1}\",\"list\":[{\"name\":\"one\",\"value\":1}]}\n";
    char block[sizeof text + 64] = {0};
    memcpy(block, text, sizeof text - 1);
    for (uint64_t after = 1; after < 40; after++) {
        struct diag diag = {0};
        memory_fail_after(after);
        json_decoder.begin(reader, slice_of(block, sizeof text - 1), (struct slice){0});
        enum err e = json_decoder.next(reader, &event, &diag);
        memory_fail_after(0);
        assert_true(e == OK || (e == ERR_MEMORY && diag.words[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_text_that_is_an_object_adds_its_values),
            cmocka_unit_test(a_list_of_pairs_is_read_by_its_names),
            cmocka_unit_test(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
