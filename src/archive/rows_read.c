#include "archive/rows_read.h"

#include <string.h>

#include "archive/rows.h"
#include "archive/shape_read.h"
#include "base/json_text.h"
#include "base/memory.h"

enum fixed { OFFSET, PART, TIME, RECEIVED, SHAPE, CUT, SOURCE, FORMAT, HEADER, RAW, REST, FIXED };

static const struct {
    const char *name;
    enum parquet_kind kind;
    bool optional;
} fixed[FIXED] = {
        [OFFSET] = {ROWS_OFFSET, PARQUET_INT64, false},
        [PART] = {ROWS_PART, PARQUET_INT32, true},
        [TIME] = {ROWS_TIME, PARQUET_TIME, true},
        [RECEIVED] = {ROWS_RECEIVED, PARQUET_TIME, false},
        [SHAPE] = {ROWS_SHAPE, PARQUET_INT32, true},
        [CUT] = {ROWS_CUT, PARQUET_INT32, true},
        [SOURCE] = {ROWS_SOURCE, PARQUET_TEXT, false},
        [FORMAT] = {ROWS_FORMAT, PARQUET_TEXT, false},
        [HEADER] = {ROWS_HEADER, PARQUET_BYTES, true},
        [RAW] = {ROWS_RAW, PARQUET_BYTES, true},
        [REST] = {ROWS_REST, PARQUET_TEXT, true},
};

/* A column of the group at hand. */
struct part {
    struct parquet_read_column column;
    uint32_t *before; /* by word of the bitmap: values before it */
    size_t room;
    bool loaded;
};

struct rows_read {
    struct parquet_read *file;
    struct shape_set *shapes;
    uint32_t fields[FIXED]; /* their numbers in the file */
    uint32_t *of_shape;     /* by column of the shapes: its number; UINT32_MAX: in `_rest` */
    struct part *parts;     /* by number in the file */
    uint32_t part_count;
    uint32_t group, count;
    struct buf raw, rest; /* of the row: its record, texts of `_rest` */
    struct slice *texts;  /* by hole */
    size_t *places;       /* by hole: where its text begins in `rest` and one; 0: it is no such */
};

/* ---- opening ----------------------------------------------------------------------------------
 */

static enum err find_fixed(struct rows_read *r, struct diag *diag)
{
    for (int i = 0; i < FIXED; i++) {
        uint32_t number = parquet_read_find(r->file, slice_text(fixed[i].name));
        const struct parquet_field *field =
                number == UINT32_MAX ? NULL : parquet_read_field(r->file, number);
        if (!field || field->kind != fixed[i].kind || field->optional != fixed[i].optional) {
            return diag_say(diag, ERR_UNSUPPORTED, "no sealed rows: the column %s is missing",
                    fixed[i].name);
        }
        r->fields[i] = number;
    }
    return OK;
}

static enum err find_shapes(struct rows_read *r, struct diag *diag)
{
    struct slice text;
    if (!parquet_read_pair(r->file, SLICE(ROWS_SHAPES), &text)) {
        return diag_say(diag, ERR_UNSUPPORTED, "no sealed rows: " ROWS_SHAPES " is missing");
    }
    TRY(shape_read(text, &r->shapes, diag));
    uint32_t count = shape_columns(r->shapes);
    r->of_shape = memory_alloc_array(count + (size_t)1, sizeof *r->of_shape);
    r->texts = memory_alloc_array(SHAPE_HOLES, sizeof *r->texts);
    r->places = memory_alloc_array(SHAPE_HOLES, sizeof *r->places);
    r->part_count = parquet_read_field_count(r->file);
    r->parts = memory_alloc_array(r->part_count + (size_t)1, sizeof *r->parts);
    if (!r->of_shape || !r->texts || !r->places || !r->parts) {
        return diag_say(diag, ERR_MEMORY, "no memory for a sealed file");
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = parquet_read_find(r->file, shape_column(r->shapes, i).path);
        bool text_column =
                number != UINT32_MAX && parquet_read_field(r->file, number)->kind == PARQUET_TEXT;
        r->of_shape[i] = text_column ? number : UINT32_MAX;
    }
    return OK;
}

enum err rows_read_open(
        const struct disk *disk, const char *path, struct rows_read **out, struct diag *diag)
{
    struct rows_read *r = memory_alloc(sizeof *r);
    if (!r) {
        return diag_say(diag, ERR_MEMORY, "no memory for a sealed file");
    }
    enum err e = parquet_read_open(disk, path, &r->file, diag);
    e = e == OK ? find_fixed(r, diag) : e;
    e = e == OK ? find_shapes(r, diag) : e;
    if (e != OK) {
        rows_read_close(r);
        return e;
    }
    *out = r;
    return OK;
}

void rows_read_close(struct rows_read *r)
{
    if (!r) {
        return;
    }
    for (uint32_t i = 0; r->parts && i < r->part_count; i++) {
        parquet_read_column_fini(&r->parts[i].column);
        memory_free(r->parts[i].before);
    }
    memory_free(r->parts);
    memory_free(r->of_shape);
    memory_free(r->texts);
    memory_free(r->places);
    buf_fini(&r->raw);
    buf_fini(&r->rest);
    if (r->shapes) {
        shape_free(r->shapes);
    }
    if (r->file) {
        parquet_read_close(r->file);
    }
    memory_free(r);
}

uint32_t rows_read_groups(const struct rows_read *r)
{
    return parquet_read_group_count(r->file);
}

const struct parquet_read *rows_read_file(const struct rows_read *r)
{
    return r->file;
}

/* ---- columns ----------------------------------------------------------------------------------
 */

static enum err load(struct rows_read *r, uint32_t number, struct diag *diag)
{
    struct part *part = &r->parts[number];
    if (part->loaded) {
        return OK;
    }
    TRY(parquet_read_column(r->file, r->group, number, &part->column, diag));
    const uint64_t *bits = part->column.present;
    uint32_t words = bits ? parquet_words(part->column.rows) : 0, before = 0;
    if (!memory_grow(&part->before, &part->room, words + (size_t)1, sizeof *part->before)) {
        return diag_say(diag, ERR_MEMORY, "no memory for a column");
    }
    for (uint32_t w = 0; w < words; w++) {
        part->before[w] = before;
        before += (uint32_t)__builtin_popcountll(bits[w]);
    }
    part->loaded = true;
    return OK;
}

/* Which of the column's values is the row's; UINT32_MAX: none. */
static uint32_t value_of(const struct part *part, uint32_t row)
{
    const uint64_t *bits = part->column.present;
    if (part->column.count == 0 || (bits && !parquet_bit(bits, row))) {
        return UINT32_MAX;
    }
    uint64_t below = bits ? bits[row / 64] & (((uint64_t)1 << row % 64) - 1) : 0;
    return bits ? part->before[row / 64] + (uint32_t)__builtin_popcountll(below) : row;
}

static struct slice text_of(const struct part *part, uint32_t row)
{
    const struct parquet_read_column *c = &part->column;
    uint32_t value = value_of(part, row);
    if (value == UINT32_MAX) {
        return (struct slice){0};
    }
    struct slice text = c->entries[c->indexes ? c->indexes[value] : value];
    return text.at ? text : SLICE("");
}

static int64_t number_of(const struct rows_read *r, enum fixed which, uint32_t row, int64_t none)
{
    const struct part *part = &r->parts[r->fields[which]];
    uint32_t value = value_of(part, row);
    return value == UINT32_MAX ? none : part->column.integers[value];
}

static struct slice fixed_text(const struct rows_read *r, enum fixed which, uint32_t row)
{
    return text_of(&r->parts[r->fields[which]], row);
}

enum err rows_read_group(struct rows_read *r, uint32_t group, struct diag *diag)
{
    r->group = group;
    r->count = parquet_read_rows(r->file, group);
    for (uint32_t i = 0; i < r->part_count; i++) {
        r->parts[i].loaded = false;
    }
    for (int i = 0; i < FIXED; i++) {
        TRY(load(r, r->fields[i], diag));
    }
    return OK;
}

uint32_t rows_read_count(const struct rows_read *r)
{
    return r->count;
}

/* ---- rows -------------------------------------------------------------------------------------
 */

static enum err damaged(const struct rows_read *r, uint32_t row, const char *why, struct diag *diag)
{
    return diag_say(diag, ERR_SYNTAX, "row group %u, row %u: %s", r->group, row, why);
}

/* A hole's text is in its column, or else in `_rest`, from where it is copied. */
static enum err find_text(
        struct rows_read *r, uint32_t row, uint32_t column, size_t hole, struct diag *diag)
{
    uint32_t number = r->of_shape[column];
    r->places[hole] = 0;
    if (number != UINT32_MAX) {
        TRY(load(r, number, diag));
        r->texts[hole] = text_of(&r->parts[number], row);
        if (r->texts[hole].at) {
            return OK;
        }
    }
    struct slice rest = fixed_text(r, REST, row);
    struct slice name = shape_column(r->shapes, column).path;
    struct buf key = {0};
    buf_json(&key, name);
    struct slice member = key.failed ? (struct slice){0} : json_text_get(rest, buf_slice(&key));
    bool failed = key.failed;
    buf_fini(&key);
    if (failed) {
        return diag_say(diag, ERR_MEMORY, "no memory for a row");
    }
    if (!member.at) {
        return damaged(r, row, "a value of its shape is missing", diag);
    }
    r->places[hole] = r->rest.size + 1;
    json_text_add(&r->rest, member);
    r->texts[hole].size = r->rest.size + 1 - r->places[hole];
    return r->rest.failed ? diag_say(diag, ERR_MEMORY, "no memory for a row") : OK;
}

static enum err rebuild(struct rows_read *r, uint32_t row, uint32_t shape, struct diag *diag)
{
    size_t count;
    const uint32_t *holes = shape_holes(r->shapes, shape, &count);
    buf_clear(&r->raw);
    buf_clear(&r->rest);
    struct slice rest = fixed_text(r, REST, row);
    if (rest.size > 0 && json_text_check_whole(rest, 2, NULL) != OK) {
        return damaged(r, row, ROWS_REST " is no JSON", diag);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(find_text(r, row, holes[i], i, diag));
    }
    for (size_t i = 0; i < count; i++) {
        if (r->places[i]) {
            r->texts[i].at = r->rest.at ? r->rest.at + r->places[i] - 1 : "";
        }
    }
    return shape_join(r->shapes, shape, r->texts, &r->raw) == OK
                   ? OK
                   : diag_say(diag, ERR_MEMORY, "no memory for a row");
}

enum err rows_read_row(
        struct rows_read *r, uint32_t row, struct rows_read_row *out, struct diag *diag)
{
    int64_t shape = number_of(r, SHAPE, row, -1);
    *out = (struct rows_read_row){.offset = (uint64_t)number_of(r, OFFSET, row, 0),
            .received_ns = number_of(r, RECEIVED, row, 0),
            .time_ns = number_of(r, TIME, row, INT64_MIN),
            .part = number_of(r, PART, row, -1),
            .source = fixed_text(r, SOURCE, row),
            .format = fixed_text(r, FORMAT, row),
            .header = fixed_text(r, HEADER, row),
            .raw = fixed_text(r, RAW, row),
            .cut = number_of(r, CUT, row, 0) != 0};
    if (shape < 0) {
        return OK;
    }
    if (shape >= shape_count(r->shapes)) {
        return damaged(r, row, "there is no such shape", diag);
    }
    TRY(rebuild(r, row, (uint32_t)shape, diag));
    out->raw = slice_of(r->raw.at ? r->raw.at : "", r->raw.size);
    return OK;
}
