/* csv_text: separated values after RFC 4180, cell by cell.
 *
 *     size_t at = 0;
 *     do {
 *         end = csv_text_cell(record, &at, ',', &cell);
 *         ... cell.text
 *     } while (end == CSV_CELL);
 *
 * A quote opens at the front of a cell alone; within quotes separators and line ends are text and a
 * quote is written twice. What stands behind a closing quote makes the quotes text like any other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum csv_end {
    CSV_CELL,  /* another one follows */
    CSV_LINE,  /* the record's line ends */
    CSV_BYTES, /* the bytes end, behind a cell */
    CSV_OPEN,  /* the bytes end within quotes */
};

struct csv_cell {
    struct slice text; /* without the quotes around it */
    bool quoted;
    bool doubled; /* quotes in it are written twice */
};

/* The cell at *at, which moves behind its separator or line end. */
enum csv_end csv_text_cell(struct slice bytes, size_t *at, char separator, struct csv_cell *cell);
/* The same without AVX2, for tests. */
enum csv_end csv_text_cell_portable(
        struct slice bytes, size_t *at, char separator, struct csv_cell *cell);
/* The rest of a record; *at moves behind it. */
enum csv_end csv_text_record(struct slice bytes, size_t *at, char separator);
/* A doubled cell's text, into `to`, which has room for as many bytes and CSV_TEXT_SLACK more.
 * Returns how many it is. */
enum { CSV_TEXT_SLACK = 32 };
size_t csv_text_undouble(struct slice text, char *to);
/* Without "\n" or "\r\n" at the end. */
struct slice csv_text_bare(struct slice record);
/* Bytes of lines of nothing but blanks at the front; a line that has no end only where `last`. */
size_t csv_text_blank(struct slice bytes, bool last);
/* Which of , ; tab and | stands most often in a line outside of quotes; 0: none. */
char csv_text_separator(struct slice line);
/* A first line that is none of the table's: "sep=;" (gives *separator) or PowerShell's #TYPE. */
bool csv_text_is_prologue(struct slice line, char *separator);
