#include "decode/csv.h"

#include <string.h>

#include "base/memory.h"
#include "decode/columns.h"
#include "decode/csv_look.h"
#include "decode/csv_text.h"
#include "decode/fields.h"
#include "decode/json_form.h"
#include "decode/json_inner.h"
#include "decode/json_pairs.h"
#include "decode/message_json.h"

enum column_type { COLUMN_TEXT, COLUMN_JSON };

struct reader {
    struct fields_reader fields;
    struct columns columns;
    struct buf header; /* the separator, and the record that names the columns */
    struct arena names;
    const struct paths *paths;
    struct decode_limits limits;
    struct slice block;
    size_t at;
    uint32_t pairs;      /* the field of lists of named values; see decode/json_pairs.h */
    struct slice inner;  /* the object in the record's column AuditData */
    struct slice record; /* whose cells these are */
    struct csv_cell *cells;
    size_t cell_count;
    size_t cell_room;
    enum err header_error;
    struct diag header_diag;
};

static const char *const no_names[] = {""};

/* ---- records --------------------------------------------------------------------------------- */

/* A cell's text as it was before it was quoted. .at NULL: no memory. */
static struct slice cell_text(const struct csv_cell *cell, struct arena *arena)
{
    if (!cell->doubled) {
        return cell->text;
    }
    char *made = arena_alloc(arena, cell->text.size + CSV_TEXT_SLACK, 1);
    return slice_of(made, made ? csv_text_undouble(cell->text, made) : 0);
}

/* Two quotes where the text has one need no fields_remember: keywords are not searched by their
 * quotes. */
static enum err put_cell(struct reader *r, struct fields_sink *sink, const struct column *column,
        const struct csv_cell *cell)
{
    if (cell->text.size == 0 && !cell->quoted) {
        return OK;
    }
    struct value value = {.text = cell_text(cell, sink->scratch), .kind = VALUE_STRING};
    if (!value.text.at) {
        return ERR_MEMORY;
    }
    if (column->type == COLUMN_JSON && message_json(sink, value.text)) {
        r->inner = sink->event ? value.text : r->inner;
        return OK;
    }
    if (columns_is_number(value.text)) {
        value.kind = VALUE_NUMBER;
    }
    columns_put(sink, column, &value);
    return OK;
}

/* Takes the cells of the record at *at, which moves behind it; only as many as have a name, and one
 * more, are kept. */
static void take_cells(struct reader *r, struct slice bytes, size_t *at)
{
    size_t start = *at;
    enum csv_end how;
    r->cell_count = 0;
    do {
        struct csv_cell *cell = &r->cells[r->cell_count];
        how = csv_text_cell(bytes, at, r->header.at[0], cell);
        r->cell_count += r->cell_count < r->columns.count + 1;
    } while (how == CSV_CELL);
    r->record = csv_text_bare(slice_of(bytes.at + start, *at - start));
}

static enum err parse(void *context, struct slice text, struct fields_sink *sink, struct diag *diag)
{
    struct reader *r = context;
    const struct columns *c = &r->columns;
    (void)text; /* r->record */
    if (r->cell_count != c->count) {
        return diag_say(diag, ERR_SYNTAX, "not %zu cells as in the first line", c->count);
    }
    for (size_t i = 0; i < c->count; i++) {
        const struct column *column = &c->at[i];
        bool wanted = column->edge || !sink->event || column->type;
        if (wanted && put_cell(r, sink, column, &r->cells[i]) != OK) {
            return diag_say(diag, ERR_MEMORY, "no memory for a record's texts");
        }
    }
    return OK;
}

static const struct fields_form form = {
        .event = {.name = "csv", .walk = fields_walk, .write_json = fields_write_json},
        .names = no_names,
        .parse = parse};

/* ---- the header ------------------------------------------------------------------------------ */

static enum err read_header(struct reader *r, struct diag *diag)
{
    struct slice names = slice_of(r->header.at + 1, r->header.size - 1);
    size_t at = 0;
    enum csv_end how;
    arena_reset(&r->names);
    columns_clear(&r->columns);
    do {
        struct csv_cell cell;
        how = csv_text_cell(names, &at, r->header.at[0], &cell);
        struct slice name = cell_text(&cell, &r->names);
        if (!name.at) {
            return diag_say(diag, ERR_MEMORY, "no memory for a header");
        }
        TRY(columns_add(&r->columns, r->paths, name, diag));
        if (slice_equal_nocase(name, SLICE("AuditData"))) {
            r->columns.at[r->columns.count - 1].type = COLUMN_JSON;
        }
    } while (how == CSV_CELL);
    if (!memory_grow(&r->cells, &r->cell_room, r->columns.count + 2, sizeof *r->cells)) {
        return diag_say(diag, ERR_MEMORY, "no memory for %zu cells", r->columns.count);
    }
    return OK;
}

static void begin(struct reader *r, struct slice block, struct slice header)
{
    r->block = block;
    r->at = 0;
    if (r->header.size > 0 && slice_equal(header, buf_slice(&r->header))) {
        return;
    }
    buf_clear(&r->header);
    buf_add(&r->header, header);
    if (r->header.size > 1) {
        r->header_error = read_header(r, &r->header_diag);
    } else {
        r->header_error = diag_say(&r->header_diag, ERR_SYNTAX, "no line that names the columns");
    }
}

/* A record that says the columns' names again. */
static bool is_header(struct slice record, struct slice header)
{
    return header.size == record.size + 1 &&
           slice_equal(record, slice_of(header.at + 1, record.size));
}

static char separator_of(struct slice header)
{
    return header.size > 0 ? header.at[0] : ',';
}

/* A record where there is no header that could be read. */
static enum err refuse(struct reader *r, struct event *event, struct diag *diag)
{
    size_t from = r->at;
    (void)csv_text_record(r->block, &r->at, separator_of(buf_slice(&r->header)));
    event_begin(event, csv_text_bare(slice_of(r->block.at + from, r->at - from)));
    return diag_say(diag, r->header_error, "%s", r->header_diag.words);
}

/* What the object's lists of named values say, as if it were the record; those that the taxonomy's
 * route `pairs` asks for in Microsoft 365's. */
static enum err add_pairs(struct reader *r, struct event *event, struct diag *diag)
{
    if (slice_find(r->inner, SLICE("\"ExtendedProperties\":[{")) == SIZE_MAX &&
            slice_find(r->inner, SLICE("\"ModifiedProperties\":[{")) == SIZE_MAX) {
        return OK;
    }
    const struct event_form *own = event->form;
    event->form = &json_form;
    event->raw = r->inner;
    enum err e = json_pairs_put(event, r->paths);
    event->form = own;
    event->raw = r->record;
    return e == OK ? OK : diag_say(diag, e, "no memory for the record's inner values");
}

static enum err next(struct reader *r, struct event *event, struct diag *diag)
{
    struct slice block = r->block;
    do {
        r->at += csv_text_blank(slice_of(block.at + r->at, block.size - r->at), true);
        if (r->at >= block.size) {
            return ERR_END;
        }
        if (r->header_error != OK) {
            return refuse(r, event, diag);
        }
        take_cells(r, block, &r->at);
    } while (is_header(r->record, buf_slice(&r->header)));
    r->inner = (struct slice){0};
    TRY(fields_read(&r->fields, r->record, event, diag));
    if (r->inner.at && r->pairs != FIELD_NONE) {
        return add_pairs(r, event, diag);
    }
    return OK;
}

static void reader_free(struct reader *r)
{
    if (r) {
        fields_fini(&r->fields);
        columns_fini(&r->columns);
        buf_fini(&r->header);
        memory_free(r->cells);
        arena_fini(&r->names);
        memory_free(r);
    }
}

static enum err reader_new(
        const struct paths *paths, const struct decode_limits *limits, struct reader **out)
{
    struct reader *r = memory_alloc(sizeof *r);
    if (!r) {
        return ERR_MEMORY;
    }
    r->limits = *limits;
    r->paths = paths;
    r->pairs = json_inner_route(paths, SLICE("\x01"
                                             "pairs"));
    arena_init(&r->names, DECODE_HEADER_LIMIT * 2);
    if (fields_init(&r->fields, &form, paths, r) != OK) {
        reader_free(r);
        return ERR_MEMORY;
    }
    *out = r;
    return OK;
}

/* ---- cut ------------------------------------------------------------------------------------- */

enum { NEW, HEADER, RECORDS }; /* c->a: what comes next */
enum { WHOLE, PART };          /* c->b: PART: the rest of a line that is passed over */

/* The rest of a line that cannot be read; one of blanks is none. c->d: it is not blank so far. */
static void skip_line(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    size_t newline = slice_find_byte(bytes, '\n');
    c->d |= csv_text_blank(slice_of(bytes.at, newline), true) < newline;
    out->skip = newline < bytes.size ? newline + 1 : newline;
    c->b = PART;
    if (newline == bytes.size && !last) {
        return;
    }
    c->b = WHOLE;
    if (c->d) {
        out->rejected = 1;
        (void)diag_say(diag, ERR_LIMIT,
                "a record longer than %zu bytes, or a quote that is not closed",
                c->limits.record_bytes);
    }
    c->d = 0;
}

/* The record at the front names the columns; the separator 0: take one that fits. */
static void cut_names(struct cutter *c, struct slice bytes, bool last, struct cut *out)
{
    char separator = (char)c->c;
    size_t newline = slice_find_byte(bytes, '\n'), end = 0;
    if (newline == bytes.size && !last) {
        return;
    }
    if (!separator) {
        separator = csv_text_separator(csv_text_bare(slice_of(bytes.at, newline)));
        separator = separator ? separator : ',';
    }
    enum csv_end how = csv_text_record(bytes, &end, separator);
    struct slice names = csv_text_bare(slice_of(bytes.at, end));
    if ((how == CSV_LINE || (how == CSV_BYTES && last)) && names.size < DECODE_HEADER_LIMIT) {
        buf_byte(&c->header, separator);
        buf_add(&c->header, names);
        out->skip = end;
        c->a = RECORDS;
    }
}

/* The lines up to the header's last. c->c: the separator, where a line said it. */
static void cut_header(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    size_t newline = slice_find_byte(bytes, '\n');
    char separator = (char)c->c;
    out->skip = csv_text_blank(bytes, last);
    if (out->skip > 0 || bytes.size == 0) {
        return;
    }
    if ((newline < bytes.size || last) &&
            csv_text_is_prologue(csv_text_bare(slice_of(bytes.at, newline)), &separator)) {
        c->c = (unsigned char)separator;
        out->skip = newline + (newline < bytes.size);
        return;
    }
    cut_names(c, bytes, last, out);
    if (c->a == HEADER && (last || bytes.size > DECODE_HEADER_LIMIT + 2)) {
        skip_line(c, bytes, last, out, diag);
        c->a = RECORDS;
    }
}

static void cut_records(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    struct slice header = buf_slice(&c->header);
    size_t most = c->limits.record_bytes;
    for (;;) {
        struct slice rest = slice_of(bytes.at + out->size, bytes.size - out->size);
        size_t blank = csv_text_blank(rest, last), end = blank;
        if (blank > 0) {
            out->size += blank;
            continue;
        }
        if (rest.size == 0) {
            return;
        }
        enum csv_end how = csv_text_record(rest, &end, separator_of(header));
        if ((how == CSV_BYTES || how == CSV_OPEN) && !last && rest.size <= most + 1) {
            return; /* more bytes may end it */
        }
        struct slice record = csv_text_bare(slice_of(rest.at, end));
        if (how == CSV_OPEN || record.size > most || (how == CSV_BYTES && !last)) {
            if (out->size == 0) { /* with its first line */
                skip_line(c, rest, last, out, diag);
            }
            return;
        }
        out->size += end;
        out->records += !is_header(record, header);
    }
}

static enum err cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    *out = (struct cut){0};
    if (c->a == NEW) {
        if (bytes.size < 3 && !last) {
            return OK;
        }
        c->a = HEADER;
        if (slice_starts(bytes, SLICE("\xEF\xBB\xBF"))) {
            out->skip = 3;
            return OK;
        }
    }
    if (c->b == PART) {
        skip_line(c, bytes, last, out, diag);
    } else if (c->a == HEADER) {
        cut_header(c, bytes, last, out, diag);
    } else {
        cut_records(c, bytes, last, out, diag);
    }
    return OK;
}

const struct decoder csv_decoder = {
        .name = "csv",
        .about = "tables with a header: comma, semicolon, tab or | separated",
        .headed = true,
        .recognise = csv_look,
        .cut = cut,
        .reader_new = reader_new,
        .reader_free = reader_free,
        .begin = begin,
        .next = next,
};
