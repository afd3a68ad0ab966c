/* hunt_rows: the rows of a hunt, written to stdout.
 *
 *     struct hunt_rows rows = {.form = HUNT_TABLE, .terminal = 80};
 *     TRY(hunt_rows_begin(&rows, columns, count, diag));
 *     TRY(hunt_rows_add(&rows, cells, count, diag));          // each row
 *     TRY(hunt_rows_end(&rows, diag));
 *     hunt_rows_fini(&rows);
 *
 * As JSON, what is absent is null, several values are a list, and numbers are numbers. A table's
 * columns are as wide as the first rows want; on a terminal they are cut to it, the last character
 * an ellipsis then. An absent cell is blank, an empty text "". Counts over time (a time and a
 * number a row) are drawn beside it as bars there, as far as it has room. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "hunt/query.h"

/* HUNT_FRAMES: for the process that asked (cli/hunt_frames.h), which says itself when it ends. */
enum hunt_form { HUNT_TABLE, HUNT_JSON, HUNT_CSV, HUNT_FRAMES };

enum { HUNT_ROWS_KEPT = 1000, HUNT_ROWS_BYTES = 1 << 20 }; /* rows that say how wide columns are */

struct progress;

struct hunt_rows {
    /* Set before. */
    enum hunt_form form;
    unsigned terminal;         /* its columns; 0: stdout is none */
    struct progress *progress; /* wiped before anything is written */
    /* Private. */
    const struct row_column *columns;
    uint32_t count;
    size_t *widths;
    bool sized;
    size_t bars;      /* columns that the longest bar has; 0: none are drawn */
    uint64_t most;    /* what the longest one stands for */
    uint32_t kept;    /* rows */
    struct buf cells; /* of kept rows: each a text, a NUL behind it */
    struct buf out, text, shown;
    uint64_t written;
};

enum err hunt_rows_begin(struct hunt_rows *rows, const struct row_column *columns, uint32_t count,
        struct diag *diag) MUST_CHECK;
enum err hunt_rows_add(struct hunt_rows *rows, const struct row_cell *cells, uint32_t count,
        struct diag *diag) MUST_CHECK;
enum err hunt_rows_end(struct hunt_rows *rows, struct diag *diag) MUST_CHECK;
void hunt_rows_fini(struct hunt_rows *rows);
