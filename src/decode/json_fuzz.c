/* Any bytes as a stream of JSON. The first byte chooses the size of pieces. Held true: nothing
 * depends on it, nor on AVX2, nor on what was read before; cutter and reader count the same
 * records; a record written out reads as itself. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "decode/json.h"
#include "decode/json_envelope.h"
#include "decode/json_scan.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fields *fields;
static struct paths *paths;
static struct event event;
static const struct decode_limits limits = {.record_bytes = 4096, .depth = 16, .keys = 64};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void set_up(void)
{
    static const char *const names[] = {"a", "b", "EventID", "Image", "x.y"};
    static const struct path_pattern patterns[] = {{{"*", 1}, {"*", 1}, false},
            {{"Event.EventData.*", 17}, {"*", 1}, true},
            {{"Event.System.EventID", 20}, {"EventID", 7}, false},
            {{"\x01json", 5}, {"\x01json", 5}, false}, {{"j", 1}, {"\x01json", 5}, false},
            {{"\x01pairs", 6}, {"\x01pairs", 6}, false}, {{"x", 1}, {"\x01pairs", 6}, false}};
    fields = field_table_new();
    for (size_t i = 0; fields && i < sizeof names / sizeof *names; i++) {
        uint32_t id;
        check(field_intern(fields, slice_text(names[i]), &id) == OK);
    }
    check(paths_build(fields, patterns, sizeof patterns / sizeof *patterns, &paths) == OK);
    check(event_init(&event, paths->field_count) == OK);
}

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

static void add_event(struct buf *out)
{
    struct buf scratch = {0};
    for (uint32_t i = 0; i < event.field_count; i++) {
        for (const struct value *v = event_value(&event, i); v; v = event_next(&event, v)) {
            buf_format(out, "%u %d ", i, v->kind);
            buf_add(out, value_slice(v, &scratch));
        }
    }
    buf_fini(&scratch);
    check(event.form->walk(&event, add_leaf, out) == OK);
}

/* Written out and read again it has the same leaves. */
static void check_written(struct reader *reader)
{
    struct buf first = {0}, written = {0}, second = {0};
    check(event.form->walk(&event, add_leaf, &first) == OK);
    event.form->write_json(&event, &written);
    buf_byte(&written, '\n');
    size_t size = written.size;
    check(size <= limits.record_bytes + 1 && buf_reserve(&written, 64));
    json_decoder.begin(reader, slice_of(written.at, size), (struct slice){0});
    check(json_decoder.next(reader, &event, NULL) == OK);
    check(event.form->walk(&event, add_leaf, &second) == OK);
    check(slice_equal(buf_slice(&first), buf_slice(&second)));
    check(json_decoder.next(reader, &event, NULL) == ERR_END);
    buf_fini(&first);
    buf_fini(&written);
    buf_fini(&second);
}

static uint64_t read_block(
        struct reader *reader, struct reader *other, struct slice block, struct buf *out)
{
    char *copy = malloc(block.size + 64); /* so that a byte more is seen */
    check(copy != NULL);
    memcpy(copy, block.at, block.size);
    for (size_t i = 0; i < 64; i++) {
        copy[block.size + i] = block.at[i % block.size]; /* as if it went on */
    }
    uint64_t records = 0;
    enum err e;
    struct diag diag = {0};
    json_decoder.begin(reader, slice_of(copy, block.size), (struct slice){0});
    while ((e = json_decoder.next(reader, &event, &diag)) != ERR_END) {
        records++;
        if (e == OK) {
            add_event(out);
            check_written(other);
        } else {
            buf_format(out, "%d %u %s\n", (int)e, diag.column, diag.words);
        }
    }
    free(copy);
    return records;
}

static void run(struct reader *reader, struct slice stream, size_t piece, struct buf *out)
{
    static struct reader *other;
    struct cutter cutter = {.limits = limits};
    size_t have = 0, from = 0;
    if (!other) {
        check(json_decoder.reader_new(paths, &limits, &other) == OK);
    }
    for (bool last = false; !last || have > 0;) {
        size_t left = stream.size - from - have;
        have += left < piece ? left : piece;
        last = from + have == stream.size;
        struct cut cut = {0};
        struct diag diag = {0};
        check(json_decoder.cut(&cutter, slice_of(stream.at + from, have), last, &cut, &diag) == OK);
        check(cut.skip + cut.size <= have);
        check(!last || have == 0 || cut.skip + cut.size > 0);
        check(last || cut.skip + cut.size > 0 ||
                have <= limits.record_bytes + 64 + JSON_ENVELOPE_HEAD);
        for (uint64_t i = 0; i < cut.rejected; i++) {
            buf_format(out, "cut %s\n", diag.words);
        }
        if (cut.said) {
            buf_format(out, "said %s\n", diag.words);
        }
        if (cut.size) {
            struct slice block = slice_of(stream.at + from + cut.skip, cut.size);
            check(read_block(reader, other, block, out) == cut.records);
        }
        from += cut.skip + cut.size;
        have -= cut.skip + cut.size;
    }
}

/* One reader knows the shapes of all inputs before, the other none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!paths) {
        set_up();
    }
    if (size == 0) {
        return 0;
    }
    struct slice stream = slice_of((const char *)data + 1, size - 1);
    struct buf whole = {0}, pieces = {0};
    check(json_decoder.recognise(stream, true) <= 100);
    static struct reader *warm;
    struct reader *cold;
    if (!warm) {
        check(json_decoder.reader_new(paths, &limits, &warm) == OK);
    }
    run(warm, stream, size, &whole);
    json_scan_portable(true);
    check(json_decoder.reader_new(paths, &limits, &cold) == OK);
    run(cold, stream, (size_t)(data[0] % 64) + 1, &pieces);
    json_decoder.reader_free(cold);
    json_scan_portable(false);
    if (!slice_equal(buf_slice(&whole), buf_slice(&pieces))) {
        fprintf(stderr, "whole:\n%.*s\npieces:\n%.*s\n", SLICE_ARG(buf_slice(&whole)),
                SLICE_ARG(buf_slice(&pieces)));
        abort();
    }
    buf_fini(&whole);
    buf_fini(&pieces);
    return 0;
}
