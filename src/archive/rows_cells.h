/* rows_cells: the texts of one column of a row group while it is collected. For rows*.c alone.
 *
 *     if (!rows_cells_add(&cells, row, text, &bytes)) ...        // the bytes are the group's */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct rows_cell {
    uint64_t at; /* in the group's bytes */
    uint32_t size;
    uint32_t row;
};

/* By row, rising. {0} is empty. Owner: the caller, by rows_cells_fini. */
struct rows_cells {
    struct rows_cell *at;
    size_t count, room;
};

void rows_cells_fini(struct rows_cells *cells);
/* Empty; much memory is given back. */
void rows_cells_clear(struct rows_cells *cells);
/* A text like the column's last one is not stored again. false: no memory. */
bool rows_cells_add(
        struct rows_cells *cells, uint32_t row, struct slice text, struct buf *bytes) MUST_CHECK;

/* Whether the text is the column's last one. */
bool rows_cells_last(const struct rows_cells *cells, struct slice text, const struct buf *bytes);
