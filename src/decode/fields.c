#include "decode/fields.h"

#include <stdlib.h>

#include "base/memory.h"

/* The fields that late names lead to. */
static enum err late_names(struct fields_reader *r)
{
    size_t first = r->form->late_first, count = r->form->late_count;
    for (size_t i = first; i < first + count; i++) {
        const struct path_edge *edge = r->edges[i];
        if (edge && !r->late_bits) {
            r->late_bits = memory_alloc_array(r->paths->field_count / 64 + 1, sizeof *r->late_bits);
            if (!r->late_bits) {
                return ERR_MEMORY;
            }
        }
        for (int t = 0; edge && t < PATHS_TARGETS && edge->field[t] != FIELD_NONE; t++) {
            r->late_bits[edge->field[t] >> 6] |= (uint64_t)1 << (edge->field[t] & 63);
        }
    }
    return OK;
}

enum err fields_init(struct fields_reader *r, const struct fields_form *form,
        const struct paths *paths, void *context)
{
    *r = (struct fields_reader){.form = form, .context = context, .paths = paths};
    r->edges = memory_alloc_array(form->count + 1, sizeof *r->edges);
    if (!r->edges) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < form->count; i++) {
        r->edges[i] = paths_find(paths, PATHS_ROOT, slice_text(form->names[i]));
    }
    r->format = paths_find(paths, PATHS_ROOT, SLICE(FIELDS_FORMAT));
    return late_names(r);
}

void fields_fini(struct fields_reader *r)
{
    memory_free(r->edges);
    memory_free(r->late_bits);
    buf_fini(&r->made);
    *r = (struct fields_reader){0};
}

static void put_late(struct event *event)
{
    /* The reader is the one that fields_read gave the event. */
    struct fields_reader *r = (struct fields_reader *)(uintptr_t)event->decoder;
    struct fields_sink sink = {
            .scratch = &event->scratch, .reader = r, .event = event, .made = &r->made};
    r->late(&sink, r->late_text);
    event->plain_text = !r->made.failed;
    event->constants = buf_slice(&r->made);
}

enum err fields_read(
        struct fields_reader *r, struct slice raw, struct event *event, struct diag *diag)
{
    struct fields_sink sink = {
            .scratch = &event->scratch, .reader = r, .event = event, .made = &r->made};
    sink.format = slice_text(r->form->event.name);
    event_begin(event, raw);
    event->form = &r->form->event;
    event->decoder = r;
    r->late = NULL;
    buf_clear(&r->made);
    TRY(r->form->parse(r->context, raw, &sink, diag));
    if (r->format) {
        struct value format = {.kind = VALUE_STRING, .text = sink.format};
        event_put(event, r->format, &format);
    }
    event->plain_text = !r->made.failed;
    event->constants = buf_slice(&r->made);
    event->late = r->late ? put_late : NULL;
    event->late_bits = r->late_bits;
    event->late_constants = r->late_constants;
    return OK;
}

/* ---- for parsers ----------------------------------------------------------------------------- */

void fields_show(struct fields_sink *sink, struct slice name, const struct value *value)
{
    if (!sink->stopped && !sink->visit(sink->context, name, value)) {
        sink->stopped = true;
    }
}

void fields_remember(struct fields_sink *sink, struct slice text)
{
    char *to = sink->made ? buf_reserve(sink->made, text.size + 1) : NULL;
    if (to) {
        memcpy(to, text.at, text.size);
        to[text.size] = '\0';
        sink->made->size += text.size + 1;
    }
}

void fields_named_value(struct fields_sink *sink, struct slice name, const struct value *value)
{
    if (!sink->event) {
        fields_show(sink, name, value);
        return;
    }
    if (name.size == 0 || name.at[0] == '\x01') {
        return;
    }
    const struct path_edge *edge = paths_find(sink->reader->paths, PATHS_ROOT, name);
    if (edge) {
        event_put(sink->event, edge, value);
    }
}

bool fields_wants(const struct fields_sink *sink, struct slice name)
{
    return !sink->event || paths_find(sink->reader->paths, PATHS_ROOT, name);
}

void fields_named(struct fields_sink *sink, struct slice name, struct slice text)
{
    struct value value = {.text = text, .kind = VALUE_STRING};
    fields_named_value(sink, name, &value);
}

void fields_named_made(struct fields_sink *sink, struct slice name, struct slice text)
{
    fields_remember(sink, text);
    fields_named(sink, name, text);
}

void fields_unplain(struct fields_sink *sink)
{
    if (sink->made) {
        sink->made->failed = true;
    }
}

enum { LATE_VALUES = 1000 }; /* with more, one of the last could be one too many */

bool fields_later(
        struct fields_sink *sink, fields_late *parse, struct slice text, struct slice constants)
{
    /* The reader is fields_read's. */
    struct fields_reader *r = (struct fields_reader *)(uintptr_t)sink->reader;
    if (!sink->event || !sink->last || !r->late_bits || sink->event->more_count > LATE_VALUES) {
        return false;
    }
    r->late = parse;
    r->late_text = text;
    r->late_constants = constants;
    return true;
}

void fields_format(struct fields_sink *sink, struct slice format)
{
    sink->format = format;
}

/* ---- the whole record ------------------------------------------------------------------------ */

enum { COLD_SCRATCH = 64 << 20 };

enum err fields_walk(const struct event *event, event_visit *visit, void *context)
{
    const struct fields_reader *r = event->decoder;
    struct arena scratch;
    struct diag diag;
    arena_init(&scratch, COLD_SCRATCH);
    struct fields_sink sink = {
            .scratch = &scratch, .reader = r, .visit = visit, .context = context};
    enum err e = r->form->parse(r->context, event->raw, &sink, &diag);
    arena_fini(&scratch);
    return e;
}

/* A value kept until all are known. */
struct kept {
    struct slice name;
    struct value value;
    size_t next; /* of the same name; SIZE_MAX: none */
    bool again;  /* not the first of its name */
};

struct keeper {
    struct arena arena;
    struct buf kept; /* struct kept each */
    bool failed;
};

static bool keep(void *context, struct slice name, const struct value *value)
{
    struct keeper *k = context;
    struct kept one = {.value = *value, .next = SIZE_MAX};
    one.name = arena_copy(&k->arena, name);
    one.value.text = arena_copy(&k->arena, value->text);
    k->failed |= !one.name.at || !one.value.text.at;
    buf_add(&k->kept, slice_of((const char *)&one, sizeof one));
    return !k->failed;
}

static int by_name(const void *a, const void *b)
{
    const struct kept *x = *(const struct kept *const *)a, *y = *(const struct kept *const *)b;
    int order = slice_compare(x->name, y->name);
    return order ? order : x < y ? -1 : x > y;
}

/* Links the values of each name. false: no memory. */
static bool link_names(struct kept *kept, size_t count)
{
    struct kept **order = memory_alloc_array(count + 1, sizeof *order);
    if (!order) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = &kept[i];
    }
    qsort(order, count, sizeof *order, by_name);
    for (size_t i = 1; i < count; i++) {
        if (slice_equal(order[i - 1]->name, order[i]->name)) {
            order[i - 1]->next = (size_t)(order[i] - kept);
            order[i]->again = true;
        }
    }
    memory_free(order);
    return true;
}

static void write_value(const struct value *value, struct buf *out)
{
    switch (value->kind) {
    case VALUE_NULL:
        buf_add(out, SLICE("null"));
        return;
    case VALUE_OBJECT:
        buf_add(out, SLICE("{}"));
        return;
    case VALUE_BOOL:
    case VALUE_NUMBER:
        buf_add(out, value->text);
        return;
    default:
        break;
    }
    struct buf scratch = {0};
    buf_byte(out, '"');
    buf_json(out, value_slice(value, &scratch));
    buf_byte(out, '"');
    buf_fini(&scratch);
}

static void write_kept(const struct kept *kept, size_t count, struct buf *out)
{
    const char *comma = "";
    buf_byte(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (kept[i].again) {
            continue;
        }
        bool several = kept[i].next != SIZE_MAX;
        buf_add(out, slice_text(comma));
        buf_byte(out, '"');
        buf_json(out, kept[i].name);
        buf_add(out, several ? SLICE("\":[") : SLICE("\":"));
        write_value(&kept[i].value, out);
        for (size_t j = kept[i].next; j != SIZE_MAX; j = kept[j].next) {
            buf_byte(out, ',');
            write_value(&kept[j].value, out);
        }
        if (several) {
            buf_byte(out, ']');
        }
        comma = ",";
    }
    buf_byte(out, '}');
}

void fields_write_json(const struct event *event, struct buf *out)
{
    struct keeper k = {0};
    arena_init(&k.arena, COLD_SCRATCH);
    enum err e = fields_walk(event, keep, &k);
    struct kept *kept = (struct kept *)(void *)k.kept.at; /* aligned as malloc does */
    size_t count = k.kept.size / sizeof *kept;
    if (e != OK || k.failed || k.kept.failed || !link_names(kept, count)) {
        out->failed = true;
    } else {
        write_kept(kept, count, out);
    }
    buf_fini(&k.kept);
    arena_fini(&k.arena);
}
