/* rows_out: the memory in which a column of a row group is put together to be written. For rows.c
 * alone.
 *
 *     rows_out_cells(&out, &cells, bytes.at, rows);     // out.present, out.texts: the column */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "archive/rows_cells.h"
#include "archive/shape.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct rows_out_link {
    const struct rows_cell *cell;
    uint32_t column;
    uint32_t next; /* of the same row, plus 1 */
};

struct rows_out {
    uint64_t *present;   /* bitmap of the rows */
    struct slice *texts; /* as many as rows */
    uint32_t *heads;     /* by row: its first link plus 1 */
    struct rows_out_link *links;
    size_t link_count;
    struct buf rest, name;
};

bool rows_out_init(struct rows_out *out, uint32_t rows) MUST_CHECK;
void rows_out_fini(struct rows_out *out);
/* Fills present and texts with a column. */
void rows_out_cells(
        struct rows_out *out, const struct rows_cells *cells, const char *bytes, uint32_t rows);
/* Room for so many cells of rare columns. */
bool rows_out_rest_begin(struct rows_out *out, size_t cells) MUST_CHECK;
/* Columns come last one first. */
void rows_out_rest_add(struct rows_out *out, const struct rows_cells *cells, uint32_t column);
/* Fills present and texts with a JSON object for each row that has any; returns their count.
 * out->rest.failed: no memory. */
size_t rows_out_rest(
        struct rows_out *out, const struct shape_set *shapes, const char *bytes, uint32_t rows);
