/* row: what passes from stage to stage of a hunt: one cell a column, a cell has any number of
 * values.
 *
 *     Computer = WS1     count = 3     Answers = 10.0.0.1, 10.0.0.2     User = (absent)
 *
 * A cell without values is absent, which differs from the empty text. Values of events are texts;
 * numbers and times are what stages make. Everything is borrowed from whoever gives the row until
 * the call that gives it returns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* ROW_ABSENT stands in keys of groups alone: a cell that is absent has no value. */
enum row_kind { ROW_NUMBER, ROW_DECIMAL, ROW_TIME, ROW_TEXT, ROW_ABSENT };

struct row_value {
    uint8_t kind;
    int64_t integer;   /* ROW_NUMBER; ROW_DECIMAL: thousandths; ROW_TIME: ns since 1970, UTC */
    struct slice text; /* ROW_TEXT: UTF-8 */
};

struct row_cell {
    const struct row_value *values;
    uint32_t count; /* 0: absent */
};

struct row_column {
    struct slice name;
    uint8_t kind; /* of its values */
};

/* Numbers, then decimals, then times, then texts in byte order, then what is absent. */
int row_compare(const struct row_value *a, const struct row_value *b);
/* By the first value; an absent cell stands after all others. */
int row_compare_cells(const struct row_cell *a, const struct row_cell *b);
uint64_t row_hash(const struct row_value *v, uint64_t seed);
/* Bytes of a copy of the row in one piece. */
size_t row_size(const struct row_cell *cells, uint32_t width);
/* Copies to row_size() bytes aligned for pointers; the cells are at the front. */
struct row_cell *row_copy(const struct row_cell *cells, uint32_t width, void *to);
/* As a person reads it: a number's digits, RFC 3339, the text as it is. */
void row_write(const struct row_value *v, struct buf *out);
