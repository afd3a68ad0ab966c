#include "intel/ioc_csv.h"

#include "base/time.h"

enum { NONE = IOC_CSV_COLUMNS, LINES_LOOKED_AT = 200 };

/* A row; cells are in the table's bytes, or in `text` where quotes had to be taken out. */
struct row {
    struct slice cells[IOC_CSV_COLUMNS];
    size_t starts[IOC_CSV_COLUMNS]; /* in text; SIZE_MAX: in the bytes */
    uint32_t count;
    struct buf text;
};

struct table {
    struct slice rest;
    uint32_t line; /* of what `rest` begins with */
    struct row row;
};

struct columns {
    uint32_t type, value, until, label, to_ids;
    uint8_t kinds[IOC_CSV_COLUMNS]; /* by their names; IOC_OTHER: none */
    uint32_t count;
    bool usable;
};

/* ---- rows -------------------------------------------------------------------------------------
 */

static char front(struct slice s)
{
    return s.size > 0 ? s.at[0] : '\n';
}

static void skip_blanks(struct slice *s)
{
    while (s->size > 0 && (s->at[0] == ' ' || s->at[0] == '\t')) {
        *s = slice_from(*s, 1);
    }
}

/* Behind the opening quote. */
static void read_quoted(struct table *t, size_t *start)
{
    struct row *row = &t->row;
    *start = row->text.size;
    while (t->rest.size > 0) {
        char c = t->rest.at[0];
        t->rest = slice_from(t->rest, 1);
        if (c == '"' && front(t->rest) != '"') {
            break;
        }
        if (c == '"') {
            t->rest = slice_from(t->rest, 1);
        }
        t->line += c == '\n';
        buf_byte(&row->text, c);
    }
}

static bool at_end(struct slice s)
{
    return s.size == 0 || s.at[0] == '\n';
}

static void read_cell(struct table *t)
{
    struct row *row = &t->row;
    size_t start = SIZE_MAX, size = 0;
    skip_blanks(&t->rest);
    struct slice cell = t->rest;
    if (front(t->rest) == '"') {
        t->rest = slice_from(t->rest, 1);
        read_quoted(t, &start);
        size = row->text.size - start;
    }
    while (!at_end(t->rest) && t->rest.at[0] != ',') {
        t->rest = slice_from(t->rest, 1);
    }
    if (row->count < IOC_CSV_COLUMNS) {
        row->starts[row->count] = start;
        row->cells[row->count++] = start == SIZE_MAX
                                           ? slice_trim(slice_of(cell.at, cell.size - t->rest.size))
                                           : slice_of(NULL, size);
    }
}

/* The row at the front. */
static enum err read_row(struct table *t)
{
    struct row *row = &t->row;
    row->count = 0;
    buf_clear(&row->text);
    read_cell(t);
    while (front(t->rest) == ',' && t->rest.size > 0) {
        t->rest = slice_from(t->rest, 1);
        read_cell(t);
    }
    if (t->rest.size > 0) {
        t->rest = slice_from(t->rest, 1);
        t->line++;
    }
    for (uint32_t i = 0; i < row->count && !row->text.failed; i++) {
        size_t start = row->starts[i], size = row->cells[i].size;
        if (start != SIZE_MAX) { /* where all are empty there is no text */
            row->cells[i] = size ? slice_trim(slice_of(row->text.at + start, size)) : SLICE("");
        }
    }
    return row->text.failed ? ERR_MEMORY : OK;
}

/* ---- columns ----------------------------------------------------------------------------------
 */

static bool is_one_of(struct slice name, const char *const *list)
{
    for (; *list; list++) {
        if (slice_equal_nocase(name, slice_text(*list))) {
            return true;
        }
    }
    return false;
}

static void read_names(const struct row *row, struct columns *c)
{
    static const char *const types[] = {"type", "ioc_type", "indicator_type", "kind", NULL},
                             *const values[] = {"value", "ioc_value", "ioc", "indicator",
                                     "indicator_value", NULL},
                             *const untils[] = {"valid_until", "expires", "expiration",
                                     "expiration_date", "valid_to", NULL},
                             *const labels[] = {"uuid", "ioc_id", "id", "label", "comment", "name",
                                     "description", NULL},
                             *const ids[] = {"to_ids", NULL};
    uint32_t named = 0;
    *c = (struct columns){.type = NONE,
            .value = NONE,
            .until = NONE,
            .label = NONE,
            .to_ids = NONE,
            .count = row->count};
    for (uint32_t i = 0; i < row->count; i++) {
        struct slice name = row->cells[i];
        const struct {
            const char *const *list;
            uint32_t *column;
        } known[] = {{types, &c->type}, {values, &c->value}, {untils, &c->until},
                {labels, &c->label}, {ids, &c->to_ids}};
        c->kinds[i] = ioc_load_kind(name);
        named += c->kinds[i] != IOC_OTHER;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            if (*known[k].column == NONE && is_one_of(name, known[k].list)) {
                *known[k].column = i;
            }
        }
    }
    c->usable = c->value != NONE || named > 0;
}

static bool is_comment(struct slice line)
{
    skip_blanks(&line);
    return front(line) == '#' || (front(line) == '\r') || at_end(line);
}

/* Goes behind the column names; false: there are none. */
static bool find_names(struct table *t, struct columns *c)
{
    struct columns commented = {0};
    for (uint32_t n = 0; n < LINES_LOOKED_AT && t->rest.size > 0; n++) {
        if (is_comment(t->rest)) {
            struct table line = {.rest = t->rest};
            line.rest = slice_cut(&t->rest, '\n');
            t->line++;
            while (front(line.rest) == '#' || front(line.rest) == ' ' || front(line.rest) == '\t') {
                line.rest = slice_from(line.rest, 1);
            }
            bool read = line.rest.size > 0 && read_row(&line) == OK;
            if (read) {
                read_names(&line.row, c);
                commented = c->usable ? *c : commented;
            }
            buf_fini(&line.row.text);
            continue;
        }
        struct table first = *t;
        first.row.text = (struct buf){0};
        enum err e = read_row(&first);
        uint32_t count = first.row.count;
        read_names(&first.row, c);
        buf_fini(&first.row.text);
        if (e == OK && commented.usable && commented.count == count) {
            *c = commented;
            return true;
        }
        t->rest = first.rest;
        t->line = first.line;
        return e == OK && c->usable;
    }
    return false;
}

bool ioc_csv_is(struct slice bytes)
{
    struct table table = {.rest = bytes};
    struct columns columns;
    return find_names(&table, &columns);
}

/* ---- indicators -------------------------------------------------------------------------------
 */

static struct slice cell(const struct row *row, uint32_t column)
{
    return column < row->count ? row->cells[column] : SLICE("");
}

static enum err add_row(struct ioc_load *load, const struct columns *c, const struct row *row,
        uint32_t line, struct diag *diag)
{
    struct ioc ioc = {.kind = IOC_GUESS,
            .text = cell(row, c->value),
            .label = cell(row, c->label),
            .line = line,
            .valid_until = INT64_MAX};
    struct slice until = cell(row, c->until), ids = cell(row, c->to_ids);
    if (slice_equal(ids, SLICE("0")) || slice_equal_nocase(ids, SLICE("false"))) {
        load->passed++;
        return OK;
    }
    if (until.size > 0 && !time_parse(until, &ioc.valid_until)) {
        ioc_load_refuse(load, line, "'%.*s' is no time", SLICE_ARG(until));
        return OK;
    }
    if (c->value != NONE) {
        return c->type == NONE ? ioc_load_add(load, &ioc, diag)
                               : ioc_load_add_typed(load, cell(row, c->type), &ioc, diag);
    }
    for (uint32_t i = 0; i < c->count; i++) {
        ioc.kind = c->kinds[i];
        ioc.text = cell(row, i);
        if (ioc.kind != IOC_OTHER && ioc.text.size > 0 &&
                !slice_equal_nocase(ioc.text, SLICE("n/a")) &&
                !slice_equal_nocase(ioc.text, SLICE("none"))) {
            TRY(ioc_load_add(load, &ioc, diag));
        }
    }
    return OK;
}

enum err ioc_csv_read(struct ioc_load *load, struct slice bytes, struct diag *diag)
{
    struct table table = {.rest = bytes, .line = 1};
    struct columns columns;
    enum err e = find_names(&table, &columns) ? OK : ERR_SYNTAX;
    while (e == OK && table.rest.size > 0) {
        uint32_t line = table.line;
        if (is_comment(table.rest)) {
            slice_cut(&table.rest, '\n');
            table.line++;
            continue;
        }
        e = read_row(&table);
        e = e == OK ? add_row(load, &columns, &table.row, line, diag) : e;
    }
    buf_fini(&table.row.text);
    return e;
}
