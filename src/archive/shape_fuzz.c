/* Any bytes as records of JSON lines, and as the shapes of a file. What has a shape is rebuilt by
 * shapes that were written and read again; what is read can be joined. */
#include <stdlib.h>

#include "archive/shape.h"
#include "archive/shape_read.h"
#include "decode/json.h"
#include "event/event.h"
#include "event/field.h"
#include "event/paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BEHIND = 64, KEPT = 64 };

static void name(struct shape_column column, struct buf *out)
{
    buf_add(out, column.path);
    buf_format(out, "#%u", column.place);
}

/* What must be there again in the end. */
struct kept {
    uint32_t shape;
    struct buf raw, texts;
    size_t sizes[2 * SHAPE_HOLES + 1];
    size_t count;
};

static struct slice text_of(const struct shape_row *row, uint32_t column)
{
    for (size_t i = 0; i < row->count; i++) {
        if (row->texts[i].column == column) {
            return row->texts[i].text;
        }
    }
    abort();
}

static void keep(const struct shape_set *set, const struct shape_row *row, struct slice raw,
        struct kept *kept)
{
    const uint32_t *holes = shape_holes(set, row->shape, &kept->count);
    kept->shape = row->shape;
    buf_add(&kept->raw, raw);
    for (size_t i = 0; i < kept->count; i++) {
        struct slice text = text_of(row, holes[i]);
        kept->sizes[i] = text.size;
        buf_add(&kept->texts, text);
    }
}

static void check(const struct shape_set *set, const struct kept *kept)
{
    struct slice texts[2 * SHAPE_HOLES + 1];
    struct buf out = {0};
    size_t at = 0;
    for (size_t i = 0; i < kept->count; i++) {
        texts[i] = slice_of(kept->sizes[i] ? kept->texts.at + at : "", kept->sizes[i]);
        at += kept->sizes[i];
    }
    if (shape_join(set, kept->shape, texts, &out) != OK ||
            !slice_equal(buf_slice(&out), buf_slice(&kept->raw))) {
        abort();
    }
    buf_fini(&out);
}

static void as_records(struct reader *reader, struct event *event, struct slice block)
{
    static struct kept kept[KEPT];
    size_t count = 0;
    struct shape_set *set, *again;
    struct buf text = {0};
    if (shape_new(&set) != OK) {
        abort();
    }
    json_decoder.begin(reader, block, (struct slice){0});
    for (enum err e; (e = json_decoder.next(reader, event, NULL)) != ERR_END;) {
        if (e != OK) {
            continue;
        }
        shape_begin(set, event->raw);
        if (event->form->walk(event, shape_value, set) != OK) {
            abort();
        }
        const struct shape_row *row = shape_end(set);
        if (row->shape != SHAPE_NONE && count < KEPT) {
            keep(set, row, event->raw, &kept[count++]);
        }
    }
    if (shape_write(set, name, &text) != OK || shape_read(buf_slice(&text), &again, NULL) != OK) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        check(again, &kept[i]);
        buf_fini(&kept[i].raw);
        buf_fini(&kept[i].texts);
        kept[i] = (struct kept){0};
    }
    buf_fini(&text);
    shape_free(again);
    shape_free(set);
}

static void as_shapes(struct slice text)
{
    static const struct slice empty[2 * SHAPE_HOLES + 1];
    struct shape_set *set;
    if (shape_read(text, &set, NULL) != OK) {
        return;
    }
    struct buf out = {0};
    for (uint32_t i = 0; i < shape_count(set); i++) {
        size_t count;
        const uint32_t *holes = shape_holes(set, i, &count);
        for (size_t h = 0; h < count; h++) {
            (void)shape_column(set, holes[h]).path.at[0];
        }
        if (shape_join(set, i, empty, &out) != OK) {
            abort();
        }
    }
    buf_fini(&out);
    shape_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event event;
    static struct reader *reader;
    static struct decode_limits limits = DECODE_LIMITS;
    if (!reader) {
        const struct path_pattern all = {SLICE("*"), SLICE("*"), false};
        static struct fields *fields;
        fields = field_table_new();
        static struct paths *paths;
        if (!fields || paths_build(fields, &all, 1, &paths) != OK ||
                event_init(&event, paths->field_count) != OK ||
                json_decoder.reader_new(paths, &limits, &reader) != OK) {
            abort();
        }
    }
    char *copy = calloc(1, size + BEHIND);
    if (!copy) {
        abort();
    }
    memcpy(copy, data, size);
    as_records(reader, &event, slice_of(copy, size));
    as_shapes(slice_of(copy, size));
    free(copy);
    return 0;
}
