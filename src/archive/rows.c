#include "archive/rows.h"

#include <stdlib.h>

#include "archive/rows_cells.h"
#include "archive/rows_out.h"
#include "archive/shape_bytes.h"
#include "base/memory.h"
#include "base/utf8.h"

enum text_column { SOURCE, FORMAT, HEADER, RAW, TEXT_COLUMNS };
enum number_column { OFFSET, PART, TIME, RECEIVED, SHAPE, CUT, NUMBER_COLUMNS };
enum { FIXED = TEXT_COLUMNS + NUMBER_COLUMNS, ROW_BYTES = NUMBER_COLUMNS * 16 };

static const struct parquet_field text_fields[TEXT_COLUMNS] = {
        [SOURCE] = {{ROWS_SOURCE, sizeof ROWS_SOURCE - 1}, PARQUET_TEXT, false},
        [FORMAT] = {{ROWS_FORMAT, sizeof ROWS_FORMAT - 1}, PARQUET_TEXT, false},
        [HEADER] = {{ROWS_HEADER, sizeof ROWS_HEADER - 1}, PARQUET_BYTES, true},
        [RAW] = {{ROWS_RAW, sizeof ROWS_RAW - 1}, PARQUET_BYTES, true},
};
static const struct parquet_field number_fields[NUMBER_COLUMNS] = {
        [OFFSET] = {{ROWS_OFFSET, sizeof ROWS_OFFSET - 1}, PARQUET_INT64, false},
        [PART] = {{ROWS_PART, sizeof ROWS_PART - 1}, PARQUET_INT32, true},
        [TIME] = {{ROWS_TIME, sizeof ROWS_TIME - 1}, PARQUET_TIME, true},
        [RECEIVED] = {{ROWS_RECEIVED, sizeof ROWS_RECEIVED - 1}, PARQUET_TIME, false},
        [SHAPE] = {{ROWS_SHAPE, sizeof ROWS_SHAPE - 1}, PARQUET_INT32, true},
        [CUT] = {{ROWS_CUT, sizeof ROWS_CUT - 1}, PARQUET_INT32, true},
};
static const struct parquet_field rest_field = {
        {ROWS_REST, sizeof ROWS_REST - 1}, PARQUET_TEXT, true};

/* A column of numbers: of the rows that have one. */
struct numbers {
    int64_t *at;
    uint64_t *present;
    size_t count;
};

/* What rows add to the group, as if no text came twice, but for headers. */
struct weight {
    size_t bytes;
    uint64_t rest; /* of `_rest` at most, if no path in it has a column yet */
};

struct rows {
    struct rows_limits limits;
    struct parquet_write *writer;
    struct shape_set *shapes;
    struct rows_counts counts;
    uint32_t text_field[TEXT_COLUMNS], number_field[NUMBER_COLUMNS], rest;
    /* The group. */
    uint32_t count;
    struct buf bytes; /* of all texts */
    struct weight held;
    struct numbers numbers[NUMBER_COLUMNS];
    struct rows_cells texts[TEXT_COLUMNS];
    struct rows_cells *columns; /* by column of the shapes */
    uint32_t *field;            /* by column: its number in the file plus 1 */
    uint32_t fields;            /* of paths, in the file */
    struct rows_out out;
};

void rows_name(struct shape_column column, struct buf *out)
{
    static const char *const ours[] = {ROWS_OFFSET, ROWS_PART, ROWS_TIME, ROWS_RECEIVED,
            ROWS_SOURCE, ROWS_FORMAT, ROWS_HEADER, ROWS_SHAPE, ROWS_CUT, ROWS_RAW, ROWS_REST,
            SHAPE_LITERAL, ""};
    struct slice path = column.path;
    size_t digits = path.size;
    while (digits > 0 && slice_is_digit(path.at[digits - 1])) {
        digits--;
    }
    bool mark =
            column.place > 1 || (digits < path.size && digits > 0 && path.at[digits - 1] == '#');
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        mark = mark || slice_equal(path, slice_text(ours[i]));
    }
    buf_add(out, path);
    if (mark) {
        buf_byte(out, '#');
        buf_u64(out, column.place);
    }
}

static enum err fixed_fields(struct rows *rows, struct diag *diag)
{
    for (int i = 0; i < NUMBER_COLUMNS; i++) {
        TRY(parquet_write_field(rows->writer, &number_fields[i], &rows->number_field[i], diag));
    }
    for (int i = 0; i < TEXT_COLUMNS; i++) {
        TRY(parquet_write_field(rows->writer, &text_fields[i], &rows->text_field[i], diag));
    }
    return parquet_write_field(rows->writer, &rest_field, &rows->rest, diag);
}

static bool take_memory(struct rows *rows)
{
    size_t count = rows->limits.group_rows;
    for (int i = 0; i < NUMBER_COLUMNS; i++) {
        rows->numbers[i].at = memory_alloc_array(count, sizeof *rows->numbers[i].at);
        rows->numbers[i].present = memory_alloc_array(parquet_words(rows->limits.group_rows), 8);
        if (!rows->numbers[i].at || !rows->numbers[i].present) {
            return false;
        }
    }
    rows->columns = memory_alloc_array(SHAPE_COLUMNS, sizeof *rows->columns);
    rows->field = memory_alloc_array(SHAPE_COLUMNS, sizeof *rows->field);
    return rows->columns && rows->field && rows_out_init(&rows->out, rows->limits.group_rows) &&
           shape_new(&rows->shapes) == OK;
}

enum err rows_new(const struct parquet_write_place *place, const struct rows_limits *limits,
        struct slice created_by, struct rows **out, struct diag *diag)
{
    if (limits->group_rows == 0 || limits->group_rows > PARQUET_GROUP_ROWS ||
            limits->group_bytes == 0 || limits->group_bytes > PARQUET_CHUNK_BYTES ||
            limits->columns > PARQUET_COLUMNS - FIXED - 1) {
        return diag_say(diag, ERR_USAGE, "limits of rows out of bounds");
    }
    struct rows *rows = memory_alloc(sizeof *rows);
    if (!rows) {
        return diag_say(diag, ERR_MEMORY, "no memory for rows");
    }
    rows->limits = *limits;
    enum err e = take_memory(rows) ? OK : diag_say(diag, ERR_MEMORY, "no memory for rows");
    e = e ? e : parquet_write_new(place, created_by, &rows->writer, diag);
    e = e ? e : fixed_fields(rows, diag);
    if (e) {
        rows_free(rows);
        return e;
    }
    *out = rows;
    return OK;
}

void rows_free(struct rows *rows)
{
    if (!rows) {
        return;
    }
    for (int i = 0; i < NUMBER_COLUMNS; i++) {
        memory_free(rows->numbers[i].at);
        memory_free(rows->numbers[i].present);
    }
    for (int i = 0; i < TEXT_COLUMNS; i++) {
        rows_cells_fini(&rows->texts[i]);
    }
    for (uint32_t i = 0; rows->columns && i < SHAPE_COLUMNS; i++) {
        rows_cells_fini(&rows->columns[i]);
    }
    if (rows->writer) {
        parquet_write_free(rows->writer);
    }
    shape_free(rows->shapes);
    rows_out_fini(&rows->out);
    buf_fini(&rows->bytes);
    memory_free(rows->columns);
    memory_free(rows->field);
    memory_free(rows);
}

struct rows_counts rows_counts(const struct rows *rows)
{
    return rows->counts;
}

const struct shape_set *rows_shapes(const struct rows *rows)
{
    return rows->shapes;
}

uint64_t rows_size(const struct rows *rows)
{
    return parquet_write_size(rows->writer);
}

/* ---- a group is written ---------------------------------------------------------------------- */

struct frequent {
    uint32_t column;
    size_t count;
};

static int by_count(const void *a, const void *b)
{
    const struct frequent *x = a, *y = b;
    if (x->count != y->count) {
        return x->count > y->count ? -1 : 1;
    }
    return x->column < y->column ? -1 : x->column > y->column;
}

static enum err new_field(struct rows *rows, uint32_t column, struct diag *diag)
{
    struct buf name = {0};
    rows_name(shape_column(rows->shapes, column), &name);
    struct parquet_field field = {buf_slice(&name), PARQUET_TEXT, true};
    uint32_t number;
    enum err e = name.failed ? diag_say(diag, ERR_MEMORY, "no memory for a column's name")
                             : parquet_write_field(rows->writer, &field, &number, diag);
    buf_fini(&name);
    if (e == OK) {
        rows->field[column] = number + 1;
        rows->fields++;
    }
    return e;
}

/* Gives the most frequent paths that have no column yet one, as long as there are any. */
static enum err choose_fields(struct rows *rows, struct diag *diag)
{
    uint32_t columns = shape_columns(rows->shapes);
    struct frequent *list = memory_alloc_array(columns + (size_t)1, sizeof *list);
    if (!list) {
        return diag_say(diag, ERR_MEMORY, "no memory for columns");
    }
    size_t count = 0;
    uint32_t least = rows->limits.column_rows ? rows->limits.column_rows : 1;
    for (uint32_t i = 0; i < columns; i++) {
        if (rows->columns[i].count >= least && !rows->field[i]) {
            list[count++] = (struct frequent){i, rows->columns[i].count};
        }
    }
    qsort(list, count, sizeof *list, by_count);
    enum err e = OK;
    for (size_t i = 0; i < count && rows->fields < rows->limits.columns && e == OK; i++) {
        e = new_field(rows, list[i].column, diag);
    }
    memory_free(list);
    return e;
}

static enum err write_cells(
        struct rows *rows, uint32_t field, const struct rows_cells *cells, struct diag *diag)
{
    rows_out_cells(&rows->out, cells, rows->bytes.at, rows->count);
    struct parquet_texts texts = {rows->out.present, rows->out.texts, cells->count};
    if (cells->count == rows->count) {
        texts.present = NULL;
    }
    return parquet_write_texts(rows->writer, field, &texts, diag);
}

/* What has no column of its own. */
static enum err write_rest(struct rows *rows, struct diag *diag)
{
    size_t cells = 0;
    for (uint32_t i = 0; i < shape_columns(rows->shapes); i++) {
        cells += rows->field[i] ? 0 : rows->columns[i].count;
    }
    if (cells == 0) {
        return OK;
    }
    if (!rows_out_rest_begin(&rows->out, cells)) {
        return diag_say(diag, ERR_MEMORY, "no memory for rare columns");
    }
    for (uint32_t i = shape_columns(rows->shapes); i > 0; i--) {
        if (!rows->field[i - 1]) {
            rows_out_rest_add(&rows->out, &rows->columns[i - 1], i - 1);
        }
    }
    size_t count = rows_out_rest(&rows->out, rows->shapes, rows->bytes.at, rows->count);
    if (rows->out.rest.failed) {
        return diag_say(diag, ERR_MEMORY, "no memory for rare columns");
    }
    struct parquet_texts texts = {rows->out.present, rows->out.texts, count};
    return parquet_write_texts(rows->writer, rows->rest, &texts, diag);
}

static enum err write_fixed(struct rows *rows, struct diag *diag)
{
    for (int i = 0; i < NUMBER_COLUMNS; i++) {
        const struct numbers *n = &rows->numbers[i];
        struct parquet_integers integers = {
                number_fields[i].optional ? n->present : NULL, n->at, n->count};
        if (n->count) {
            TRY(parquet_write_integers(rows->writer, rows->number_field[i], &integers, diag));
        }
    }
    for (int i = 0; i < TEXT_COLUMNS; i++) {
        if (rows->texts[i].count) {
            TRY(write_cells(rows, rows->text_field[i], &rows->texts[i], diag));
        }
    }
    return OK;
}

static void group_clear(struct rows *rows)
{
    for (int i = 0; i < NUMBER_COLUMNS; i++) {
        rows->numbers[i].count = 0;
        memset(rows->numbers[i].present, 0, parquet_words(rows->limits.group_rows) * (size_t)8);
    }
    for (int i = 0; i < TEXT_COLUMNS; i++) {
        rows_cells_clear(&rows->texts[i]);
    }
    for (uint32_t i = 0; i < shape_columns(rows->shapes); i++) {
        rows_cells_clear(&rows->columns[i]);
    }
    buf_clear(&rows->bytes);
    rows->held = (struct weight){0};
    rows->count = 0;
}

static enum err group_write(struct rows *rows, struct diag *diag)
{
    if (rows->count == 0) {
        return OK;
    }
    TRY(choose_fields(rows, diag));
    TRY(parquet_write_group(rows->writer, rows->count, diag));
    TRY(write_fixed(rows, diag));
    for (uint32_t i = 0; i < shape_columns(rows->shapes); i++) {
        if (rows->field[i] && rows->columns[i].count) {
            TRY(write_cells(rows, rows->field[i] - 1, &rows->columns[i], diag));
        }
    }
    TRY(write_rest(rows, diag));
    group_clear(rows);
    return OK;
}

/* ---- a row comes in -------------------------------------------------------------------------- */

static void add_number(struct rows *rows, enum number_column column, int64_t value)
{
    struct numbers *n = &rows->numbers[column];
    n->at[n->count++] = value;
    n->present[rows->count / 64] |= (uint64_t)1 << rows->count % 64;
}

static bool add_text(struct rows *rows, struct rows_cells *cells, struct slice text)
{
    return rows_cells_add(cells, rows->count, text, &rows->bytes);
}

static void add_numbers(
        struct rows *rows, const struct rows_head *head, const struct shape_row *row, bool shaped)
{
    add_number(rows, OFFSET, (int64_t)head->offset);
    add_number(rows, RECEIVED, head->received_ns);
    if (head->time_ns != INT64_MIN) {
        add_number(rows, TIME, head->time_ns);
    }
    if (head->part >= 0) {
        add_number(rows, PART, head->part);
    }
    if (shaped) {
        add_number(rows, SHAPE, row->shape);
    }
    if (row->cut) {
        add_number(rows, CUT, 1);
    }
}

static bool add_texts(
        struct rows *rows, const struct rows_head *head, const struct shape_row *row, bool shaped)
{
    bool good = add_text(rows, &rows->texts[SOURCE], head->source) &&
                add_text(rows, &rows->texts[FORMAT], head->format);
    if (head->header.size) {
        good = good && add_text(rows, &rows->texts[HEADER], head->header);
    }
    if (!shaped && head->raw.at) {
        good = good && add_text(rows, &rows->texts[RAW], head->raw);
        rows->counts.kept_bytes += head->raw.size;
    }
    for (size_t i = 0; i < row->count && good; i++) {
        good = add_text(rows, &rows->columns[row->texts[i].column], row->texts[i].text);
    }
    return good;
}

static struct weight weigh(
        const struct rows *rows, const struct rows_head *head, const struct shape_row *row)
{
    enum { MEMBER = 32, GROWTH = 6 };
    struct weight w = {ROW_BYTES + head->source.size + head->format.size + head->raw.size +
                               (row->count + TEXT_COLUMNS) * sizeof(struct rows_cell),
            MEMBER};
    if (!rows_cells_last(&rows->texts[HEADER], head->header, &rows->bytes)) {
        w.bytes += head->header.size;
    }
    for (size_t i = 0; i < row->count; i++) {
        size_t size = row->texts[i].text.size;
        w.bytes += size;
        if (!rows->field[row->texts[i].column]) {
            struct slice path = shape_column(rows->shapes, row->texts[i].column).path;
            w.rest += ((uint64_t)size + path.size) * GROWTH + MEMBER;
        }
    }
    return w;
}

enum err rows_add(struct rows *rows, const struct rows_head *head, const struct event *event,
        struct diag *diag)
{
    if (!utf8_valid(head->source) || !utf8_valid(head->format)) {
        return diag_say(diag, ERR_USAGE, "the source or the format of a row is not UTF-8");
    }
    shape_begin(rows->shapes, event->raw);
    TRY(event->form->walk(event, shape_value, rows->shapes));
    const struct shape_row *row = shape_end(rows->shapes);
    struct weight w = weigh(rows, head, row);
    if (rows->count == rows->limits.group_rows ||
            rows->held.bytes + w.bytes > rows->limits.group_bytes ||
            rows->held.rest + w.rest > PARQUET_CHUNK_BYTES) {
        TRY(group_write(rows, diag));
        w = weigh(rows, head, row);
    }
    rows->held.bytes += w.bytes;
    rows->held.rest += w.rest;
    bool shaped = row->shape != SHAPE_NONE && head->raw.at == event->raw.at &&
                  head->raw.size == event->raw.size;
    add_numbers(rows, head, row, shaped);
    if (!add_texts(rows, head, row, shaped)) {
        return diag_say(diag, ERR_MEMORY, "no memory for a row");
    }
    rows->count++;
    rows->counts.rows++;
    rows->counts.shaped += shaped;
    rows->counts.cut += row->cut;
    rows->counts.raw_bytes += head->raw.size;
    return OK;
}

enum err rows_pair(struct rows *rows, struct slice key, struct slice value, struct diag *diag)
{
    return parquet_write_pair(rows->writer, key, value, diag);
}

static enum err write_pairs(struct rows *rows, struct buf *text, struct diag *diag)
{
    if (shape_write(rows->shapes, rows_name, text) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for the shapes");
    }
    TRY(rows_pair(rows, SLICE(ROWS_SHAPES), buf_slice(text), diag));
    buf_clear(text);
    buf_format(text, "{\"rows\":%llu,\"shaped\":%llu,\"cut\":%llu,\"raw_bytes\":%llu}",
            (unsigned long long)rows->counts.rows, (unsigned long long)rows->counts.shaped,
            (unsigned long long)rows->counts.cut, (unsigned long long)rows->counts.raw_bytes);
    if (text->failed) {
        return diag_say(diag, ERR_MEMORY, "no memory for the counts");
    }
    return rows_pair(rows, SLICE(ROWS_COUNTS), buf_slice(text), diag);
}

enum err rows_finish(struct rows *rows, struct diag *diag)
{
    struct buf text = {0};
    enum err e = group_write(rows, diag);
    e = e ? e : write_pairs(rows, &text, diag);
    buf_fini(&text);
    return e ? e : parquet_write_finish(rows->writer, diag);
}
