#include "cli/hunt_book_text.h"

#include "base/time.h"
#include "cli/figures.h"
#include "cli/visible.h"

/* ---- Markdown ---------------------------------------------------------------------------------
 */

/* true: it was cut. */
static bool add_shown(struct buf *out, struct slice text, size_t columns)
{
    struct buf shown = {0};
    size_t wide = visible_width(text);
    visible_add(&shown, text, columns);
    notebook_escape(buf_slice(&shown), out);
    out->failed |= shown.failed;
    buf_fini(&shown);
    return wide > columns;
}

static void add_text(struct buf *out, struct slice text)
{
    (void)add_shown(out, text, VISIBLE_ANY);
}

static bool add_cell(const struct hunt_frames_cell *cell, struct buf *out)
{
    struct buf text = {0};
    for (uint32_t i = 0; i < cell->count; i++) {
        struct slice value = cell->values[i].text;
        buf_add(&text, i ? SLICE(", ") : SLICE(""));
        buf_add(&text, value.size ? value : SLICE("\"\""));
    }
    bool cut = add_shown(out, buf_slice(&text), HUNT_BOOK_TEXT_CELL);
    out->failed |= text.failed;
    buf_fini(&text);
    return cut || cell->cut;
}

static void add_columns(const struct row_column *columns, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        buf_add(out, SLICE("| "));
        add_text(out, columns[i].name);
        buf_byte(out, ' ');
    }
    buf_add(out, SLICE("|\n"));
    for (uint32_t i = 0; i < count; i++) {
        bool right = columns[i].kind == ROW_NUMBER || columns[i].kind == ROW_DECIMAL;
        buf_add(out, right ? SLICE("| ---: ") : SLICE("| --- "));
    }
    buf_add(out, SLICE("|\n"));
}

/* How many cells were cut. */
static uint64_t add_table(const struct hunt_book_result *r, struct buf *out)
{
    uint32_t count;
    uint64_t cut = 0;
    const struct row_column *columns = query_columns(r->query, &count);
    struct slice rows = r->rows;
    buf_byte(out, '\n');
    add_columns(columns, count, out);
    while (rows.size > 0) {
        for (uint32_t i = 0; i < count; i++) {
            struct hunt_frames_cell cell;
            if (hunt_frames_cell(&rows, &cell, NULL) != OK) {
                return cut; /* they were checked when they came */
            }
            buf_add(out, SLICE("| "));
            cut += add_cell(&cell, out);
            buf_byte(out, ' ');
        }
        buf_add(out, SLICE("|\n"));
    }
    buf_byte(out, '\n');
    return cut;
}

static void add_count(struct buf *out, uint64_t n, const char *what)
{
    figures_count(out, n);
    buf_format(out, " %s%s", what, n == 1 ? "" : "s");
}

static void add_span(const struct hunt_book_result *r, struct buf *out)
{
    const struct query_run_counts *c = &r->end.counts;
    buf_add(out, SLICE("Searched: "));
    add_text(out, r->inputs);
    if (c->timed > 0) {
        buf_add(out, SLICE("; events of "));
        time_format(out, c->first_ns);
        buf_add(out, SLICE(" to "));
        time_format(out, c->last_ns);
    }
    buf_add(out, SLICE(".\n"));
}

static void add_notes(const struct hunt_book_result *r, struct buf *out)
{
    struct slice notes = r->notes;
    buf_add(out, r->complete ? SLICE("\nTo know:\n") : SLICE("\n**Not complete:**\n"));
    if (notes.size > 0) {
        buf_byte(out, '\n');
    }
    while (notes.size > 0) {
        struct slice line = slice_cut(&notes, '\n');
        line = slice_starts(line, SLICE("merlon: ")) ? slice_from(line, 8) : line;
        buf_add(out, SLICE("- "));
        add_text(out, line);
        buf_byte(out, '\n');
    }
}

void hunt_book_text_result(const struct hunt_book_result *r, struct buf *out)
{
    const struct query_run_counts *c = &r->end.counts;
    uint64_t cut = 0;
    if (r->ended) {
        buf_add(out, SLICE("**"));
        add_count(out, c->rows, "row");
        buf_add(out, SLICE("** from "));
        figures_count(out, c->matched);
        buf_add(out, SLICE(" of "));
        add_count(out, r->end.events, "event");
        if (query_passes(r->query) > 1) {
            buf_format(out, ", read %u times", query_passes(r->query));
        }
    } else {
        buf_add(out, SLICE("**The hunt did not end**"));
    }
    buf_add(out, SLICE("; run at "));
    time_format(out, r->run_ns / TIME_SECOND * TIME_SECOND);
    buf_add(out, SLICE(".\n"));
    add_span(r, out);
    if (r->kept > 0) {
        cut = add_table(r, out);
    }
    if (r->ended && r->kept < c->rows) {
        buf_add(out, SLICE("The first "));
        figures_count(out, r->kept);
        buf_add(out, SLICE(" of "));
        add_count(out, c->rows, "row");
        buf_add(out, SLICE(".\n"));
    }
    if (cut > 0) {
        add_count(out, cut, "cell");
        buf_format(out, " cut at %d columns.\n", (int)HUNT_BOOK_TEXT_CELL);
    }
    if (!r->complete || r->notes.size > 0) {
        add_notes(r, out);
    }
}

static void add_fact(struct buf *out, const char *name, struct slice text)
{
    if (text.size > 0) {
        buf_format(out, "- %s: ", name);
        add_text(out, slice_trim(text));
        buf_byte(out, '\n');
    }
}

static void add_facts(struct buf *out, const char *name, const struct notebook_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i == 0) {
            buf_format(out, "- %s: ", name);
        }
        add_text(out, list->at[i]);
        buf_add(out, i + 1 < list->count ? SLICE(", ") : SLICE("\n"));
    }
}

void hunt_book_text_head(const char *file, const struct notebook *book, struct buf *out)
{
    buf_add(out, SLICE("# "));
    add_text(out, slice_trim(book->title));
    buf_add(out, SLICE("\n\n"));
    add_fact(out, "File", slice_text(file));
    add_fact(out, "Hypothesis", book->hypothesis);
    add_facts(out, "ATT&CK", &book->attack);
    add_fact(out, "Owner", book->owner);
    add_fact(out, "Status", book->status);
    add_fact(out, "Outcome", book->outcome);
    add_facts(out, "References", &book->references);
    buf_byte(out, '\n');
}

void hunt_book_text_report(const struct hunt_book_result *r, struct buf *out)
{
    struct slice query = r->block->query;
    if (r->block->name.size > 0) {
        buf_add(out, SLICE("## "));
        add_text(out, r->block->name);
        buf_add(out, SLICE("\n\n"));
    }
    while (query.size > 0) {
        struct slice line = slice_cut(&query, '\n');
        buf_add(out, SLICE("    ")); /* indented code, which nothing in it can end */
        visible_add(out, slice_ends(line, SLICE("\r")) ? slice_of(line.at, line.size - 1) : line,
                VISIBLE_ANY);
        buf_byte(out, '\n');
    }
    buf_byte(out, '\n');
    hunt_book_text_result(r, out);
    buf_byte(out, '\n');
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static void member(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, ",\"%s\":", name);
    if (!text.at) {
        buf_add(out, SLICE("null"));
        return;
    }
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

static void members(struct buf *out, const char *name, const struct notebook_list *list)
{
    buf_format(out, ",\"%s\":[", name);
    for (size_t i = 0; i < list->count; i++) {
        buf_add(out, i ? SLICE(",\"") : SLICE("\""));
        buf_json(out, list->at[i]);
        buf_byte(out, '"');
    }
    buf_byte(out, ']');
}

static void json_time(struct buf *out, const char *name, bool known, int64_t ns)
{
    buf_format(out, ",\"%s\":", name);
    if (!known) {
        buf_add(out, SLICE("null"));
        return;
    }
    buf_byte(out, '"');
    time_format(out, ns);
    buf_byte(out, '"');
}

static void json_value(struct buf *out, const struct hunt_frames_value *v)
{
    if (v->number) {
        buf_add(out, v->text);
        return;
    }
    buf_byte(out, '"');
    buf_json(out, v->text);
    buf_byte(out, '"');
}

static void json_cell(struct buf *out, const struct hunt_frames_cell *cell)
{
    if (cell->count == 0) {
        buf_add(out, SLICE("null"));
    } else if (cell->count == 1) {
        json_value(out, &cell->values[0]);
    }
    for (uint32_t i = 0; cell->count > 1 && i < cell->count; i++) {
        buf_byte(out, i ? ',' : '[');
        json_value(out, &cell->values[i]);
    }
    if (cell->count > 1) {
        buf_byte(out, ']');
    }
}

/* How many cells were cut. */
static uint64_t json_rows(const struct hunt_book_result *r, struct buf *out)
{
    uint32_t count;
    uint64_t cut = 0;
    const struct row_column *columns = query_columns(r->query, &count);
    struct slice rows = r->rows;
    buf_add(out, SLICE(",\"results\":["));
    for (uint64_t n = 0; n < r->kept; n++) {
        buf_add(out, n ? SLICE(",{") : SLICE("{"));
        for (uint32_t i = 0; i < count; i++) {
            struct hunt_frames_cell cell;
            if (hunt_frames_cell(&rows, &cell, NULL) != OK) {
                break; /* they were checked when they came */
            }
            cut += cell.cut;
            buf_add(out, i ? SLICE(",\"") : SLICE("\""));
            buf_json(out, columns[i].name);
            buf_add(out, SLICE("\":"));
            json_cell(out, &cell);
        }
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
    return cut;
}

static void json_notes(struct slice notes, struct buf *out)
{
    bool first = true;
    buf_add(out, SLICE(",\"notes\":["));
    while (notes.size > 0) {
        struct slice line = slice_cut(&notes, '\n');
        line = slice_starts(line, SLICE("merlon: ")) ? slice_from(line, 8) : line;
        buf_add(out, first ? SLICE("\"") : SLICE(",\""));
        buf_json(out, line);
        buf_byte(out, '"');
        first = false;
    }
    buf_byte(out, ']');
}

void hunt_book_text_json(const struct hunt_book_result *r, struct buf *out)
{
    const struct query_run_counts *c = &r->end.counts;
    buf_add(out, SLICE("{\"file\":\""));
    buf_json(out, slice_text(r->file));
    buf_format(out, "\",\"line\":%u", r->block->line);
    member(out, "title", r->book->title);
    member(out, "hypothesis", r->book->hypothesis);
    members(out, "attack", &r->book->attack);
    member(out, "owner", r->book->owner);
    member(out, "status", r->book->status);
    member(out, "outcome", r->book->outcome);
    members(out, "references", &r->book->references);
    member(out, "name", r->block->name.size ? r->block->name : (struct slice){0});
    member(out, "query", r->block->query);
    json_time(out, "run", true, r->run_ns);
    member(out, "searched", r->inputs);
    buf_format(out, ",\"ended\":%s,\"complete\":%s", r->ended ? "true" : "false",
            r->complete ? "true" : "false");
    if (r->ended) {
        buf_format(out, ",\"events\":%llu,\"matched\":%llu,\"rows\":%llu",
                (unsigned long long)r->end.events, (unsigned long long)c->matched,
                (unsigned long long)c->rows);
    }
    json_time(out, "first", c->timed > 0, c->first_ns);
    json_time(out, "last", c->timed > 0, c->last_ns);
    uint64_t cut = json_rows(r, out);
    buf_format(out, ",\"cells_cut\":%llu", (unsigned long long)cut);
    json_notes(r->notes, out);
    buf_add(out, SLICE("}\n"));
}
