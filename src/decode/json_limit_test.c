/* The JSON reader at its limits, N and N+1, and under hostile input: the bad record is named, the
 * good one beside it is read, and no piece of the stream is held for longer than a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "decode/json.h"
#include "decode/json_envelope.h"
#include "decode/json_shape.h"
#include "decode/json_span.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

enum { PIECE = 64 << 10 };

static struct fields *fields;
static struct paths *paths;
static struct event event;

static int set_up(void **state)
{
    (void)state;
    uint32_t id;
    fields = field_table_new();
    assert_int_equal(field_intern(fields, SLICE("a"), &id), OK);
    const struct path_pattern pattern = {SLICE("*"), SLICE("*"), false};
    assert_int_equal(paths_build(fields, &pattern, 1, &paths), OK);
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

struct result {
    uint64_t good, bad;
    size_t held;            /* most bytes that were kept for the next piece */
    char first[DIAG_WORDS]; /* why the first bad record was rejected */
    uint64_t ordinal;       /* its number, from 0 */
};

static void note(struct result *result, const struct diag *diag)
{
    if (result->bad++ == 0) {
        memcpy(result->first, diag->words, sizeof result->first);
        result->ordinal = result->good;
    }
}

static void read_block(struct reader *reader, struct slice block, struct result *result)
{
    struct diag diag = {0};
    enum err e;
    char *copy = malloc(block.size + 64);
    assert_non_null(copy);
    memcpy(copy, block.at, block.size);
    json_decoder.begin(reader, slice_of(copy, block.size), (struct slice){0});
    while ((e = json_decoder.next(reader, &event, &diag)) != ERR_END) {
        result->good += e == OK;
        if (e != OK) {
            note(result, &diag);
        }
    }
    free(copy);
}

static struct result read_stream(struct slice stream, struct decode_limits limits)
{
    struct result result = {0};
    struct reader *reader;
    struct cutter cutter = {.limits = limits};
    size_t have = 0, from = 0;
    assert_int_equal(json_decoder.reader_new(paths, &limits, &reader), OK);
    for (bool last = false; !last || have > 0;) {
        size_t left = stream.size - from - have, want = have ? have : PIECE;
        have += left < want ? left : want;
        last = from + have == stream.size;
        struct cut cut = {0};
        struct diag diag = {0};
        assert_int_equal(
                json_decoder.cut(&cutter, slice_of(stream.at + from, have), last, &cut, &diag), OK);
        assert_true(!last || cut.skip + cut.size > 0 || have == 0);
        for (uint64_t i = 0; i < cut.rejected; i++) {
            note(&result, &diag);
        }
        if (cut.size) {
            read_block(reader, slice_of(stream.at + from + cut.skip, cut.size), &result);
        }
        from += cut.skip + cut.size;
        have -= cut.skip + cut.size;
        result.held = have > result.held ? have : result.held;
    }
    json_decoder.reader_free(reader);
    return result;
}

static void repeat(struct buf *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        buf_add(out, slice_text(text));
    }
}

/* The record alone, before and behind a good one; as a line, a line without an end, in an array. */
static void expect(struct slice record, struct decode_limits limits, const char *words)
{
    static const struct {
        const char *before, *behind;
        uint64_t good;
    } around[] = {
            {"", "\n", 0},
            {"", "", 0},
            {"{\"a\":1}\n", "\n{\"a\":2}\n", 2},
            {"{\"a\":1}\n", "", 1},
            {"[{\"a\":1},", ",{\"a\":2}]", 2},
            {"[{\"a\":1} , ", "]", 1},
    };
    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        struct buf text = {0};
        buf_add(&text, slice_text(around[i].before));
        buf_add(&text, record);
        buf_add(&text, slice_text(around[i].behind));
        struct result result = read_stream(buf_slice(&text), limits);
        assert_int_equal(result.bad, words ? 1 : 0);
        assert_int_equal(result.good, around[i].good + (words ? 0 : 1));
        if (words) {
            assert_int_equal(result.ordinal, around[i].before[0] ? 1 : 0);
            assert_non_null(strstr(result.first, words));
        }
        assert_true(result.held <= 2 * limits.record_bytes + PIECE);
        buf_fini(&text);
    }
}

static void depth_is_limited(void **state)
{
    (void)state;
    for (uint32_t limit = 1; limit < 200; limit += 66) {
        for (uint32_t depth = limit; depth <= limit + 1; depth++) {
            struct decode_limits limits = DECODE_LIMITS;
            struct buf objects = {0}, arrays = {0};
            limits.depth = limit;
            repeat(&objects, "{\"b\":", depth - 1);
            repeat(&objects, "{}", 1);
            repeat(&objects, "}", depth - 1);
            repeat(&arrays, "{\"a\":", 1);
            repeat(&arrays, "[", depth - 1);
            repeat(&arrays, depth == 1 ? "1" : "", 1);
            repeat(&arrays, "]", depth - 1);
            repeat(&arrays, "}", 1);
            const char *words = depth > limit ? "nested deeper than" : NULL;
            expect(buf_slice(&objects), limits, words);
            expect(buf_slice(&arrays), limits, depth > 1 ? words : NULL);
            buf_fini(&objects);
            buf_fini(&arrays);
        }
    }
}

static void keys_are_limited(void **state)
{
    (void)state;
    for (uint32_t limit = 1; limit < 5000; limit = limit * 10 + 7) {
        for (uint32_t keys = limit; keys <= limit + 1; keys++) {
            struct decode_limits limits = DECODE_LIMITS;
            struct buf text = {0};
            limits.keys = limit;
            for (uint32_t i = 0; i < keys; i++) {
                buf_format(&text, "%s\"%u\":{}", i ? "," : "{", i);
            }
            buf_byte(&text, '}');
            expect(buf_slice(&text), limits, keys > limit ? "more than" : NULL);
            buf_fini(&text);
        }
    }
}

/* The same key over and over is one shape, whatever the number. */
static void keys_of_a_known_shape_are_limited(void **state)
{
    (void)state;
    for (uint32_t keys = 40; keys <= 41; keys++) {
        struct decode_limits limits = DECODE_LIMITS;
        struct buf text = {0};
        limits.keys = 40;
        repeat(&text, "{\"b\":0", 1);
        repeat(&text, ",\"b\":0", 39);
        repeat(&text, "}\n{\"b\":0", 1);
        repeat(&text, ",\"b\":0", keys - 1);
        repeat(&text, "}\n", 1);
        struct result result = read_stream(buf_slice(&text), limits);
        assert_int_equal(result.bad, keys > 40);
        buf_fini(&text);
    }
}

static void bytes_are_limited(void **state)
{
    (void)state;
    for (size_t limit = 100; limit < 10 * PIECE; limit = limit * 50 + 3) {
        for (size_t size = limit; size <= limit + 1; size++) {
            struct decode_limits limits = DECODE_LIMITS;
            struct buf text = {0};
            limits.record_bytes = limit;
            repeat(&text, "{\"a\":\"", 1);
            repeat(&text, "x", size - 8);
            repeat(&text, "\"}", 1);
            expect(buf_slice(&text), limits, size > limit ? "record longer than" : NULL);
            buf_fini(&text);
        }
    }
}

static void values_of_one_field_are_limited(void **state)
{
    (void)state;
    for (size_t values = (size_t)EVENT_MORE_LIMIT + 1; values <= (size_t)EVENT_MORE_LIMIT + 2;
            values++) {
        struct decode_limits limits = DECODE_LIMITS;
        struct buf text = {0};
        limits.keys = EVENT_MORE_LIMIT * 4; /* so that it is read by its shape */
        repeat(&text, "{\"a\":[1", 1);
        repeat(&text, ",1", values - 1);
        repeat(&text, "]}", 1);
        expect(buf_slice(&text), limits,
                values > (size_t)EVENT_MORE_LIMIT + 1 ? "more than" : NULL);
        buf_fini(&text);
    }
}

/* Not through expect(): brackets that never close take all that follows in an array with them. */
static void ten_million_brackets_cost_one_line(void **state)
{
    (void)state;
    static const char *const brackets[] = {"[", "{\"a\":", "{\"a\":[", "]", "{"};
    for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++) {
        struct decode_limits limits = DECODE_LIMITS;
        struct buf text = {0};
        repeat(&text, "{\"a\":1}\n", 1);
        repeat(&text, brackets[i], 10000000 / strlen(brackets[i]));
        repeat(&text, "\n{\"a\":2}\n", 1);
        struct result result = read_stream(buf_slice(&text), limits);
        assert_int_equal(result.good, 2);
        assert_int_equal(result.bad, 1);
        assert_int_equal(result.ordinal, 1);
        buf_fini(&text);
    }
}

/* What cannot be told from an array that goes on must not take the lines behind it along. */
static void a_stream_may_begin_with_ten_million_brackets(void **state)
{
    (void)state;
    static const char *const starts[] = {"[", "{\"a\":", "{\"a\":[", "{", "[{\"a\":"};
    const struct decode_limits limits = DECODE_LIMITS;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        for (size_t size = 10000000; size <= 40000000; size += 30000000) {
            struct buf text = {0};
            repeat(&text, starts[i], size / strlen(starts[i]));
            struct slice head = slice_of(text.at, 64 << 10);
            assert_true(json_decoder.recognise(head, false) > 0);
            repeat(&text, "\n{\"a\":1}\n{\"a\":2}\n", 1);
            struct result result = read_stream(buf_slice(&text), limits);
            assert_int_equal(result.good, 2);
            assert_int_equal(result.bad, 1);
            assert_int_equal(result.ordinal, 0);
            assert_true(result.held <= limits.record_bytes * 2);
            buf_fini(&text);
        }
    }
}

static void a_stream_may_begin_with_40_megabytes_of_blanks(void **state)
{
    (void)state;
    static const char *const blanks[] = {" ", "\n", " \t\r\n"};
    static const char *const records[] = {
            "{\"a\":1}\n{\"a\":2}\n", "[{\"a\":1},\n{\"a\":2}]", "{\n\"a\":1\n}\n{\"a\":2}"};
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
        struct buf text = {0};
        repeat(&text, blanks[i], 40000000 / strlen(blanks[i]));
        assert_true(json_decoder.recognise(slice_of(text.at, 64 << 10), false) > 0);
        repeat(&text, records[i], 1);
        struct result result = read_stream(buf_slice(&text), (struct decode_limits)DECODE_LIMITS);
        assert_int_equal(result.good, 2);
        assert_int_equal(result.bad, 0);
        assert_true(result.held <= PIECE);
        buf_fini(&text);
    }
}

/* `depth` brackets open, then a line that begins with a brace where a value may stand. */
static struct result read_deep(size_t depth)
{
    struct decode_limits limits = DECODE_LIMITS;
    struct buf text = {0};
    limits.depth = JSON_SPAN_DEEP * 2;
    repeat(&text, "{\n\"a\":", 1);
    repeat(&text, "[", depth - 1);
    repeat(&text, "\n{\"a\":1}", 1);
    repeat(&text, "]", depth - 1);
    repeat(&text, "}\n", 1);
    struct result result = read_stream(buf_slice(&text), limits);
    buf_fini(&text);
    return result;
}

static void a_brace_at_a_front_ends_a_value_that_is_too_deep(void **state)
{
    (void)state;
    struct result result = read_deep(JSON_SPAN_DEEP);
    assert_int_equal(result.good, 1);
    assert_int_equal(result.bad, 0);
    result = read_deep(JSON_SPAN_DEEP + 1);
    assert_true(result.bad > 0);
    assert_int_equal(result.ordinal, 0);
}

/* An object whose array of two records begins behind `size` bytes. */
static uint64_t read_head(size_t size)
{
    static const char start[] = "{\"x\":\"", end[] = "\",\"Records\":[";
    struct buf text = {0};
    repeat(&text, start, 1);
    repeat(&text, "y", size - (sizeof start - 1) - (sizeof end - 1));
    repeat(&text, end, 1);
    repeat(&text, "{\"a\":1},{\"a\":2}]}\n", 1);
    struct result result = read_stream(buf_slice(&text), (struct decode_limits)DECODE_LIMITS);
    buf_fini(&text);
    assert_int_equal(result.bad, 0);
    return result.good;
}

static void an_envelope_is_known_by_its_first_bytes(void **state)
{
    (void)state;
    /* with the first record's brace */
    assert_int_equal(read_head(JSON_ENVELOPE_HEAD - 1), 2);
    assert_int_equal(read_head(JSON_ENVELOPE_HEAD), 1);
}

/* 100 MB in one object are cut as they come; what stands behind the array may be too long. */
static void an_envelope_is_not_held(void **state)
{
    (void)state;
    struct decode_limits limits = DECODE_LIMITS;
    struct buf text = {0};
    repeat(&text, "{\"Records\":[{\"a\":0}", 1);
    repeat(&text, ",{\"a\":12345678901234567890123456789012345678901234567890}", 1700000);
    repeat(&text, "],\"x\":\"", 1);
    repeat(&text, "yyyyyyyy", (limits.record_bytes >> 3) + 10);
    repeat(&text, "\"}\n{\"a\":1}\n", 1);
    struct result result = read_stream(buf_slice(&text), limits);
    assert_int_equal(result.good, 1700002);
    assert_int_equal(result.bad, 1);
    assert_int_equal(result.ordinal, 1700001);
    assert_true(result.held <= limits.record_bytes * 2);
    buf_fini(&text);
}

static void a_line_of_60_megabytes_is_skipped_as_it_comes(void **state)
{
    (void)state;
    struct decode_limits limits = DECODE_LIMITS;
    struct buf text = {0};
    repeat(&text, "{\"a\":\"0123456789012345678901234567890123456789", 1);
    while (text.size < 60000000) {
        repeat(&text, "0123456789 \\\" 01234567890123456789,{}", 1000);
    }
    repeat(&text, "\"}", 1);
    expect(buf_slice(&text), limits, "record longer than 16777216 bytes");
    buf_fini(&text);
}

static void three_hundred_thousand_keys_are_refused_or_read(void **state)
{
    (void)state;
    struct decode_limits limits = DECODE_LIMITS;
    struct buf text = {0};
    for (uint32_t i = 0; i < 300000; i++) {
        buf_format(&text, "%s\"key%u\":%u", i ? "," : "{", i, i);
    }
    buf_byte(&text, '}');
    expect(buf_slice(&text), limits, "more than 100000 keys");
    limits.keys = 300000;
    expect(buf_slice(&text), limits, NULL);
    buf_fini(&text);
}

/* More shapes than are kept, several times over. */
static void shapes_that_never_come_back_change_nothing(void **state)
{
    (void)state;
    struct decode_limits limits = DECODE_LIMITS;
    struct buf text = {0};
    const uint64_t records = JSON_SHAPE_PATIENCE * 2 + JSON_SHAPE_STEPS;
    for (uint32_t i = 0; i < records; i++) {
        buf_format(&text, "{\"k%u\":{\"l%u\":\"x\"},\"a\":%u}\n{\"a\":1}\n", i, i, i);
        if (i % 1000 == 0) {
            repeat(&text, "{\"a\":1,}\n", 1);
        }
    }
    struct result result = read_stream(buf_slice(&text), limits);
    assert_int_equal(result.good, records * 2);
    assert_int_equal(result.bad, (records + 999) / 1000);
    buf_fini(&text);
}

/* Every allocation fails once: never a crash, and each record is read or rejected. */
static void no_memory_rejects_records_by_name(void **state)
{
    (void)state;
    const struct slice block = SLICE("{\"\\u0061\":\"x\",\"b\":[1]}\n{\"a\":1}\n");
    struct decode_limits limits = DECODE_LIMITS;
    uint64_t good = 0;
    for (uint64_t n = 1; good < 2 && n < 100; n++) {
        struct reader *reader = NULL;
        struct result result = {0};
        memory_fail_after(n);
        if (json_decoder.reader_new(paths, &limits, &reader) == OK) {
            read_block(reader, block, &result);
            assert_int_equal(result.good + result.bad, 2);
            good = result.good;
        } else {
            assert_null(reader);
        }
        memory_fail_after(0);
        json_decoder.reader_free(reader);
    }
    assert_int_equal(good, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(depth_is_limited),
            cmocka_unit_test(keys_are_limited),
            cmocka_unit_test(keys_of_a_known_shape_are_limited),
            cmocka_unit_test(bytes_are_limited),
            cmocka_unit_test(values_of_one_field_are_limited),
            cmocka_unit_test(ten_million_brackets_cost_one_line),
            cmocka_unit_test(a_stream_may_begin_with_ten_million_brackets),
            cmocka_unit_test(a_stream_may_begin_with_40_megabytes_of_blanks),
            cmocka_unit_test(a_brace_at_a_front_ends_a_value_that_is_too_deep),
            cmocka_unit_test(an_envelope_is_known_by_its_first_bytes),
            cmocka_unit_test(an_envelope_is_not_held),
            cmocka_unit_test(a_line_of_60_megabytes_is_skipped_as_it_comes),
            cmocka_unit_test(three_hundred_thousand_keys_are_refused_or_read),
            cmocka_unit_test(shapes_that_never_come_back_change_nothing),
            cmocka_unit_test(no_memory_rejects_records_by_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
