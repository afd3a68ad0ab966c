#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "archive/shape.h"
#include "archive/shape_escape.h"
#include "archive/shape_read.h"
#include "base/memory.h"
#include "decode/json.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

enum { BEHIND = 64 };

/* Records of JSON and the shapes that are made of them. */
struct rig {
    struct shape_set *set;
    struct fields *fields;
    struct paths *paths;
    struct event event;
    struct reader *reader;
    const struct shape_row *row; /* of the last record */
    char *block;
};

static struct rig rig_new(void)
{
    const struct path_pattern all = {SLICE("*"), SLICE("*"), false};
    static const struct decode_limits limits = DECODE_LIMITS;
    struct rig rig = {.fields = field_table_new()};
    assert_int_equal(paths_build(rig.fields, &all, 1, &rig.paths), OK);
    assert_int_equal(event_init(&rig.event, rig.paths->field_count), OK);
    assert_int_equal(json_decoder.reader_new(rig.paths, &limits, &rig.reader), OK);
    assert_int_equal(shape_new(&rig.set), OK);
    return rig;
}

static void rig_free(struct rig *rig)
{
    json_decoder.reader_free(rig->reader);
    event_fini(&rig->event);
    paths_free(rig->paths);
    field_table_free(rig->fields);
    shape_free(rig->set);
    memory_free(rig->block);
}

static struct slice text_of(const struct rig *rig, uint32_t column)
{
    for (size_t i = 0; i < rig->row->count; i++) {
        if (rig->row->texts[i].column == column) {
            return rig->row->texts[i].text;
        }
    }
    fail_msg("a hole's column is not in the row");
    return (struct slice){0};
}

/* The text of a path's n-th value in the last record; .at NULL: none. */
static struct slice text_at(const struct rig *rig, const char *path, uint32_t place)
{
    for (size_t i = 0; i < rig->row->count; i++) {
        struct shape_column c = shape_column(rig->set, rig->row->texts[i].column);
        if (c.place == place && slice_equal(c.path, slice_text(path))) {
            return rig->row->texts[i].text;
        }
    }
    return (struct slice){0};
}

static void own_name(struct shape_column column, struct buf *out)
{
    buf_add(out, column.path);
    buf_format(out, "#%u", column.place);
}

static void assert_same(struct slice a, struct slice b)
{
    if (!slice_equal(a, b)) {
        fail_msg("%.*s\nis not\n%.*s", SLICE_ARG(a), SLICE_ARG(b));
    }
}

/* What the last record had a shape of, it is made of again; also after writing and reading. */
static void assert_rebuilt(const struct rig *rig, bool again)
{
    struct slice texts[2 * SHAPE_HOLES + 1];
    struct buf out = {0}, file = {0};
    struct shape_set *set = NULL;
    size_t count;
    const uint32_t *holes = shape_holes(rig->set, rig->row->shape, &count);
    for (size_t i = 0; i < count; i++) {
        texts[i] = text_of(rig, holes[i]);
    }
    assert_int_equal(shape_join(rig->set, rig->row->shape, texts, &out), OK);
    assert_same(buf_slice(&out), rig->event.raw);
    if (again) {
        assert_int_equal(shape_write(rig->set, own_name, &file), OK);
        assert_int_equal(shape_read(buf_slice(&file), &set, NULL), OK);
        buf_clear(&out);
        assert_int_equal(shape_join(set, rig->row->shape, texts, &out), OK);
        assert_same(buf_slice(&out), rig->event.raw);
        shape_free(set);
    }
    buf_fini(&out);
    buf_fini(&file);
}

/* The shape of one record, which is rebuilt if it has one. */
static uint32_t split(struct rig *rig, struct slice record)
{
    memory_free(rig->block);
    rig->block = memory_alloc(record.size + BEHIND);
    assert_non_null(rig->block);
    memcpy(rig->block, record.at, record.size);
    json_decoder.begin(rig->reader, slice_of(rig->block, record.size), (struct slice){0});
    assert_int_equal(json_decoder.next(rig->reader, &rig->event, NULL), OK);
    shape_begin(rig->set, rig->event.raw);
    assert_int_equal(rig->event.form->walk(&rig->event, shape_value, rig->set), OK);
    rig->row = shape_end(rig->set);
    if (rig->row->shape != SHAPE_NONE) {
        assert_rebuilt(rig, false);
    }
    return rig->row->shape;
}

static uint32_t split_text(struct rig *rig, const char *record)
{
    return split(rig, slice_text(record));
}

static void records_of_one_form_share_a_shape(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(split_text(&rig, "{\"User\":\"eve\",\"Port\":22,\"x\":{\"y\":true}}"), 0);
    assert_int_equal(split_text(&rig, "{\"User\":\"\",\"Port\":-1.50e+3,\"x\":{\"y\":false}}"), 0);
    assert_int_equal(
            split_text(&rig, "{\"User\":\"a\\\\b\\\"\\n\",\"Port\":0,\"x\":{\"y\":true}}"), 0);
    assert_int_equal(rig.row->count, 3);
    assert_same(text_at(&rig, "User", 1), SLICE("a\\b\"\n"));
    assert_same(text_at(&rig, "x.y", 1), SLICE("true"));
    assert_false(rig.row->cut);
    size_t count;
    shape_holes(rig.set, 0, &count);
    assert_int_equal(count, 3);
    assert_rebuilt(&rig, true);
    rig_free(&rig);
}

static void blanks_and_order_make_another_shape(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(split_text(&rig, "{\"a\":\"1\",\"b\":\"2\"}"), 0);
    assert_int_equal(split_text(&rig, "{\"b\":\"1\",\"a\":\"2\"}"), 1);
    assert_int_equal(split_text(&rig, "{ \"a\" :\"1\",\t\"b\":\"2\"}"), 2);
    assert_int_equal(split_text(&rig, "{\"a\":1,\"b\":\"2\"}"), 3);
    assert_int_equal(split_text(&rig, "{\"b\":\"3\",\"a\":\"4\"}"), 1);
    assert_int_equal(split_text(&rig, "{\"a\":\"5\",\"b\":\"\"}"), 0);
    rig_free(&rig);
}

static void values_of_one_path_have_places(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(split_text(&rig, "{\"a\":[\"x\",\"y\",7],\"b\":1,\"a\":\"z\"}"), 0);
    assert_same(text_at(&rig, "a", 2), SLICE("y"));
    assert_same(text_at(&rig, "a", 4), SLICE("z"));
    assert_int_equal(rig.row->count, 5);
    assert_int_equal(split_text(&rig, "{\"a\":[\"p\",\"q\",8],\"b\":2,\"a\":\"r\"}"), 0);
    assert_same(text_at(&rig, "a", 4), SLICE("r"));
    rig_free(&rig);
}

static void nulls_and_empty_values_stay_literal(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(split_text(&rig, "{\"a\":null,\"b\":{},\"c\":[],\"d\":\"x\"}"), 0);
    assert_null(text_at(&rig, "a", 1).at);
    size_t count;
    shape_holes(rig.set, 0, &count);
    assert_int_equal(count, 1);
    assert_int_equal(rig.row->count, 3); /* b and c are there, without text */
    rig_free(&rig);
}

static void each_way_of_escaping_is_kept(void **state)
{
    (void)state;
    static const char *const values[] = {"\\u00e9\\u0001", "\\u00E9\\u000E", "a\\/b",
            "\\u003cb\\u003E", "\\u003cb\\u003e\\u0026", "it\\u0027s", "\\ud83d\\ude00 \\u4e2d",
            "\xF0\x9F\x98\x80", "\\b\\f\\n\\r\\t", "\\u00e9\\/\\u0027\\u003c"};
    struct rig rig = rig_new();
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct buf record = {0};
        buf_format(&record, "{\"v%u\":\"%s\"}", (unsigned)i, values[i]);
        size_t count;
        assert_int_equal(split(&rig, buf_slice(&record)), i);
        shape_holes(rig.set, rig.row->shape, &count);
        /* `<` in small letters and `>` in large ones: nobody writes so. */
        assert_int_equal(count, i != 3);
        buf_fini(&record);
    }
    rig_free(&rig);
}

static void an_escape_of_no_known_way_stays_literal(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(split_text(&rig, "{\"b\":\"z\",\"a\":\"\\ud800\"}"), 0);
    assert_false(rig.row->cut); /* the text is the value's: U+FFFD */
    assert_same(text_at(&rig, "a", 1), SLICE("\xEF\xBF\xBD"));
    assert_int_equal(split_text(&rig, "{\"b\":\"x\",\"a\":\"\\u0041\"}"), 1);
    assert_same(text_at(&rig, "a", 1), SLICE("A"));
    assert_int_equal(split_text(&rig, "{\"b\":\"y\",\"a\":\"\\ud800\"}"), 0);
    size_t count;
    shape_holes(rig.set, 0, &count);
    assert_int_equal(count, 1);
    rig_free(&rig);
}

static void a_path_that_is_ours_has_no_column(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    assert_int_equal(split_text(&rig, "{\"_lit\":\"x\",\"b\":\"y\"}"), SHAPE_NONE);
    assert_true(rig.row->cut);
    assert_same(text_at(&rig, "b", 1), SLICE("y"));
    rig_free(&rig);
}

/* A record given by hand: values as a decoder of text shows them. */
static uint32_t split_by_hand(struct rig *rig, struct slice raw, const struct value *values,
        const char *const *paths, size_t count)
{
    shape_begin(rig->set, raw);
    for (size_t i = 0; i < count; i++) {
        shape_value(rig->set, slice_text(paths[i]), &values[i]);
    }
    rig->row = shape_end(rig->set);
    rig->event.raw = raw;
    if (rig->row->shape != SHAPE_NONE) {
        assert_rebuilt(rig, true);
    }
    return rig->row->shape;
}

static void a_literal_that_differs_becomes_a_hole(void **state)
{
    (void)state;
    static const char *const paths[] = {"user"};
    struct rig rig = rig_new();
    uint32_t last = 0;
    for (unsigned i = 0; i < 100; i++) {
        struct buf line = {0};
        buf_format(&line, "12:%u:07 host%u app: user=u%u end", i, i % 3, i);
        struct slice raw = buf_slice(&line);
        size_t at = (size_t)((const char *)memmem(raw.at, raw.size, "=u", 2) - raw.at) + 1;
        size_t size = raw.size - 4 - at;
        struct value value = {.text = slice_of(raw.at + at, size), .kind = VALUE_STRING};
        last = split_by_hand(&rig, raw, &value, paths, 1);
        assert_int_not_equal(last, SHAPE_NONE);
        if (i == 99) {
            assert_same(text_at(&rig, "user", 1), SLICE("u99"));
            assert_same(text_at(&rig, SHAPE_LITERAL, 1), SLICE("12:99:07 host0"));
        }
        buf_fini(&line);
    }
    assert_int_equal(last, SHAPE_ALTERNATIVES);
    assert_int_equal(shape_count(rig.set), SHAPE_ALTERNATIVES + 1);
    rig_free(&rig);
}

static void made_values_are_found_in_the_record_and_kept(void **state)
{
    (void)state;
    static const char *const paths[] = {"a", "ok", "derived", "z"};
    struct rig rig = rig_new();
    struct slice raw = SLICE("<7> trueish true; end");
    char ok[] = "true", derived[] = "notice";
    struct value values[] = {{.text = slice_of(raw.at + 1, 1), .kind = VALUE_STRING},
            {.text = slice_of(ok, 4), .kind = VALUE_BOOL},
            {.text = slice_of(derived, 6), .kind = VALUE_STRING},
            {.text = slice_of(raw.at + 18, 3), .kind = VALUE_STRING}};
    shape_begin(rig.set, raw);
    for (size_t i = 0; i < 4; i++) {
        shape_value(rig.set, slice_text(paths[i]), &values[i]);
    }
    memset(ok, 'x', sizeof ok); /* gone after the walk */
    memset(derived, 'x', sizeof derived);
    rig.row = shape_end(rig.set);
    rig.event.raw = raw;
    assert_int_equal(rig.row->shape, 0);
    assert_rebuilt(&rig, true);
    assert_same(text_at(&rig, "ok", 1), SLICE("true"));
    assert_same(text_at(&rig, "derived", 1), SLICE("notice"));
    size_t count;
    shape_holes(rig.set, 0, &count);
    assert_int_equal(count, 3); /* not `derived` */
    rig_free(&rig);
}

static void values_out_of_order_and_within_others_are_no_harm(void **state)
{
    (void)state;
    static const char *const paths[] = {"late", "early", "whole", "again", "across"};
    struct rig rig = rig_new();
    struct slice raw = SLICE("one two three");
    struct value values[] = {{.text = slice_of(raw.at + 8, 5), .kind = VALUE_STRING},
            {.text = slice_of(raw.at, 3), .kind = VALUE_STRING},
            {.text = slice_of(raw.at, 7), .kind = VALUE_STRING},
            {.text = slice_of(raw.at, 7), .kind = VALUE_STRING},
            {.text = slice_of(raw.at + 5, 5), .kind = VALUE_STRING}};
    assert_int_equal(split_by_hand(&rig, raw, values, paths, 5), 0);
    assert_int_equal(rig.row->count, 5);
    size_t count;
    const uint32_t *holes = shape_holes(rig.set, 0, &count);
    assert_int_equal(count, 2);
    assert_same(shape_column(rig.set, holes[0]).path, SLICE("whole"));
    assert_same(shape_column(rig.set, holes[1]).path, SLICE("late"));
    rig_free(&rig);
}

static void a_record_that_is_no_utf8_is_mended_and_cut(void **state)
{
    (void)state;
    static const char *const paths[] = {"a"};
    struct rig rig = rig_new();
    struct slice raw = SLICE("x=\xFFz\xC3");
    struct value value = {.text = slice_of(raw.at + 2, 3), .kind = VALUE_STRING};
    assert_int_equal(split_by_hand(&rig, raw, &value, paths, 1), SHAPE_NONE);
    assert_true(rig.row->cut);
    assert_same(text_at(&rig, "a", 1), SLICE("\xEF\xBF\xBDz\xEF\xBF\xBD"));
    rig_free(&rig);
}

/* {"k0":0,"k1":1,...} or, with one key, {"k":0,"k":1,...} */
static void put_keys(struct buf *record, size_t count, bool one)
{
    buf_clear(record);
    buf_byte(record, '{');
    for (size_t i = 0; i < count; i++) {
        buf_add(record, i ? SLICE(",\"k") : SLICE("\"k"));
        if (!one) {
            buf_u64(record, i);
        }
        buf_add(record, SLICE("\":"));
        buf_u64(record, i);
    }
    buf_byte(record, '}');
}

static void bounds_hold_at_n_and_one_more(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    struct buf record = {0};
    for (int one = 0; one < 2; one++) {
        put_keys(&record, SHAPE_HOLES, one);
        assert_int_not_equal(split(&rig, buf_slice(&record)), SHAPE_NONE);
        put_keys(&record, SHAPE_HOLES + 1, one);
        assert_int_equal(split(&rig, buf_slice(&record)), SHAPE_NONE);
        assert_false(rig.row->cut);
        put_keys(&record, SHAPE_VALUES, one);
        assert_int_equal(split(&rig, buf_slice(&record)), SHAPE_NONE);
        assert_false(rig.row->cut);
        assert_int_equal(rig.row->count, SHAPE_VALUES);
        put_keys(&record, SHAPE_VALUES + 1, one);
        assert_int_equal(split(&rig, buf_slice(&record)), SHAPE_NONE);
        assert_true(rig.row->cut);
        assert_int_equal(rig.row->count, SHAPE_VALUES);
    }
    buf_fini(&record);
    rig_free(&rig);
}

static void a_long_path_or_skeleton_is_refused(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    for (size_t extra = 0; extra < 2; extra++) {
        struct buf record = {0};
        buf_add(&record, SLICE("{\""));
        for (size_t i = 0; i < SHAPE_PATH + extra; i++) {
            buf_byte(&record, 'p');
        }
        buf_add(&record, SLICE("\":\"v\"}"));
        assert_int_equal(split(&rig, buf_slice(&record)) == SHAPE_NONE, extra);
        assert_int_equal(rig.row->cut, extra);
        buf_clear(&record);
        buf_add(&record, SLICE("{\"v\":\"v\""));
        while (record.size < SHAPE_SKELETON + extra) {
            buf_byte(&record, ' ');
        }
        buf_byte(&record, '}');
        assert_int_equal(split(&rig, buf_slice(&record)) == SHAPE_NONE, extra);
        assert_false(rig.row->cut);
        buf_fini(&record);
    }
    rig_free(&rig);
}

static void shapes_end_at_their_limit(void **state)
{
    (void)state;
    struct rig rig = rig_new();
    struct buf record = {0};
    for (unsigned i = 0; i < SHAPE_LIMIT + 10; i++) {
        buf_clear(&record);
        buf_format(&record, "{\"k%u\":1,\"l%u\":2}", i / 100, i % 100);
        split(&rig, buf_slice(&record));
        bool made = split(&rig, buf_slice(&record)) != SHAPE_NONE;
        assert_int_equal(made, i < SHAPE_LIMIT);
    }
    assert_int_equal(shape_count(rig.set), SHAPE_LIMIT);
    assert_int_equal(split_text(&rig, "{\"k0\":7,\"l0\":9}"), 0);
    assert_rebuilt(&rig, true);
    buf_fini(&record);
    rig_free(&rig);
}

/* ---- any JSON -------------------------------------------------------------------------------- */

/* Numbers that look random (splitmix64). */
struct dice {
    uint64_t state;
};

static uint32_t dice_below(struct dice *dice, uint32_t n)
{
    uint64_t z = dice->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) % n);
}

static bool dice_one_in(struct dice *dice, uint32_t n)
{
    return dice_below(dice, n) == 0;
}

static void put_string(struct dice *dice, struct buf *out)
{
    static const char *const pieces[] = {"a", "Zebra", " ", "\\\"", "\\\\", "\\/", "/", "\\b",
            "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\u001f", "\\u001F", "\\u0041", "\\u00e9",
            "\\u00E9", "\xC3\xA9", "\\ud83d\\ude00", "\\uD83D\\uDE00", "\xF0\x9F\x98\x80",
            "\\ud800", "<", "\\u003c", "\\u003C", "'", "\\u0027", "&", "true", "null",
            "0123456789abcdefghijk", "\x7F", "{", "\\u2028"};
    buf_byte(out, '"');
    for (uint32_t n = dice_below(dice, 5); n > 0; n--) {
        buf_add(out, slice_text(pieces[dice_below(dice, sizeof pieces / sizeof *pieces)]));
    }
    buf_byte(out, '"');
}

static void put_blanks(struct dice *dice, struct buf *out)
{
    while (dice_one_in(dice, 12)) {
        buf_byte(out, dice_one_in(dice, 2) ? ' ' : '\t');
    }
}

static void put_scalar(struct dice *dice, struct buf *out)
{
    static const char *const words[] = {"true", "false", "null", "{}", "[]", "0", "-0", "1e5",
            "1E+5", "12.50", "0.1", "-7", "18446744073709551616"};
    if (dice_one_in(dice, 2)) {
        put_string(dice, out);
    } else {
        buf_add(out, slice_text(words[dice_below(dice, sizeof words / sizeof *words)]));
    }
}

/* An object of few keys, so that paths and shapes come again, and at most two levels below. */
static void put_object(struct dice *dice, struct buf *out, int level)
{
    static const char *const keys[] = {"a", "b", "a.b", "true", "", "\\u0061", "#2", "a#2", "_raw"};
    buf_byte(out, '{');
    for (uint32_t n = dice_below(dice, 5), i = 0; i < n; i++) {
        buf_add(out, i ? SLICE(",") : SLICE(""));
        put_blanks(dice, out);
        buf_format(out, "\"%s\"", keys[dice_below(dice, sizeof keys / sizeof *keys)]);
        put_blanks(dice, out);
        buf_byte(out, ':');
        put_blanks(dice, out);
        if (level < 2 && dice_one_in(dice, 5)) {
            put_object(dice, out, level + 1); /* two levels at most */
        } else if (dice_one_in(dice, 6)) {
            buf_byte(out, '[');
            put_scalar(dice, out);
            buf_byte(out, ',');
            put_scalar(dice, out);
            buf_byte(out, ']');
        } else {
            put_scalar(dice, out);
        }
        put_blanks(dice, out);
    }
    buf_byte(out, '}');
}

static void any_json_is_rebuilt_or_refused(void **state)
{
    (void)state;
    uint64_t shaped = 0, total = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct dice dice = {.state = ~(seed << 32)};
        struct rig rig = rig_new();
        for (int i = 0; i < 500; i++, total++) {
            struct buf record = {0};
            put_object(&dice, &record, 0);
            shaped += split(&rig, buf_slice(&record)) != SHAPE_NONE;
            if (rig.row->shape != SHAPE_NONE && i % 100 == 99) {
                assert_rebuilt(&rig, true);
            }
            buf_fini(&record);
        }
        rig_free(&rig);
    }
    assert_true(shaped > total / 2);
}

/* ---- what is read ---------------------------------------------------------------------------- */

static void damaged_shapes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err e;
    } cases[] = {
            {"{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[0,1,0],[0]]}", OK},
            {"{\"columns\":[],\"literals\":[],\"shapes\":[]}", OK},
            {"", ERR_SYNTAX},
            {"[]", ERR_SYNTAX},
            {"{\"columns\":[],\"literals\":[]}", ERR_SYNTAX},
            {"{\"columns\":{},\"literals\":[],\"shapes\":[]}", ERR_SYNTAX},
            {"{\"columns\":[1],\"literals\":[],\"shapes\":[]}", ERR_SYNTAX},
            {"{\"columns\":[],\"literals\":[1],\"shapes\":[]}", ERR_SYNTAX},
            {"{\"columns\":[],\"literals\":[],\"shapes\":[1]}", ERR_SYNTAX},
            {"{\"columns\":[],\"literals\":[],\"shapes\":[[]]}", ERR_SYNTAX},
            {"{\"columns\":[],\"literals\":[],\"shapes\":[[0]]}", ERR_SYNTAX},
            {"{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[0,0]]}", ERR_SYNTAX},
            {"{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[0,64,0]]}", ERR_SYNTAX},
            {"{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[0,2,0]]}", ERR_SYNTAX},
            {"{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[0,-1,0]]}", ERR_SYNTAX},
            {"{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[0,0,1]]}", ERR_SYNTAX},
            {"{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[4294967296]]}", ERR_SYNTAX},
            {"{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[\"0\"]]}", ERR_SYNTAX},
            {"{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[[[0]]]]}", ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shape_set *set = NULL;
        struct diag diag = {0};
        enum err e = shape_read(slice_text(cases[i].text), &set, &diag);
        if (e != cases[i].e) {
            fail_msg("%s: %s %s", cases[i].text, err_name(e), diag.words);
        }
        assert_int_equal(set != NULL, e == OK);
        shape_free(set);
    }
}

static enum err read_many(const char *first, size_t count, const char *piece, const char *last)
{
    struct buf text = {0};
    struct shape_set *set = NULL;
    buf_add(&text, slice_text(first));
    for (size_t i = 0; i < count; i++) {
        buf_add(&text, slice_text(piece));
    }
    buf_add(&text, slice_text(last));
    enum err e = shape_read(buf_slice(&text), &set, NULL);
    shape_free(set);
    buf_fini(&text);
    return e;
}

static void bounds_of_what_is_read_hold(void **state)
{
    (void)state;
    const char *columns = "\"],\"literals\":[\"\"],\"shapes\":[]}";
    assert_int_equal(read_many("{\"columns\":[\"", SHAPE_COLUMNS - 1, "\",\"", columns), OK);
    assert_int_equal(read_many("{\"columns\":[\"", SHAPE_COLUMNS, "\",\"", columns), ERR_LIMIT);
    const char *shapes = "{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[0]";
    assert_int_equal(read_many(shapes, SHAPE_LIMIT - 1, ",[0]", "]}"), OK);
    assert_int_equal(read_many(shapes, SHAPE_LIMIT, ",[0]", "]}"), ERR_LIMIT);
    const char *holes = "{\"columns\":[\"a\"],\"literals\":[\"x\"],\"shapes\":[[0";
    assert_int_equal(read_many(holes, 2 * SHAPE_HOLES + 1, ",0,0", "]]}"), OK);
    assert_int_equal(read_many(holes, 2 * SHAPE_HOLES + 2, ",0,0", "]]}"), ERR_LIMIT);
    const char *bytes = "{\"columns\":[],\"shapes\":[[0]],\"literals\":[\"";
    assert_int_equal(read_many(bytes, SHAPE_SKELETON, "x", "\"]}"), OK);
    assert_int_equal(read_many(bytes, SHAPE_SKELETON + 1, "x", "\"]}"), ERR_LIMIT);
}

static void without_memory_nothing_breaks(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 60; n++) {
        struct rig rig = rig_new();
        struct shape_set *other = NULL;
        struct slice raw = SLICE("{\"a\":\"b\\nc\"}");
        struct value value = {
                .text = slice_of(raw.at + 6, 4), .kind = VALUE_STRING, .form = FORM_JSON};
        memory_fail_after(n);
        enum err e = shape_new(&other);
        shape_begin(rig.set, raw);
        shape_value(rig.set, SLICE("a"), &value);
        const struct shape_row *row = shape_end(rig.set);
        struct buf out = {0};
        struct shape_set *read = NULL;
        enum err wrote = shape_write(rig.set, own_name, &out);
        enum err readable = wrote == OK ? shape_read(buf_slice(&out), &read, NULL) : ERR_MEMORY;
        memory_fail_after(0);
        assert_true(e == OK || e == ERR_MEMORY);
        assert_true(wrote == OK || wrote == ERR_MEMORY);
        assert_true(readable == OK || readable == ERR_MEMORY);
        assert_true(row->shape == 0 || row->shape == SHAPE_NONE);
        shape_free(other);
        shape_free(read);
        buf_fini(&out);
        rig_free(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(records_of_one_form_share_a_shape),
            cmocka_unit_test(blanks_and_order_make_another_shape),
            cmocka_unit_test(values_of_one_path_have_places),
            cmocka_unit_test(nulls_and_empty_values_stay_literal),
            cmocka_unit_test(each_way_of_escaping_is_kept),
            cmocka_unit_test(an_escape_of_no_known_way_stays_literal),
            cmocka_unit_test(a_path_that_is_ours_has_no_column),
            cmocka_unit_test(a_literal_that_differs_becomes_a_hole),
            cmocka_unit_test(made_values_are_found_in_the_record_and_kept),
            cmocka_unit_test(values_out_of_order_and_within_others_are_no_harm),
            cmocka_unit_test(a_record_that_is_no_utf8_is_mended_and_cut),
            cmocka_unit_test(bounds_hold_at_n_and_one_more),
            cmocka_unit_test(a_long_path_or_skeleton_is_refused),
            cmocka_unit_test(shapes_end_at_their_limit),
            cmocka_unit_test(any_json_is_rebuilt_or_refused),
            cmocka_unit_test(damaged_shapes_are_refused),
            cmocka_unit_test(bounds_of_what_is_read_hold),
            cmocka_unit_test(without_memory_nothing_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
