#include "cli/hunt_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/hunt_frames.h"
#include "cli/output_csv.h"
#include "cli/progress.h"
#include "cli/visible.h"

enum { GAP = 2, LEAST = 4, FLUSHED = 64 << 10, BARS_LEAST = 8, BARS_MOST = 60 };

/* ---- stdout -----------------------------------------------------------------------------------
 */

static enum err no_memory(struct diag *diag)
{
    return diag_say(diag, ERR_MEMORY, "no memory for the output");
}

/* What is not a table may hold what a terminal obeys. */
static enum err flush(struct hunt_rows *r, struct diag *diag)
{
    struct buf *out = &r->out;
    if (r->terminal > 0 && r->form != HUNT_TABLE) {
        buf_clear(&r->shown);
        visible_lines(&r->shown, buf_slice(&r->out));
        out = &r->shown;
    }
    if (r->out.failed || out->failed) {
        return no_memory(diag);
    }
    if (out->size > 0 && r->progress) {
        progress_wipe(r->progress);
    }
    if (out->size > 0 &&
            (fwrite(out->at, 1, out->size, stdout) != out->size || fflush(stdout) != 0)) {
        return errno == EPIPE ? diag_say(diag, ERR_IO, "output: its reader went away; stopped")
                              : diag_say(diag, ERR_IO, "output: %s", strerror(errno));
    }
    buf_clear(&r->out);
    return OK;
}

/* ---- JSON and CSV ------------------------------------------------------------------------------
 */

static bool is_number(uint8_t kind)
{
    return kind == ROW_NUMBER || kind == ROW_DECIMAL;
}

static void json_value(struct hunt_rows *r, const struct row_value *v, struct buf *out)
{
    if (is_number(v->kind)) {
        row_write(v, out);
        return;
    }
    buf_clear(&r->text);
    row_write(v, &r->text);
    out->failed |= r->text.failed;
    buf_byte(out, '"');
    buf_json(out, buf_slice(&r->text));
    buf_byte(out, '"');
}

static void json_list(struct hunt_rows *r, const struct row_cell *cell, struct buf *out)
{
    for (uint32_t i = 0; i < cell->count; i++) {
        buf_byte(out, i ? ',' : '[');
        json_value(r, &cell->values[i], out);
    }
    buf_byte(out, ']');
}

static void json_row(struct hunt_rows *r, const struct row_cell *cells)
{
    for (uint32_t i = 0; i < r->count; i++) {
        buf_add(&r->out, i ? SLICE(",\"") : SLICE("{\""));
        buf_json(&r->out, r->columns[i].name);
        buf_add(&r->out, SLICE("\":"));
        if (cells[i].count == 0) {
            buf_add(&r->out, SLICE("null"));
        } else if (cells[i].count == 1) {
            json_value(r, &cells[i].values[0], &r->out);
        } else {
            json_list(r, &cells[i], &r->out);
        }
    }
    buf_add(&r->out, r->count ? SLICE("}\n") : SLICE("{}\n"));
}

/* Several values are a list in JSON. */
static void csv_row(struct hunt_rows *r, const struct row_cell *cells)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const struct row_cell *cell = &cells[i];
        buf_clear(&r->shown);
        if (cell->count == 1) {
            row_write(&cell->values[0], &r->shown);
        } else if (cell->count > 1) {
            json_list(r, cell, &r->shown);
        }
        r->out.failed |= r->shown.failed;
        if (i > 0) {
            buf_byte(&r->out, ',');
        }
        if (cell->count == 1 && is_number(cell->values[0].kind)) {
            buf_add(&r->out, buf_slice(&r->shown));
        } else {
            output_csv_cell(&r->out, buf_slice(&r->shown));
        }
    }
    buf_add(&r->out, SLICE("\r\n"));
}

static void csv_head(struct hunt_rows *r)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (i > 0) {
            buf_byte(&r->out, ',');
        }
        output_csv_cell(&r->out, r->columns[i].name);
    }
    buf_add(&r->out, SLICE("\r\n"));
}

/* ---- table ------------------------------------------------------------------------------------
 */

/* Text that is fit for a terminal, no wider than it. */
static void cell_text(struct hunt_rows *r, const struct row_cell *cell, struct buf *out)
{
    size_t most = r->terminal > 0 ? r->terminal : VISIBLE_ANY;
    buf_clear(&r->text);
    for (uint32_t i = 0; i < cell->count; i++) {
        size_t start = r->text.size;
        if (i > 0) {
            buf_add(&r->text, SLICE(", "));
            start += 2;
        }
        row_write(&cell->values[i], &r->text);
        if (r->text.size == start) {
            buf_add(&r->text, SLICE("\"\""));
        }
    }
    out->failed |= r->text.failed;
    visible_add(out, buf_slice(&r->text), most);
}

static void pad(struct buf *out, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        buf_byte(out, ' ');
    }
}

static void table_cell(struct hunt_rows *r, uint32_t column, struct slice text)
{
    size_t width = r->widths[column];
    size_t most = r->terminal > 0 ? width : VISIBLE_ANY;
    bool right = is_number(r->columns[column].kind), last = column + 1 == r->count;
    size_t wide = visible_width(text);
    size_t missing = wide < width ? width - wide : 0;
    if (column > 0) {
        pad(&r->out, GAP);
    }
    if (right) {
        pad(&r->out, missing);
    }
    visible_add(&r->out, text, most);
    if (!right && !last) {
        pad(&r->out, missing);
    }
}

/* Columns share the terminal: the widest are cut. */
static void fit_widths(struct hunt_rows *r)
{
    size_t gaps = r->count > 0 ? (size_t)(r->count - 1) * GAP : 0;
    size_t cap = r->terminal;
    size_t sum;
    do {
        sum = gaps;
        for (uint32_t i = 0; i < r->count; i++) {
            sum += r->widths[i] < cap ? r->widths[i] : cap;
        }
    } while (sum > r->terminal && --cap >= LEAST);
    for (uint32_t i = 0; i < r->count; i++) {
        size_t least = cap < LEAST ? LEAST : cap;
        r->widths[i] = r->widths[i] < least ? r->widths[i] : least;
    }
    /* What the rounding left. */
    for (uint32_t i = r->count; i-- > 0 && sum < r->terminal && cap >= LEAST;) {
        if (r->widths[i] == cap) {
            r->widths[i] += r->terminal - sum;
            return;
        }
    }
}

static void measure(struct hunt_rows *r)
{
    const char *at = r->cells.at;
    for (uint32_t i = 0; i < r->count; i++) {
        r->widths[i] = visible_width(r->columns[i].name);
    }
    for (uint64_t n = 0; n < (uint64_t)r->kept * r->count; n++) {
        size_t size = strlen(at), wide = visible_width(slice_of(at, size));
        size_t *width = &r->widths[n % r->count];
        *width = wide > *width ? wide : *width;
        at += size + 1;
    }
    if (r->terminal > 0) {
        fit_widths(r);
    }
}

/* Counts over time, on a terminal that has room for bars beside them. */
static void measure_bars(struct hunt_rows *r)
{
    const char *at = r->cells.at;
    bool counts = r->terminal > 0 && r->count == 2 && r->columns[0].kind == ROW_TIME &&
                  r->columns[1].kind == ROW_NUMBER;
    size_t taken = counts ? r->widths[0] + r->widths[1] + (size_t)2 * GAP : 0;
    if (!counts || taken + BARS_LEAST > r->terminal) {
        return;
    }
    r->bars = r->terminal - taken < BARS_MOST ? r->terminal - taken : BARS_MOST;
    for (uint64_t n = 0; n < (uint64_t)r->kept * r->count; n++) {
        uint64_t number = n % r->count == 1 ? strtoull(at, NULL, 10) : 0;
        r->most = number > r->most ? number : r->most;
        at += strlen(at) + 1;
    }
}

/* What is longer than the longest of the first rows has a mark at its end. */
static void add_bar(struct hunt_rows *r, uint64_t number)
{
    bool over = number > r->most;
    size_t columns = over      ? r->bars
                     : r->most ? (size_t)((double)number / (double)r->most * (double)r->bars)
                               : 0;
    columns += columns == 0 && number > 0;
    if (columns > 0) {
        pad(&r->out, GAP);
    }
    for (size_t i = 0; i < columns; i++) {
        buf_byte(&r->out, over && i + 1 == columns ? '>' : '#');
    }
}

static enum err table_kept(struct hunt_rows *r, struct diag *diag)
{
    const char *at = r->cells.at;
    for (uint32_t row = 0; row < r->kept; row++) {
        for (uint32_t i = 0; i < r->count; i++) {
            size_t size = strlen(at);
            table_cell(r, i, slice_of(at, size));
            if (r->bars > 0 && i == 1) {
                add_bar(r, strtoull(at, NULL, 10));
            }
            at += size + 1;
        }
        buf_byte(&r->out, '\n');
        if (r->out.size > FLUSHED) {
            TRY(flush(r, diag));
        }
    }
    buf_clear(&r->cells);
    r->kept = 0;
    return OK;
}

static enum err table_sized(struct hunt_rows *r, struct diag *diag)
{
    if (r->cells.failed) {
        return no_memory(diag);
    }
    if (!r->sized) {
        measure(r);
        measure_bars(r);
        r->sized = true;
        for (uint32_t i = 0; i < r->count; i++) {
            table_cell(r, i, r->columns[i].name);
        }
        buf_byte(&r->out, '\n');
    }
    return table_kept(r, diag);
}

static enum err table_row(struct hunt_rows *r, const struct row_cell *cells, struct diag *diag)
{
    for (uint32_t i = 0; i < r->count; i++) {
        cell_text(r, &cells[i], &r->cells);
        buf_byte(&r->cells, 0);
    }
    r->kept++;
    bool full = r->sized || r->kept == HUNT_ROWS_KEPT || r->cells.size > HUNT_ROWS_BYTES;
    return full ? table_sized(r, diag) : OK;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

enum err hunt_rows_begin(
        struct hunt_rows *r, const struct row_column *columns, uint32_t count, struct diag *diag)
{
    r->columns = columns;
    r->count = count;
    r->widths = memory_alloc_array((size_t)count + 1, sizeof *r->widths);
    if (!r->widths) {
        return no_memory(diag);
    }
    if (r->form == HUNT_CSV) {
        csv_head(r);
    }
    return OK;
}

enum err hunt_rows_add(
        struct hunt_rows *r, const struct row_cell *cells, uint32_t count, struct diag *diag)
{
    r->written++;
    if (r->form == HUNT_TABLE) {
        TRY(table_row(r, cells, diag));
    } else if (r->form == HUNT_CSV) {
        csv_row(r, cells);
    } else if (r->form == HUNT_FRAMES) {
        hunt_frames_row(&r->out, cells, count);
    } else {
        json_row(r, cells);
    }
    return r->out.size > FLUSHED || r->out.failed ? flush(r, diag) : OK;
}

enum err hunt_rows_end(struct hunt_rows *r, struct diag *diag)
{
    if (r->form == HUNT_TABLE) {
        TRY(table_sized(r, diag));
    }
    return flush(r, diag);
}

void hunt_rows_fini(struct hunt_rows *r)
{
    memory_free(r->widths);
    buf_fini(&r->cells);
    buf_fini(&r->out);
    buf_fini(&r->text);
    buf_fini(&r->shown);
}
