#include "support/agree.h"

#include <string.h>

#include "decode/json.h"
#include "event/field.h"

enum { DEPTH = 4096, MARGIN = 64 };

enum err agree_init(struct agree *agree, const struct slice *names, size_t count)
{
    const struct path_pattern patterns[] = {
            {SLICE("Event.EventData.*"), SLICE("*"), false},
            {SLICE("Event.UserData.?.*"), SLICE("*"), false},
            {SLICE("Event.System.*"), SLICE("*"), true},
            {SLICE("Event.System.?.#attributes.*"), SLICE("*"), true},
            {SLICE("Event.*"), SLICE("*"), true},
    };
    const struct decode_limits limits = {
            .record_bytes = SIZE_MAX / 4, .depth = DEPTH, .keys = UINT32_MAX};
    *agree = (struct agree){.fields = field_table_new()};
    if (!agree->fields) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t id;
        TRY(field_intern(agree->fields, names[i], &id));
    }
    TRY(paths_build(agree->fields, patterns, sizeof patterns / sizeof *patterns, &agree->paths));
    TRY(json_decoder.reader_new(agree->paths, &limits, &agree->reader));
    return event_init(&agree->other, field_count(agree->fields));
}

void agree_fini(struct agree *agree)
{
    if (agree->reader) {
        json_decoder.reader_free(agree->reader);
    }
    event_fini(&agree->other);
    paths_free(agree->paths);
    field_table_free(agree->fields);
    buf_fini(&agree->json);
    buf_fini(&agree->mine);
    buf_fini(&agree->theirs);
    buf_fini(&agree->words);
}

/* All values of a field as bytes that can be compared. */
static void list_values(const struct event *event, uint32_t field, struct buf *out)
{
    buf_clear(out);
    for (const struct value *v = event_value(event, field); v; v = event_next(event, v)) {
        buf_format(out, "[%u ", v->kind);
        value_text(v, out);
        buf_byte(out, ']');
    }
}

static bool same_fields(struct agree *agree, const struct event *event)
{
    for (uint32_t i = 0; i < field_count(agree->fields); i++) {
        list_values(event, i, &agree->mine);
        list_values(&agree->other, i, &agree->theirs);
        if (!slice_equal(buf_slice(&agree->mine), buf_slice(&agree->theirs))) {
            buf_add(&agree->words, field_name(agree->fields, i));
            buf_add(&agree->words, SLICE(": read "));
            buf_add(&agree->words, buf_slice(&agree->mine));
            buf_add(&agree->words, SLICE(", in its JSON "));
            buf_add(&agree->words, buf_slice(&agree->theirs));
            return false;
        }
    }
    return true;
}

bool agree_check(struct agree *agree, const struct event *event)
{
    struct diag diag = {0};
    buf_clear(&agree->json);
    buf_clear(&agree->words);
    event->form->write_json(event, &agree->json);
    buf_byte(&agree->json, '\n');
    if (!buf_reserve(&agree->json, MARGIN)) {
        buf_add(&agree->words, SLICE("no JSON"));
        return false;
    }
    json_decoder.begin(agree->reader, buf_slice(&agree->json), (struct slice){0});
    enum err e = json_decoder.next(agree->reader, &agree->other, &diag);
    if (e != OK || agree->json.size != agree->other.raw.size + 1) {
        buf_add(&agree->words, SLICE("the JSON is none: "));
        buf_add(&agree->words, slice_text(diag.words));
        return false;
    }
    return same_fields(agree, event);
}
