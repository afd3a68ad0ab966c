/* Any shapes and any values in the columns of a sealed file: its rows are read or refused with
 * words, the same each time, and nothing else happens. The bytes: the footer's shapes as a line,
 * then row by row which columns have a value, the numbers and the texts. The columns of paths are
 * a, b and c; what shapes name besides is looked for in `_rest`. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "archive/parquet_write.h"
#include "archive/rows.h"
#include "archive/rows_read.h"
#include "support/crash_disk.h"

enum { ROWS = 12, INTEGERS = 6, TEXTS = 8, COLUMNS = INTEGERS + TEXTS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct parquet_field fields[COLUMNS] = {
        {{ROWS_OFFSET, sizeof ROWS_OFFSET - 1}, PARQUET_INT64, false},
        {{ROWS_PART, sizeof ROWS_PART - 1}, PARQUET_INT32, true},
        {{ROWS_TIME, sizeof ROWS_TIME - 1}, PARQUET_TIME, true},
        {{ROWS_RECEIVED, sizeof ROWS_RECEIVED - 1}, PARQUET_TIME, false},
        {{ROWS_SHAPE, sizeof ROWS_SHAPE - 1}, PARQUET_INT32, true},
        {{ROWS_CUT, sizeof ROWS_CUT - 1}, PARQUET_INT32, true},
        {{ROWS_SOURCE, sizeof ROWS_SOURCE - 1}, PARQUET_TEXT, false},
        {{ROWS_FORMAT, sizeof ROWS_FORMAT - 1}, PARQUET_TEXT, false},
        {{ROWS_HEADER, sizeof ROWS_HEADER - 1}, PARQUET_BYTES, true},
        {{ROWS_RAW, sizeof ROWS_RAW - 1}, PARQUET_BYTES, true},
        {{ROWS_REST, sizeof ROWS_REST - 1}, PARQUET_TEXT, true},
        {{"a", 1}, PARQUET_TEXT, true},
        {{"b", 1}, PARQUET_TEXT, true},
        {{"c", 1}, PARQUET_TEXT, true},
};

struct table {
    uint64_t present[COLUMNS];
    int64_t integers[INTEGERS][ROWS];
    struct slice texts[TEXTS][ROWS];
    size_t counts[COLUMNS];
    uint32_t rows;
};

static unsigned take(struct slice *in)
{
    unsigned byte = in->size ? (unsigned char)in->at[0] : 0;
    *in = slice_from(*in, in->size ? 1 : 0);
    return byte;
}

static struct slice take_text(struct slice *in)
{
    size_t size = take(in);
    struct slice text = slice_of(in->at, size < in->size ? size : in->size);
    *in = slice_from(*in, text.size);
    return text.size ? text : SLICE("");
}

static void fill_row(struct table *t, struct slice *in)
{
    unsigned has = take(in) | take(in) << 8;
    for (unsigned c = 0; c < COLUMNS; c++) {
        if (fields[c].optional && !(has >> c & 1)) {
            continue;
        }
        t->present[c] |= (uint64_t)1 << t->rows;
        size_t at = t->counts[c]++;
        if (c < INTEGERS) {
            t->integers[c][at] = (int8_t)take(in);
        } else {
            t->texts[c - INTEGERS][at] = take_text(in);
        }
    }
    t->rows++;
}

static enum err put_columns(struct parquet_write *w, const struct table *t, struct diag *diag)
{
    for (uint32_t c = 0; c < COLUMNS; c++) {
        const uint64_t *present = fields[c].optional ? &t->present[c] : NULL;
        if (c < INTEGERS) {
            TRY(parquet_write_integers(
                    w, c, &(struct parquet_integers){present, t->integers[c], t->counts[c]}, diag));
        } else {
            TRY(parquet_write_texts(w, c,
                    &(struct parquet_texts){present, t->texts[c - INTEGERS], t->counts[c]}, diag));
        }
    }
    return OK;
}

static enum err put_file(
        const struct disk *disk, struct slice shapes, const struct table *t, struct diag *diag)
{
    const struct parquet_write_place place = {disk, ".", "a.parquet"};
    struct parquet_write *w = NULL;
    enum err e = parquet_write_new(&place, SLICE("fuzz"), &w, diag);
    for (uint32_t c = 0, number; e == OK && c < COLUMNS; c++) {
        e = parquet_write_field(w, &fields[c], &number, diag);
    }
    e = e == OK ? parquet_write_group(w, t->rows, diag) : e;
    e = e == OK ? put_columns(w, t, diag) : e;
    e = e == OK ? parquet_write_pair(w, SLICE(ROWS_SHAPES), shapes, diag) : e;
    e = e == OK ? parquet_write_finish(w, diag) : e;
    parquet_write_free(w);
    return e;
}

static uint64_t sum_of(struct slice text)
{
    uint64_t sum = text.at ? 1 + text.size : 0;
    for (size_t i = 0; i < text.size; i++) {
        sum = sum * 31 + (unsigned char)text.at[i];
    }
    return sum;
}

/* Of one row: what it holds, or 0 where it is refused. */
static uint64_t read_row(struct rows_read *r, uint32_t row)
{
    struct rows_read_row it;
    struct diag diag = {0};
    if (rows_read_row(r, row, &it, &diag) != OK) {
        assert(diag.words[0]);
        return 0;
    }
    return 1 + (sum_of(it.raw) ^ sum_of(it.source) ^ sum_of(it.format) ^ sum_of(it.header));
}

static void read_file(const struct disk *disk, const struct table *t)
{
    struct rows_read *r;
    struct diag diag = {0};
    uint64_t sums[ROWS];
    if (rows_read_open(disk, "./a.parquet", &r, &diag) != OK) {
        assert(diag.words[0]);
        return;
    }
    if (rows_read_group(r, 0, &diag) == OK) {
        assert(rows_read_count(r) == t->rows);
        for (uint32_t row = 0; row < t->rows; row++) {
            sums[row] = read_row(r, row);
        }
        /* In whatever order. */
        for (uint32_t row = t->rows; row-- > 0;) {
            assert(read_row(r, row) == sums[row]);
        }
    } else {
        assert(diag.words[0]);
    }
    rows_read_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of((const char *)data, size);
    size_t line = slice_find_byte(in, '\n');
    struct slice shapes = slice_of(in.at, line);
    struct table table = {0};
    struct diag diag = {0};
    in = slice_from(in, line + (line < in.size));
    do {
        fill_row(&table, &in);
    } while (table.rows < ROWS && in.size > 0);
    struct crash_disk *disk = crash_disk_new();
    /* Texts that are no UTF-8 are not written. */
    if (put_file(crash_disk_calls(disk), shapes, &table, &diag) == OK) {
        read_file(crash_disk_calls(disk), &table);
    }
    crash_disk_free(disk);
    return 0;
}
