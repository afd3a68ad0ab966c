#include "archive/rows_out.h"

#include "archive/parquet.h"
#include "archive/rows.h"
#include "base/memory.h"

bool rows_out_init(struct rows_out *out, uint32_t rows)
{
    out->present = memory_alloc_array(parquet_words(rows), sizeof *out->present);
    out->texts = memory_alloc_array(rows, sizeof *out->texts);
    out->heads = memory_alloc_array(rows, sizeof *out->heads);
    return out->present && out->texts && out->heads;
}

void rows_out_fini(struct rows_out *out)
{
    memory_free(out->present);
    memory_free(out->texts);
    memory_free(out->heads);
    memory_free(out->links);
    buf_fini(&out->rest);
    buf_fini(&out->name);
}

void rows_out_cells(
        struct rows_out *out, const struct rows_cells *cells, const char *bytes, uint32_t rows)
{
    memset(out->present, 0, parquet_words(rows) * sizeof *out->present);
    for (size_t i = 0; i < cells->count; i++) {
        const struct rows_cell *cell = &cells->at[i];
        out->texts[i] = cell->size ? slice_of(bytes + cell->at, cell->size) : SLICE("");
        out->present[cell->row / 64] |= (uint64_t)1 << cell->row % 64;
    }
}

bool rows_out_rest_begin(struct rows_out *out, size_t cells)
{
    memory_free(out->links);
    out->links = memory_alloc_array(cells, sizeof *out->links);
    out->link_count = 0;
    return out->links != NULL;
}

void rows_out_rest_add(struct rows_out *out, const struct rows_cells *cells, uint32_t column)
{
    for (size_t i = 0; i < cells->count; i++) {
        const struct rows_cell *cell = &cells->at[i];
        out->links[out->link_count++] = (struct rows_out_link){cell, column, out->heads[cell->row]};
        out->heads[cell->row] = (uint32_t)out->link_count;
    }
}

static void put_member(struct rows_out *out, const struct shape_set *shapes,
        const struct rows_out_link *link, const char *bytes)
{
    buf_clear(&out->name);
    rows_name(shape_column(shapes, link->column), &out->name);
    out->rest.failed |= out->name.failed;
    buf_byte(&out->rest, '"');
    buf_json(&out->rest, buf_slice(&out->name));
    buf_add(&out->rest, SLICE("\":\""));
    buf_json(&out->rest, slice_of(bytes + link->cell->at, link->cell->size));
    buf_byte(&out->rest, '"');
}

size_t rows_out_rest(
        struct rows_out *out, const struct shape_set *shapes, const char *bytes, uint32_t rows)
{
    size_t count = 0;
    buf_clear(&out->rest);
    memset(out->present, 0, parquet_words(rows) * sizeof *out->present);
    for (uint32_t row = 0; row < rows; row++) {
        size_t from = out->rest.size;
        for (uint32_t i = out->heads[row]; i; i = out->links[i - 1].next) {
            buf_byte(&out->rest, out->rest.size == from ? '{' : ',');
            put_member(out, shapes, &out->links[i - 1], bytes);
        }
        if (out->heads[row]) {
            buf_byte(&out->rest, '}');
            out->present[row / 64] |= (uint64_t)1 << row % 64;
            out->texts[count++] = slice_of(NULL, out->rest.size - from);
        }
        out->heads[row] = 0;
    }
    /* Only now does the memory stay where it is. */
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        out->texts[i].at = out->rest.at + from;
        from += out->texts[i].size;
    }
    memory_free(out->links);
    out->links = NULL;
    return count;
}
