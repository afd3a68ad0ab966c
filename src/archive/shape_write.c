/* Writes shapes in the form that shape_read.h has. */
#include "archive/shape_parts.h"
#include "base/memory.h"

struct writer {
    struct intern literals;
    uint32_t *columns; /* by column: its number in the file plus 1 */
    uint32_t column_count;
    struct buf names, shapes;
    bool failed;
};

static void put_string(struct buf *out, struct slice text)
{
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

static uint32_t column_number(
        struct writer *w, const struct shape_set *set, uint32_t column, shape_name *name)
{
    if (!w->columns[column]) {
        struct buf text = {0};
        name(shape_column(set, column), &text);
        buf_add(&w->names, w->column_count ? SLICE(",") : SLICE(""));
        put_string(&w->names, buf_slice(&text));
        w->failed |= text.failed;
        buf_fini(&text);
        w->columns[column] = ++w->column_count;
    }
    return w->columns[column] - 1;
}

static void put_literal(struct writer *w, const char *at, size_t size)
{
    uint32_t number = 0;
    w->failed |= intern_put(&w->literals, slice_of(at, size), &number, NULL) != OK;
    buf_u64(&w->shapes, number);
    buf_byte(&w->shapes, ',');
}

static void put_shape(
        struct writer *w, const struct shape_set *set, const struct shape *shape, shape_name *name)
{
    const uint32_t *hole = shape->holes;
    buf_byte(&w->shapes, '[');
    for (size_t i = 0; i <= shape->count; i++) {
        const struct shape_piece *piece = &shape->pieces[i];
        put_literal(w, piece->at, piece->before);
        if (piece->open) {
            buf_u64(&w->shapes, (uint64_t)column_number(w, set, *hole++, name) * SHAPE_HOW);
            buf_byte(&w->shapes, ',');
            put_literal(w, piece->at + piece->before, piece->after);
        }
        if (i < shape->count) {
            uint32_t column = column_number(w, set, *hole++, name);
            buf_u64(&w->shapes, (uint64_t)column * SHAPE_HOW + shape->how[i]);
            buf_byte(&w->shapes, ',');
        }
    }
    w->shapes.size -= !w->shapes.failed;
    buf_byte(&w->shapes, ']');
}

static void put_all(const struct writer *w, struct buf *out)
{
    buf_add(out, SLICE("{\"columns\":["));
    buf_add(out, buf_slice(&w->names));
    buf_add(out, SLICE("],\"literals\":["));
    for (uint32_t i = 0; i < w->literals.count; i++) {
        buf_add(out, i ? SLICE(",") : SLICE(""));
        put_string(out, intern_text(&w->literals, i));
    }
    buf_add(out, SLICE("],\"shapes\":["));
    buf_add(out, buf_slice(&w->shapes));
    buf_add(out, SLICE("]}"));
}

enum err shape_write(const struct shape_set *set, shape_name *name, struct buf *out)
{
    struct writer w = {.columns = memory_alloc_array(set->column_count + (size_t)1, 4)};
    size_t before = out->size;
    intern_init(&w.literals, SHAPE_PIECES * 2);
    w.failed = !w.columns;
    for (uint32_t i = 0; i < set->count && !w.failed; i++) {
        buf_add(&w.shapes, i ? SLICE(",") : SLICE(""));
        put_shape(&w, set, &set->shapes[i], name);
    }
    put_all(&w, out);
    bool failed = w.failed || w.names.failed || w.shapes.failed || out->failed;
    if (failed) {
        out->size = before;
    }
    intern_fini(&w.literals);
    memory_free(w.columns);
    buf_fini(&w.names);
    buf_fini(&w.shapes);
    return failed ? ERR_MEMORY : OK;
}
