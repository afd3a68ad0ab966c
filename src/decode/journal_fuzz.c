/* Any bytes as an export of the journal. The first byte chooses the size of pieces. Held true:
 * nothing depends on it; cutter and reader count the same records; rules and people see the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "decode/journal.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fields *fields;
static struct paths *paths;
static struct reader *reader;
static struct event event;
static const struct decode_limits limits = {.record_bytes = 1024, .depth = 16, .keys = 64};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void set_up(void)
{
    static const struct path_pattern patterns[] = {{{"*", 1}, {"*", 1}, false}};
    uint32_t id;
    fields = field_table_new();
    check(fields && field_intern(fields, SLICE("MESSAGE"), &id) == OK);
    check(paths_build(fields, patterns, 1, &paths) == OK);
    check(event_init(&event, paths->field_count) == OK);
    check(journal_decoder.reader_new(paths, &limits, &reader) == OK);
}

static bool add_message(void *context, struct slice path, const struct value *value)
{
    if (slice_equal(path, SLICE("MESSAGE"))) {
        buf_add(context, value->text);
        buf_byte(context, '\n');
    }
    return true;
}

static void add_record(struct buf *out)
{
    struct buf cold = {0};
    size_t before = out->size;
    for (const struct value *v = event_value(&event, 0); v; v = event_next(&event, v)) {
        buf_add(out, v->text);
        buf_byte(out, '\n');
    }
    check(event.form->walk(&event, add_message, &cold) == OK);
    check(slice_equal(buf_slice(&cold), slice_of(out->at + before, out->size - before)) ||
            (cold.size == 0 && out->size == before));
    buf_fini(&cold);
    event.form->write_json(&event, out);
}

static uint64_t read_block(struct slice block, struct buf *out)
{
    char *bytes = memory_alloc(block.size + 64);
    struct diag diag;
    uint64_t count = 0;
    enum err e;
    check(bytes != NULL);
    memcpy(bytes, block.at, block.size);
    journal_decoder.begin(reader, slice_of(bytes, block.size), (struct slice){0});
    while ((e = journal_decoder.next(reader, &event, &diag)) != ERR_END) {
        count++;
        buf_format(out, "%d ", e);
        if (e == OK) {
            add_record(out);
        }
    }
    memory_free(bytes);
    return count;
}

/* A stream that arrives in pieces. */
static void read_stream(struct slice stream, size_t piece, struct buf *out)
{
    struct cutter cutter = {.limits = limits};
    size_t start = 0, end = 0;
    bool last = false;
    while (!last || start < end) {
        struct cut cut;
        struct diag diag;
        struct slice bytes = slice_of(stream.at + start, end - start);
        check(journal_decoder.cut(&cutter, bytes, last, &cut, &diag) == OK);
        for (uint64_t i = 0; i < cut.rejected; i++) {
            buf_format(out, "%d ", ERR_LIMIT);
        }
        if (cut.size > 0) {
            check(read_block(slice_of(bytes.at + cut.skip, cut.size), out) == cut.records);
        }
        start += cut.skip + cut.size;
        if (cut.skip + cut.size == 0) {
            check(!last || start == end);
            end = stream.size - end < piece ? stream.size : end + piece;
            last = end == stream.size;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = {0}, pieces = {0};
    if (size == 0) {
        return 0;
    }
    if (!fields) {
        set_up();
    }
    struct slice stream = slice_of((const char *)data + 1, size - 1);
    (void)journal_decoder.recognise(stream, true);
    read_stream(stream, SIZE_MAX / 2, &whole);
    read_stream(stream, (size_t)data[0] + 1, &pieces);
    /* What is too long is passed over up to an empty line, and where that is depends on the piece.
     */
    if (size <= limits.record_bytes) {
        check(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
    }
    buf_fini(&whole);
    buf_fini(&pieces);
    return 0;
}
