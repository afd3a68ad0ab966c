#include "hunt/row.h"

#include <string.h>

#include "base/hash.h"
#include "base/time.h"

int row_compare(const struct row_value *a, const struct row_value *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    if (a->kind != ROW_TEXT) {
        return a->integer < b->integer ? -1 : a->integer > b->integer;
    }
    return slice_compare(a->text, b->text);
}

int row_compare_cells(const struct row_cell *a, const struct row_cell *b)
{
    if (a->count == 0 || b->count == 0) {
        return (a->count == 0) - (b->count == 0);
    }
    return row_compare(&a->values[0], &b->values[0]);
}

uint64_t row_hash(const struct row_value *v, uint64_t seed)
{
    if (v->kind == ROW_TEXT) {
        return hash_bytes(v->text, seed);
    }
    return hash_mix((uint64_t)v->integer ^ 0x9E3779B97F4A7C15u, seed ^ (v->kind + 1u));
}

size_t row_size(const struct row_cell *cells, uint32_t width)
{
    size_t size = width * sizeof *cells;
    for (uint32_t i = 0; i < width; i++) {
        for (uint32_t k = 0; k < cells[i].count; k++) {
            const struct row_value *v = &cells[i].values[k];
            size += sizeof *v + (v->kind == ROW_TEXT ? v->text.size : 0);
        }
    }
    return size;
}

struct row_cell *row_copy(const struct row_cell *cells, uint32_t width, void *to)
{
    struct row_cell *copy = to;
    struct row_value *value = (struct row_value *)(copy + width);
    size_t count = 0;
    for (uint32_t i = 0; i < width; i++) {
        copy[i] = (struct row_cell){value + count, cells[i].count};
        count += cells[i].count;
    }
    char *text = (char *)(value + count);
    for (uint32_t i = 0; i < width; i++) {
        for (uint32_t k = 0; k < cells[i].count; k++, value++) {
            *value = cells[i].values[k];
            if (value->kind == ROW_TEXT) {
                if (value->text.size) {
                    memcpy(text, value->text.at, value->text.size);
                }
                value->text.at = text;
                text += value->text.size;
            }
        }
    }
    return copy;
}

void row_write(const struct row_value *v, struct buf *out)
{
    switch (v->kind) {
    case ROW_NUMBER:
        buf_i64(out, v->integer);
        break;
    case ROW_DECIMAL: /* none is below 0 */
        buf_format(out, "%lld.%03d", (long long)(v->integer / 1000), (int)(v->integer % 1000));
        break;
    case ROW_TIME:
        time_format(out, v->integer);
        break;
    case ROW_ABSENT:
        break;
    default:
        buf_add(out, v->text);
    }
}
