#include "support/records_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "decode/fields.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

enum { BEHIND = 64 };

struct rig {
    const struct decoder *decoder;
    struct fields *names;
    struct paths *paths;
    struct reader *reader;
    struct event event;
    struct cutter cutter;
    struct buf block, header, *out;
    uint64_t ordinal;
};

static void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "records_rig: %s\n", what);
        abort();
    }
}

/* Names that rules use of the formats that it reads: all must agree with the walk. */
static const char *const rule_names[] = {"type", "a0", "a1", "name", "exe", "SYSCALL", "key",
        "cmdline", "proctitle", "cwd", "laddr", "lport", "file_created", "timestamp", "node",
        "c-ip", "cs-method", "cs-uri-stem", "cs-uri-query", "request_uri", "sc-status", "sc-bytes",
        "cs-host", "cs-user-agent", "cs-referer", "cs-username", "c-uri", "c-uri-query",
        "c-uri-extension", "date", "time", "message", "level", "query", "record_type", "answer",
        "rcode", "src_ip", "src_port", FIELDS_FORMAT};
enum { RULE_NAMES = sizeof rule_names / sizeof *rule_names };

static void rig_open(struct rig *rig, const struct decoder *decoder, size_t limit, struct buf *out)
{
    const struct path_pattern patterns[] = {
            {SLICE("*"), SLICE("*"), false}, {SLICE(FIELDS_FORMAT), SLICE(FIELDS_FORMAT), false}};
    *rig = (struct rig){.decoder = decoder, .names = field_table_new(), .out = out};
    rig->cutter.limits = (struct decode_limits){.record_bytes = limit, .depth = 16, .keys = 64};
    for (size_t i = 0; rig->names && i + 1 < RULE_NAMES; i++) {
        uint32_t id;
        check(field_intern(rig->names, slice_text(rule_names[i]), &id) == OK, "no field");
    }
    check(paths_build(rig->names, patterns, 2, &rig->paths) == OK, "no paths");
    check(event_init(&rig->event, rig->paths->field_count) == OK, "no event");
    check(decoder->reader_new(rig->paths, &rig->cutter.limits, &rig->reader) == OK, "no reader");
}

static void rig_close(struct rig *rig)
{
    rig->decoder->reader_free(rig->reader);
    event_fini(&rig->event);
    paths_free(rig->paths);
    field_table_free(rig->names);
    buf_fini(&rig->block);
    buf_fini(&rig->header);
    buf_fini(&rig->cutter.header);
}

/* By rule name: its values. */
struct seen {
    struct buf values[RULE_NAMES];
};

static void add_value(struct buf *out, const struct value *value)
{
    struct buf scratch = {0};
    buf_format(out, "%d ", value->kind);
    buf_add(out, value_slice(value, &scratch));
    buf_byte(out, '\n');
    buf_fini(&scratch);
}

static bool collect(void *context, struct slice name, const struct value *value)
{
    struct seen *seen = context;
    for (size_t i = 0; i + 1 < RULE_NAMES; i++) {
        if (slice_equal(slice_text(rule_names[i]), name)) {
            add_value(&seen->values[i], value);
        }
    }
    return true;
}

/* Rules and people see the same. */
static void check_agreement(const struct rig *rig)
{
    struct seen walked = {0};
    struct buf put = {0};
    check(rig->event.form->walk(&rig->event, collect, &walked) == OK, "no walk");
    for (size_t i = 0; i + 1 < RULE_NAMES; i++) {
        uint32_t id = field_find(rig->names, slice_text(rule_names[i]));
        buf_clear(&put);
        for (const struct value *v = event_value(&rig->event, id); v;
                v = event_next(&rig->event, v)) {
            add_value(&put, v);
        }
        check(slice_equal(buf_slice(&walked.values[i]), buf_slice(&put)), rule_names[i]);
        buf_fini(&walked.values[i]);
    }
    buf_fini(&put);
}

static void read_block(struct rig *rig, struct slice block, uint64_t records)
{
    uint64_t last = 0;
    buf_clear(&rig->block);
    buf_add(&rig->block, block);
    for (int i = 0; i < BEHIND; i++) {
        buf_byte(&rig->block, "\"'\n=a"[i % 5]);
    }
    rig->decoder->begin(rig->reader, slice_of(rig->block.at, block.size), buf_slice(&rig->header));
    for (uint64_t n = 0;; n++) {
        struct diag diag = {0};
        enum err e = rig->decoder->next(rig->reader, &rig->event, &diag);
        if (e == ERR_END) {
            check(rig->decoder->ordinal || n == records, "records and ordinals differ");
            break;
        }
        uint64_t place = rig->decoder->ordinal ? rig->decoder->ordinal(rig->reader) : n;
        check(place < records && (n == 0 || place > last), "ordinals do not grow");
        last = place;
        buf_format(rig->out, "%d%s ", (int)(rig->ordinal + place + 1), e == OK ? "" : "!");
        if (e == OK) {
            rig->event.form->write_json(&rig->event, rig->out);
            check_agreement(rig);
        } else {
            buf_add(rig->out, slice_text(diag.words));
        }
        buf_byte(rig->out, '\n');
    }
    rig->ordinal += records;
}

static void take(struct rig *rig, struct slice bytes, const struct cut *cut, struct diag *diag)
{
    for (uint64_t i = 0; i < cut->rejected; i++) {
        buf_format(rig->out, "%d! %s\n", (int)++rig->ordinal, diag->words);
    }
    check(cut->skip + cut->size <= bytes.size, "cut behind the end");
    if (cut->size > 0) {
        read_block(rig, slice_of(bytes.at + cut->skip, cut->size), cut->records);
    }
}

void records_rig_read(const struct decoder *decoder, struct slice stream, size_t piece,
        size_t limit, struct buf *out)
{
    struct rig rig;
    size_t start = 0, end = 0;
    rig_open(&rig, decoder, limit, out);
    for (bool last = stream.size == 0; start < stream.size || !last;) {
        struct cut cut = {0};
        struct diag diag = {0};
        struct slice bytes = slice_of(stream.at + start, end - start);
        buf_clear(&rig.header);
        buf_add(&rig.header, buf_slice(&rig.cutter.header));
        check(decoder->cut(&rig.cutter, bytes, last, &cut, &diag) == OK, "cut failed");
        take(&rig, bytes, &cut, &diag);
        start += cut.skip + cut.size;
        if (cut.skip + cut.size == 0) {
            check(!last || start == end, "bytes are left at the end");
            end = stream.size - end < piece ? stream.size : end + piece;
            last = end == stream.size;
        }
    }
    rig_close(&rig);
}

int records_rig_recognise(const struct decoder *decoder, const char *text)
{
    return decoder->recognise(slice_text(text), true);
}

void records_rig_fuzz(const struct decoder *decoder, const uint8_t *data, size_t size)
{
    struct buf whole = {0}, pieces = {0};
    if (size == 0) {
        return;
    }
    struct slice stream = slice_of((const char *)data + 1, size - 1);
    records_rig_read(decoder, stream, size + 1, 4096, &whole);
    records_rig_read(decoder, stream, (size_t)data[0] + 1, 4096, &pieces);
    check(slice_equal(buf_slice(&whole), buf_slice(&pieces)), "pieces change something");
    buf_fini(&whole);
    buf_fini(&pieces);
}
