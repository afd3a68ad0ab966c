#include "archive/rows_cells.h"

#include "archive/shape_bytes.h"
#include "base/memory.h"

enum { KEPT = 4096, LIKE_BYTES = 64 << 10 };

void rows_cells_fini(struct rows_cells *cells)
{
    memory_free(cells->at);
    *cells = (struct rows_cells){0};
}

void rows_cells_clear(struct rows_cells *cells)
{
    cells->count = 0;
    if (cells->room > KEPT) {
        rows_cells_fini(cells);
    }
}

bool rows_cells_last(const struct rows_cells *cells, struct slice text, const struct buf *bytes)
{
    const struct rows_cell *last = cells->count ? &cells->at[cells->count - 1] : NULL;
    return last && last->size == text.size && text.size <= LIKE_BYTES &&
           (text.size == 0 || shape_bytes_same(bytes->at + last->at, text.at, text.size));
}

bool rows_cells_add(struct rows_cells *cells, uint32_t row, struct slice text, struct buf *bytes)
{
    if (cells->count == cells->room &&
            !memory_grow(&cells->at, &cells->room, cells->count + 1, sizeof *cells->at)) {
        return false;
    }
    uint64_t at = bytes->size;
    if (rows_cells_last(cells, text, bytes)) {
        at = cells->at[cells->count - 1].at;
    } else {
        buf_add(bytes, text);
    }
    cells->at[cells->count++] = (struct rows_cell){at, (uint32_t)text.size, row};
    return !bytes->failed;
}
