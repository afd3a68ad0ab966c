#include "cli/sources_view.h"

#include "base/time.h"
#include "cli/figures.h"
#include "cli/visible.h"

enum { NAME_COLUMNS = 60, COUNT_COLUMNS = 12 };

/* ---- lines ----------------------------------------------------------------------------------- */

static void add_label(struct buf *out, const char *label)
{
    buf_format(out, "  %-12s", label);
}

/* A count, right-aligned. */
static void add_column(struct buf *out, uint64_t n)
{
    struct buf text = {0};
    figures_count(&text, n);
    for (size_t pad = text.size; pad < COUNT_COLUMNS; pad++) {
        buf_byte(out, ' ');
    }
    buf_add(out, buf_slice(&text));
    buf_fini(&text);
}

static void add_many(struct buf *out, uint64_t n, const char *thing)
{
    figures_count(out, n);
    buf_format(out, " %s%s", thing, n == 1 ? "" : "s");
}

/* Tenths of a percent, cut: 100.0 only where it is all. */
static void add_rate(struct buf *out, uint64_t part, uint64_t all)
{
    uint64_t tenths = all ? (uint64_t)((__uint128_t)part * 1000 / all) : 0;
    buf_format(out, "%5llu.%llu %%", (unsigned long long)(tenths / 10),
            (unsigned long long)(tenths % 10));
}

static void table_format(const struct sources_view *v, struct buf *out)
{
    const struct look_file *f = v->file;
    add_label(out, "Format");
    buf_add(out, f->format       ? slice_text(f->format)
                 : f->unreadable ? SLICE("not read")
                                 : SLICE("none that is known"));
    if (f->format) {
        buf_add(out, SLICE(", "));
        add_many(out, f->records, "record");
    }
    if (f->rejected > 0) {
        buf_add(out, SLICE(", "));
        figures_count(out, f->rejected);
        buf_add(out, SLICE(" rejected"));
    }
    if (f->format && f->unreadable) {
        buf_add(out, SLICE(", the rest not read"));
    }
    buf_byte(out, '\n');
    for (uint32_t i = 0; i < f->reason_count; i++) {
        add_label(out, i ? "" : "Rejected");
        buf_format(out, "record %llu: ", (unsigned long long)f->reasons[i].record);
        visible_add(out, slice_text(f->reasons[i].words), VISIBLE_ANY);
        buf_byte(out, '\n');
    }
}

static void clock_line(struct buf *out, bool *first, uint64_t n, const char *words)
{
    add_label(out, *first ? "Clock" : "");
    *first = false;
    add_many(out, n, "record");
    buf_format(out, " %s", words);
}

static void table_odd(const struct clocks *c, bool *first, struct buf *out)
{
    if (c->early > 0) {
        clock_line(out, first, c->early, "before 2000, the first of ");
        time_format(out, c->earliest_ns);
        buf_byte(out, '\n');
    }
    if (c->late > 0) {
        clock_line(out, first, c->late, "of the future, the last of ");
        time_format(out, c->latest_ns);
        buf_byte(out, '\n');
    }
}

static void table_gaps(const struct clocks *c, bool *first, struct buf *out)
{
    for (size_t i = 0; i < c->gap_count && i < SOURCES_VIEW_GAPS; i++) {
        add_label(out, *first ? "Clock" : "");
        *first = false;
        buf_add(out, SLICE("nothing for "));
        figures_span(out, c->gaps[i].to_ns - c->gaps[i].from_ns);
        buf_add(out, SLICE(" from "));
        time_format(out, c->gaps[i].from_ns);
        buf_byte(out, '\n');
    }
}

static void table_times(const struct sources_view *v, struct buf *out)
{
    const struct clocks *c = &v->file->clocks;
    bool first = true;
    if (c->timed > c->early + c->late) {
        add_label(out, "Times");
        time_format(out, c->first_ns);
        buf_add(out, SLICE(" to "));
        time_format(out, c->last_ns);
        buf_byte(out, '\n');
    }
    if (c->untimed > 0) {
        clock_line(out, &first, c->untimed, "without a time that is known\n");
    }
    table_odd(c, &first, out);
    if (c->back > 0) {
        clock_line(out, &first, c->back, "out of order, by at most ");
        figures_span(out, c->most_back_ns);
        buf_byte(out, '\n');
    }
    if (c->ties > 0) {
        clock_line(out, &first, c->ties, "of the same time as the one before\n");
    }
    table_gaps(c, &first, out);
}

static void add_source(struct buf *out, const struct logsource *l)
{
    const struct slice parts[] = {l->product, l->category, l->service};
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].at) {
            buf_add(out, i == 2   ? SLICE("  service ")
                         : i == 1 ? SLICE("  category ")
                                  : SLICE("  product "));
            visible_add(out, parts[i], NAME_COLUMNS);
        }
    }
}

static void table_sources(const struct sources_view *v, struct buf *out)
{
    uint64_t unmapped = survey_list_unmapped(v->survey);
    for (size_t i = 0; i < v->source_count; i++) {
        add_label(out, i ? "" : "Logsources");
        add_column(out, v->sources[i].events);
        add_source(out, v->sources[i].logsource);
        buf_byte(out, '\n');
    }
    if (unmapped > 0) {
        add_label(out, v->source_count ? "" : "Logsources");
        add_column(out, unmapped);
        buf_add(out, SLICE("  NONE: no rule is ever asked about them\n"));
    }
}

static void table_fields(const struct sources_view *v, struct buf *out)
{
    size_t shown = v->field_count < v->fields_shown ? v->field_count : v->fields_shown;
    for (size_t i = 0; i < shown; i++) {
        add_label(out, i ? "" : "Fields");
        add_rate(out, v->fields[i].filled, v->file->records);
        buf_add(out, SLICE("  "));
        visible_add(out, v->fields[i].path, NAME_COLUMNS);
        buf_byte(out, '\n');
    }
    if (shown < v->field_count) {
        add_label(out, shown ? "" : "Fields");
        buf_add(out, SLICE("         "));
        buf_add(out, shown ? SLICE("and ") : SLICE(""));
        figures_count(out, v->field_count - shown);
        buf_add(out, shown ? SLICE(" more (--fields all)\n") : SLICE(" (--fields all)\n"));
    }
    if (survey_untold(v->survey) > 0) {
        add_label(out, "");
        buf_add(out, SLICE("         and "));
        figures_count(out, survey_untold(v->survey));
        buf_format(out, " values past the limit of %d names, not told apart\n", SURVEY_PATHS);
    }
}

void sources_view_table(const struct sources_view *v, struct buf *out)
{
    visible_add(out, v->file->path, VISIBLE_ANY);
    buf_byte(out, '\n');
    table_format(v, out);
    if (v->file->records > 0) {
        table_times(v, out);
        table_sources(v, out);
        table_fields(v, out);
    }
    if (v->has_rules && v->file->format) {
        add_label(out, "Rules");
        figures_count(out, v->can_fire);
        buf_add(out, SLICE(" of "));
        figures_count(out, v->rules);
        buf_add(out, SLICE(" can fire\n"));
    }
    buf_byte(out, '\n');
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_string(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, "\"%s\":", name);
    if (!text.at) {
        buf_add(out, SLICE("null"));
        return;
    }
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

static void add_number(struct buf *out, const char *name, uint64_t n)
{
    buf_format(out, "\"%s\":%llu", name, (unsigned long long)n);
}

static void add_time(struct buf *out, const char *name, bool known, int64_t ns)
{
    buf_format(out, "\"%s\":%s", name, known ? "\"" : "null");
    if (known) {
        time_format(out, ns);
        buf_byte(out, '"');
    }
}

static void add_seconds(struct buf *out, const char *name, int64_t ns)
{
    buf_format(out, "\"%s\":%lld.%03d", name, (long long)(ns / TIME_SECOND),
            (int)(ns % TIME_SECOND / 1000000));
}

static void json_times(const struct clocks *c, struct buf *out)
{
    bool usual = c->timed > c->early + c->late;
    buf_add(out, SLICE(",\"times\":{"));
    add_time(out, "first", usual, c->first_ns);
    buf_byte(out, ',');
    add_time(out, "last", usual, c->last_ns);
    buf_byte(out, ',');
    add_number(out, "without", c->untimed);
    buf_byte(out, ',');
    add_number(out, "before_2000", c->early);
    buf_byte(out, ',');
    add_time(out, "earliest", c->early > 0, c->earliest_ns);
    buf_byte(out, ',');
    add_number(out, "future", c->late);
    buf_byte(out, ',');
    add_time(out, "latest", c->late > 0, c->latest_ns);
    buf_byte(out, ',');
    add_number(out, "out_of_order", c->back);
    buf_byte(out, ',');
    add_seconds(out, "out_of_order_seconds", c->most_back_ns);
    buf_byte(out, ',');
    add_number(out, "same_as_before", c->ties);
    buf_add(out, SLICE(",\"gaps\":["));
    for (size_t i = 0; i < c->gap_count; i++) {
        buf_add(out, i ? SLICE(",{") : SLICE("{"));
        add_time(out, "from", true, c->gaps[i].from_ns);
        buf_byte(out, ',');
        add_time(out, "to", true, c->gaps[i].to_ns);
        buf_byte(out, ',');
        add_seconds(out, "seconds", c->gaps[i].to_ns - c->gaps[i].from_ns);
        buf_byte(out, '}');
    }
    buf_add(out, SLICE("]}"));
}

static void json_sources(const struct sources_view *v, struct buf *out)
{
    buf_add(out, SLICE(",\"logsources\":["));
    for (size_t i = 0; i < v->source_count; i++) {
        const struct logsource *l = v->sources[i].logsource;
        buf_add(out, i ? SLICE(",{") : SLICE("{"));
        add_string(out, "product", l->product);
        buf_byte(out, ',');
        add_string(out, "category", l->category);
        buf_byte(out, ',');
        add_string(out, "service", l->service);
        buf_byte(out, ',');
        add_number(out, "records", v->sources[i].events);
        buf_byte(out, '}');
    }
    buf_add(out, SLICE("],"));
    add_number(out, "without_logsource", survey_list_unmapped(v->survey));
}

static void json_kinds(unsigned kinds, struct buf *out)
{
    static const char *const names[] = {[VALUE_NULL] = "null",
            [VALUE_BOOL] = "boolean",
            [VALUE_NUMBER] = "number",
            [VALUE_STRING] = "string",
            [VALUE_OBJECT] = "empty"};
    const char *before = "[";
    buf_add(out, SLICE("\"kinds\":"));
    for (unsigned k = 0; k < sizeof names / sizeof *names; k++) {
        if (kinds & SURVEY_KIND(k)) {
            buf_format(out, "%s\"%s\"", before, names[k]);
            before = ",";
        }
    }
    buf_byte(out, ']');
}

static void json_fields(const struct sources_view *v, struct buf *out)
{
    buf_add(out, SLICE(",\"fields\":["));
    for (size_t i = 0; i < v->field_count; i++) {
        const struct survey_field *f = &v->fields[i];
        double rate = v->file->records ? (double)f->filled / (double)v->file->records : 0;
        buf_add(out, i ? SLICE(",{") : SLICE("{"));
        add_string(out, "name", f->path);
        buf_byte(out, ',');
        add_number(out, "records", f->there);
        buf_byte(out, ',');
        add_number(out, "filled", f->filled);
        buf_format(out, ",\"rate\":%.4f,", rate);
        json_kinds(f->kinds, out);
        buf_byte(out, '}');
    }
    buf_add(out, SLICE("],"));
    add_number(out, "fields_not_told_apart", survey_untold(v->survey));
}

static void json_reasons(const struct look_file *f, struct buf *out)
{
    buf_add(out, SLICE(",\"reasons\":["));
    for (uint32_t i = 0; i < f->reason_count; i++) {
        buf_add(out, i ? SLICE(",{") : SLICE("{"));
        add_number(out, "record", f->reasons[i].record);
        buf_byte(out, ',');
        add_string(out, "reason", slice_text(f->reasons[i].words));
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

void sources_view_json(const struct sources_view *v, struct buf *out)
{
    const struct look_file *f = v->file;
    buf_byte(out, '{');
    add_string(out, "file", f->path);
    buf_byte(out, ',');
    add_string(out, "format", f->format ? slice_text(f->format) : (struct slice){0});
    buf_byte(out, ',');
    add_number(out, "records", f->records);
    buf_byte(out, ',');
    add_number(out, "rejected", f->rejected);
    json_reasons(f, out);
    buf_format(out, ",\"whole\":%s", f->unreadable ? "false" : "true");
    json_times(&f->clocks, out);
    json_sources(v, out);
    json_fields(v, out);
    if (v->has_rules) {
        buf_add(out, SLICE(",\"rules\":{"));
        add_number(out, "given", v->rules);
        buf_byte(out, ',');
        add_number(out, "can_fire", v->can_fire);
        buf_byte(out, '}');
    }
    buf_add(out, SLICE("}\n"));
}
