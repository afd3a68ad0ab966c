/* rows_cells: the texts of one column of a row group while it is collected, and the memory in which
 * they are put together to be written. For rows.c alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "archive/shape.h"
#include "base/buf.h"
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
