/* Any bytes as lines of syslog. Held true: cutter and reader count the same records; what rules see
 * of a record is what people see; its texts stand in its bytes or among the constants, so that
 * keywords find them; reading never goes outside of the record. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "decode/syslog.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fields *fields;
static struct paths *paths;
static struct reader *reader;
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
    static const char *const names[] = {"a", "a.b", "timestamp", "host", "facility", "severity",
            "program", "pid", "message", "user.name", "source.ip", "source.port", "event.outcome",
            "src", "msg", "cs1", "Rule", "USER", "COMMAND", "sd.x.y", "deviceVendor", "SRC"};
    static const struct path_pattern patterns[] = {{{"*", 1}, {"*", 1}, false}};
    fields = field_table_new();
    for (size_t i = 0; fields && i < sizeof names / sizeof *names; i++) {
        uint32_t id;
        check(field_intern(fields, slice_text(names[i]), &id) == OK);
    }
    check(paths_build(fields, patterns, 1, &paths) == OK);
    check(event_init(&event, paths->field_count) == OK);
    check(syslog_decoder.reader_new(paths, &limits, &reader) == OK);
    syslog_decoder.place(reader, &(struct decode_place){.written_ns = (int64_t)1 << 60});
}

/* What the walk gives for the fields, a line each: "field kind text". */
struct seen {
    struct buf lines[32];
};

static bool is_plain(struct slice text)
{
    return !memchr(text.at, '\\', text.size) && !memchr(text.at, '"', text.size);
}

static bool add_leaf(void *context, struct slice path, const struct value *value)
{
    struct seen *seen = context;
    struct slice text = value->text;
    uint32_t id = field_find(fields, path);
    if (id != FIELD_NONE) {
        buf_format(&seen->lines[id], "%d %d ", value->kind, value->form);
        buf_add(&seen->lines[id], text);
        buf_byte(&seen->lines[id], '\n');
    }
    if (event.plain_text && text.size > 0 && is_plain(text)) {
        check(slice_find(event.raw, text) != SIZE_MAX ||
                slice_find(event.constants, text) != SIZE_MAX ||
                (event.late && slice_find(event.late_constants, text) != SIZE_MAX));
    }
    return true;
}

static void compare(void)
{
    struct seen early = {0}, seen = {0};
    check(event.form->walk(&event, add_leaf, &early) == OK);
    for (uint32_t id = 0; id < event.field_count; id++) {
        buf_fini(&early.lines[id]);
    }
    event_finish(&event);
    check(event.form->walk(&event, add_leaf, &seen) == OK);
    for (uint32_t id = 0; id < event.field_count; id++) {
        struct buf hot = {0};
        for (const struct value *v = event_value(&event, id); v; v = event_next(&event, v)) {
            buf_format(&hot, "%d %d ", v->kind, v->form);
            buf_add(&hot, v->text);
            buf_byte(&hot, '\n');
        }
        check(slice_equal(buf_slice(&hot), buf_slice(&seen.lines[id])));
        buf_fini(&hot);
        buf_fini(&seen.lines[id]);
    }
    struct buf json = {0};
    event.form->write_json(&event, &json);
    check(!json.failed && json.size >= 2);
    buf_fini(&json);
}

/* The bytes in a buffer of their own, with the 64 behind them that a block has. */
static void read_block(struct slice block, uint64_t records)
{
    char *bytes = memory_alloc(block.size + 64);
    struct diag diag;
    uint64_t read = 0;
    check(bytes != NULL);
    memcpy(bytes, block.at, block.size);
    syslog_decoder.begin(reader, slice_of(bytes, block.size), (struct slice){0});
    for (;;) {
        enum err e = syslog_decoder.next(reader, &event, &diag);
        if (e == ERR_END) {
            break;
        }
        read++;
        if (e == OK) {
            compare();
        }
    }
    check(read == records);
    memory_free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cutter cutter = {.limits = limits};
    struct slice rest = slice_of((const char *)data, size);
    if (!fields) {
        set_up();
    }
    (void)syslog_decoder.recognise(rest, true);
    while (rest.size > 0) {
        struct cut cut;
        struct diag diag;
        check(syslog_decoder.cut(&cutter, rest, true, &cut, &diag) == OK);
        check(cut.skip + cut.size > 0);
        read_block(slice_of(rest.at + cut.skip, cut.size), cut.records);
        rest = slice_of(rest.at + cut.skip + cut.size, rest.size - cut.skip - cut.size);
    }
    return 0;
}
