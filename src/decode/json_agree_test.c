/* The JSON reader against Jansson, and against itself: over samples and thousands of mutations the
 * same records are accepted with the same values, whichever way they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "decode/json.h"
#include "decode/json_scan.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

enum { MUTATIONS = 60000 };

static struct fields *fields;
static struct paths *paths;
static struct event event;
static struct decode_limits limits = DECODE_LIMITS;

static const char *const samples[] = {
        "{}",
        "{\"a\":1}",
        "{\"a\":\"x\",\"b\":[1,2.5e3,-0.1,\"y\",null,true,false,{},[]],\"c\":{\"d\":{\"e\":\"f\"}}"
        "}",
        "{\"Event\":{\"#attributes\":{\"xmlns\":\"http://schemas.example/event\"},\"System\":{"
        "\"EventID\":4624,\"Channel\":\"Security\",\"Correlation\":null},\"EventData\":{\"Image\":"
        "\"C:\\\\Windows\\\\x.exe\",\"CommandLine\":\"a \\\"b\\\" \\u00e9 \\/ \\n\"}}}",
        "{ \"a\" : \"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\" ,\t\"b\" : [ { \"c\" : 1 } , { } "
        "] }",
        "{\"a\":\"0123456789012345678901234567890123456789012345678901234567890\\\\\",\"b\":0}",
        "{\"a\":[[[[[[1]]]]],[[\"\"]]],\"n\":12345678,\"m\":1234567890123}",
        "{\"\\u0061\":\"\\ud83d\\ude00\",\"b\":\"\\\\\\\\\\\\\\\"\"}",
};

static const char alphabet[] = "{}[]:,\"\\\\\"\" \t\r0123456789-+.eEtrufalsn/abx\x01\x1F\x7F"
                               "\xC3\xA9\xE2\x82\xAC\xF0\x9F\xED\xA0\xFF";

static uint64_t seed = 1;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) * n >> 31);
}

static int set_up(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", "n", "EventID", "Image", "CommandLine"};
    fields = field_table_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t id;
        assert_int_equal(field_intern(fields, slice_text(names[i]), &id), OK);
    }
    const struct path_pattern patterns[] = {{SLICE("*"), SLICE("*"), false},
            {SLICE("Event.EventData.*"), SLICE("*"), false},
            {SLICE("Event.System.EventID"), SLICE("EventID"), false},
            {SLICE("c.d"), SLICE("d"), false}};
    assert_int_equal(paths_build(fields, patterns, 4, &paths), OK);
    assert_int_equal(event_init(&event, paths->field_count), OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    event_fini(&event);
    paths_free(paths);
    field_table_free(fields);
    return 0;
}

/* ---- our side -------------------------------------------------------------------------------- */

static bool add_leaf(void *context, struct slice path, const struct value *value)
{
    struct buf scratch = {0};
    buf_add(context, path);
    buf_format(context, "=%d:", value->kind);
    buf_add(context, value_slice(value, &scratch));
    buf_byte(context, '\n');
    buf_fini(&scratch);
    return true;
}

static void add_fields(struct buf *out)
{
    struct buf scratch = {0};
    for (uint32_t i = 0; i < event.field_count; i++) {
        for (const struct value *v = event_value(&event, i); v; v = event_next(&event, v)) {
            buf_format(out, "%u %d ", i, v->kind);
            buf_add(out, value_slice(v, &scratch));
            buf_byte(out, '\n');
        }
    }
    buf_fini(&scratch);
}

/* One record between two others; its leaves and fields, or its error. */
static bool ours(struct reader *reader, struct slice record, struct buf *leaves, struct buf *rest)
{
    struct buf block = {0};
    buf_format(&block, "{\"a\":1}\n");
    buf_add(&block, record);
    buf_format(&block, "\n{\"a\":1}\n");
    size_t size = block.size;
    assert_non_null(buf_reserve(&block, 64));
    json_decoder.begin(reader, slice_of(block.at, size), (struct slice){0});
    struct diag diag = {0};
    assert_int_equal(json_decoder.next(reader, &event, &diag), OK);
    enum err e = json_decoder.next(reader, &event, &diag);
    assert_int_not_equal(e, ERR_END);
    buf_clear(leaves);
    buf_clear(rest);
    if (e == OK) {
        event.form->walk(&event, add_leaf, leaves);
        add_fields(rest);
        buf_format(rest, "plain %d raw %zu ", event.plain_text, event.raw.size);
        event.form->write_json(&event, rest);
    } else {
        buf_format(rest, "%d %u %s", (int)e, diag.column, diag.words);
    }
    assert_int_equal(json_decoder.next(reader, &event, &diag), OK);
    assert_int_equal(json_decoder.next(reader, &event, &diag), ERR_END);
    buf_fini(&block);
    return e == OK;
}

/* ---- Jansson's side -------------------------------------------------------------------------- */

static void add_tree(json_t *node, const char *path, struct buf *out)
{
    const char *key;
    json_t *child;
    size_t i;
    if (json_is_object(node) && json_object_size(node)) {
        json_object_foreach(node, key, child)
        {
            struct buf below = {0};
            buf_format(&below, "%s%s%s", path, *path ? "." : "", key);
            buf_byte(&below, '\0');
            add_tree(child, below.at, out);
            buf_fini(&below);
        }
    } else if (json_is_array(node) && json_array_size(node)) {
        json_array_foreach(node, i, child)
        {
            add_tree(child, path, out);
        }
    } else {
        buf_format(out, "%s=", path);
        if (json_is_string(node)) {
            buf_format(out, "%d:", VALUE_STRING);
            buf_add(out, slice_of(json_string_value(node), json_string_length(node)));
        } else if (json_is_number(node)) {
            buf_format(out, "%d:", VALUE_NUMBER);
        } else if (json_is_boolean(node)) {
            buf_format(out, "%d:%s", VALUE_BOOL, json_is_true(node) ? "true" : "false");
        } else {
            buf_format(out, "%d:", json_is_null(node) ? VALUE_NULL : VALUE_OBJECT);
        }
        buf_byte(out, '\n');
    }
}

/* Our leaves with the numbers' texts left out, since Jansson rounds them. */
static void drop_numbers(struct buf *leaves)
{
    struct slice rest = buf_slice(leaves);
    struct buf out = {0};
    while (rest.size) {
        struct slice line = slice_cut(&rest, '\n');
        size_t number = slice_find(line, SLICE("=2:"));
        buf_add(&out, number == SIZE_MAX ? line : slice_of(line.at, number + 3));
        buf_byte(&out, '\n');
    }
    buf_clear(leaves);
    buf_add(leaves, buf_slice(&out));
    buf_fini(&out);
}

/* Jansson refuses lone surrogates and numbers beyond its types; both are within the grammar. */
static bool differs_by_choice(const json_error_t *error)
{
    return json_error_code(error) == json_error_numeric_overflow ||
           strstr(error->text, "invalid Unicode") || strstr(error->text, "NUL byte");
}

static void compare_with_jansson(struct slice record, bool accepted, struct buf *leaves)
{
    json_error_t error;
    json_t *tree = json_loadb(record.at, record.size, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (!tree) {
        if (accepted && !differs_by_choice(&error)) {
            fail_msg("accepted: %.*s (%s)", SLICE_ARG(record), error.text);
        }
        return;
    }
    if (accepted != json_is_object(tree)) {
        fail_msg("%s: %.*s", accepted ? "accepted" : "refused", SLICE_ARG(record));
    }
    json_t *strict = json_loadb(record.at, record.size,
            JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (accepted && strict) {
        struct buf theirs = {0};
        add_tree(tree, "", &theirs);
        drop_numbers(leaves);
        bool empty = json_object_size(tree) == 0; /* no leaf for us, one for add_tree */
        if (!empty && !slice_equal(buf_slice(&theirs), buf_slice(leaves))) {
            fail_msg("%.*s\nours:\n%.*s\ntheirs:\n%.*s", SLICE_ARG(record),
                    SLICE_ARG(buf_slice(leaves)), SLICE_ARG(buf_slice(&theirs)));
        }
        buf_fini(&theirs);
    }
    json_decref(strict);
    json_decref(tree);
}

/* ---- mutations ------------------------------------------------------------------------------- */

static void mutate(struct buf *text)
{
    for (uint32_t n = random_below(4) + 1; n > 0 && text->size > 0; n--) {
        size_t at = random_below((uint32_t)text->size);
        char c = alphabet[random_below(sizeof alphabet - 1)];
        switch (random_below(4)) {
        case 0:
            text->at[at] = c;
            break;
        case 1:
            memmove(text->at + at, text->at + at + 1, text->size - at - 1);
            text->size--;
            break;
        case 2:
            buf_byte(text, ' ');
            memmove(text->at + at + 1, text->at + at, text->size - at - 1);
            text->at[at] = c;
            break;
        default: { /* a piece a second time */
            char piece[16];
            size_t size = text->size - at < 16 ? text->size - at : 16;
            memcpy(piece, text->at + at, size);
            buf_add(text, slice_of(piece, size));
            break;
        }
        }
    }
    /* a newline would make two records of it, and a NUL is a test of its own */
    for (size_t i = 0; i < text->size; i++) {
        text->at[i] = text->at[i] == '\n' ? ' ' : text->at[i];
    }
}

static struct reader *new_reader(bool portable)
{
    struct reader *reader;
    json_scan_portable(portable);
    assert_int_equal(json_decoder.reader_new(paths, &limits, &reader), OK);
    return reader;
}

/* A blank record is none. */
static bool is_blank_record(struct slice record)
{
    return slice_trim(record).size == 0;
}

static void every_way_of_reading_agrees_with_jansson(void **state)
{
    (void)state;
    struct reader *warm = new_reader(false), *plain = new_reader(true);
    struct buf text = {0}, leaves = {0}, rest = {0}, other_leaves = {0}, other = {0};
    uint32_t accepted = 0;
    for (uint32_t i = 0; i < MUTATIONS; i++) {
        buf_clear(&text);
        buf_add(&text, slice_text(samples[i % (sizeof samples / sizeof *samples)]));
        if (i >= 64) {
            mutate(&text);
        }
        if (is_blank_record(buf_slice(&text))) {
            continue;
        }
        json_scan_portable(true);
        bool first = ours(plain, buf_slice(&text), &other_leaves, &other);
        json_scan_portable(false);
        bool good = ours(warm, buf_slice(&text), &leaves, &rest);
        accepted += good;
        if (first != good || !slice_equal(buf_slice(&rest), buf_slice(&other)) ||
                !slice_equal(buf_slice(&leaves), buf_slice(&other_leaves))) {
            fail_msg("%.*s\nfast:\n%.*s\nplain:\n%.*s", SLICE_ARG(buf_slice(&text)),
                    SLICE_ARG(buf_slice(&rest)), SLICE_ARG(buf_slice(&other)));
        }
        if (i % 16 == 0) { /* and a reader that knows nothing */
            struct reader *cold = new_reader(false);
            ours(cold, buf_slice(&text), &other_leaves, &other);
            assert_true(slice_equal(buf_slice(&rest), buf_slice(&other)));
            json_decoder.reader_free(cold);
        }
        compare_with_jansson(buf_slice(&text), good, &leaves);
    }
    assert_in_range(accepted, MUTATIONS / 20, MUTATIONS / 2);
    buf_fini(&text);
    buf_fini(&leaves);
    buf_fini(&rest);
    buf_fini(&other_leaves);
    buf_fini(&other);
    json_decoder.reader_free(warm);
    json_decoder.reader_free(plain);
}

/* Any bytes: the bitmaps of both scans are the same, wherever a step begins. */
static void both_scans_give_the_same_bits(void **state)
{
    (void)state;
    enum { SIZE = 9000 };
    static char block[SIZE + 64];
    for (int round = 0; round < 300; round++) {
        size_t size = random_below(SIZE);
        uint32_t dense = random_below(8);
        for (size_t i = 0; i < size; i++) {
            block[i] = random_below(8) < dense ? alphabet[random_below(sizeof alphabet - 1)]
                                               : (char)('a' + random_below(8));
            block[i] = dense == 7 && random_below(2) ? '\\' : block[i];
            if (round % 2 && block[i] != '"' && random_below(40) > 0) {
                block[i] = 'x'; /* steps with nothing in them */
            }
        }
        memset(block + size, '\\', 64);
        struct json_scan a = {0}, b = {0};
        assert_int_equal(json_scan_begin(&a, slice_of(block, size)), OK);
        assert_int_equal(json_scan_begin(&b, slice_of(block, size)), OK);
        json_scan_upto(&a, size);
        json_scan_portable(true);
        json_scan_upto(&b, size);
        json_scan_portable(false);
        size_t words = size / 64 + 1, steps = words / 64 + 1;
        assert_memory_equal(a.quotes, b.quotes, words * 8);
        assert_memory_equal(a.backslashes, b.backslashes, words * 8);
        assert_memory_equal(a.controls, b.controls, words * 8);
        assert_memory_equal(a.rough, b.rough, steps * 8);
        assert_memory_equal(a.suspect, b.suspect, steps * 8);
        assert_memory_equal(a.unplain, b.unplain, steps * 8);
        bool escaped = false;
        for (size_t i = 0; i < size; i++) {
            bool quote = block[i] == '"' && !escaped;
            assert_int_equal(a.quotes[i / 64] >> (i % 64) & 1, quote);
            escaped = block[i] == '\\' && !escaped;
        }
        json_scan_fini(&a);
        json_scan_fini(&b);
    }
}

/* Valid text leaves no suspects, wherever its sequences and escapes are cut into steps. */
static void valid_text_is_not_suspect(void **state)
{
    (void)state;
    static const char *const pieces[] = {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "x",
            "\\u00e9", "\\n", "\\b", "\\\\", "\\\"", "\\ud83d\\ude00", "0123456789012345678901234"};
    for (int round = 0; round < 400; round++) {
        struct buf text = {0};
        while (text.size < 6000) {
            buf_add(&text, slice_text(pieces[random_below(sizeof pieces / sizeof *pieces)]));
        }
        size_t size = text.size;
        assert_non_null(buf_reserve(&text, 64));
        struct json_scan scan = {0};
        json_scan_portable(round % 2);
        assert_int_equal(json_scan_begin(&scan, slice_of(text.at, size)), OK);
        json_scan_upto(&scan, size);
        assert_false(json_scan_any(scan.suspect, 0, size / JSON_SCAN_STEP + 1));
        assert_int_equal(json_scan_valid_prefix(slice_of(text.at, size)), size);
        json_scan_fini(&scan);
        buf_fini(&text);
    }
    json_scan_portable(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_way_of_reading_agrees_with_jansson),
            cmocka_unit_test(both_scans_give_the_same_bits),
            cmocka_unit_test(valid_text_is_not_suspect),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
