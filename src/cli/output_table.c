#include "cli/output_table.h"

#include <stdio.h>

#include "base/time.h"
#include "cli/output_correlation.h"
#include "cli/visible.h"
#include "event/value.h"

enum { TIME_COLUMNS = 19, LEVEL_COLUMNS = 8, GAP = 2, LEAST_COLUMNS = 80 };

/* How wide the columns are in so many. Not a terminal: fixed widths, the last one is not cut. */
struct widths {
    size_t title;
    size_t host;
    size_t source;
    size_t fields;
};

static struct widths widths_of(unsigned columns)
{
    if (columns == 0) {
        return (struct widths){56, 20, 40, VISIBLE_ANY};
    }
    size_t all = columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns;
    size_t left = all - TIME_COLUMNS - LEVEL_COLUMNS - 5 * GAP;
    struct widths w = {.title = left * 3 / 10, .host = left * 3 / 20, .source = left / 5};
    w.fields = left - w.title - w.host - w.source;
    return w;
}

static void pad(struct buf *out, size_t used, size_t columns)
{
    for (; used < columns + GAP; used++) {
        buf_byte(out, ' ');
    }
}

static void cell(struct buf *out, struct slice text, size_t columns)
{
    pad(out, visible_add(out, text, columns), columns);
}

/* Of a path the end tells more than the beginning. */
static struct slice path_end(struct slice path, size_t columns)
{
    while (path.size > 0 && visible_width(path) > columns) {
        size_t slash = slice_find_byte(slice_of(path.at + 1, path.size - 1), '/');
        if (slash + 1 >= path.size) {
            break;
        }
        path = slice_of(path.at + slash + 1, path.size - slash - 1);
    }
    return path;
}

static const char *const colours[LEVEL_COUNT] = {
        [LEVEL_LOW] = "\x1b[36m",
        [LEVEL_MEDIUM] = "\x1b[33m",
        [LEVEL_HIGH] = "\x1b[31m",
        [LEVEL_CRITICAL] = "\x1b[1;31m",
};

static void write_rule(const struct output *o, const struct rule *rule, struct buf *out)
{
    struct widths w = widths_of(o->setting.columns);
    const char *colour = o->setting.colours ? colours[rule->level] : NULL;
    if (colour) {
        buf_add(out, slice_text(colour));
    }
    struct slice level = level_name(rule->level);
    if (rule->level == LEVEL_INFORMATIONAL) {
        level = SLICE("info");
    }
    size_t used = visible_add(out, level, LEVEL_COLUMNS);
    if (colour) {
        buf_add(out, SLICE("\x1b[0m"));
    }
    pad(out, used, LEVEL_COLUMNS);
    cell(out, rule->title, w.title);
}

static void begin(const struct output *o, struct buf *out)
{
    struct widths w = widths_of(o->setting.columns);
    cell(out, SLICE("TIME"), TIME_COLUMNS);
    cell(out, SLICE("LEVEL"), LEVEL_COLUMNS);
    cell(out, SLICE("RULE"), w.title);
    cell(out, SLICE("HOST"), w.host);
    cell(out, SLICE("SOURCE"), w.source);
    buf_add(out, SLICE("FIELDS\n"));
}

/* Cuts one JSON string, its inside, off the front of *rest, whose first byte is the quote. */
static struct slice take_string(struct slice *rest)
{
    size_t i = 1;
    while (i < rest->size && rest->at[i] != '"') {
        i += rest->at[i] == '\\' ? 2 : 1;
    }
    size_t end = i < rest->size ? i : rest->size;
    struct slice inside = slice_of(rest->at + 1, end - 1);
    end += end < rest->size;
    *rest = slice_of(rest->at + end, rest->size - end);
    return inside;
}

static void add_unescaped(struct buf *out, struct slice json)
{
    char *to = buf_reserve(out, json.size);
    if (to) {
        out->size += value_unescape(json, to);
    }
}

/* Image=C:\x.exe CommandLine=... from the members of "matched": strings lose their quotes, all
 * else stays JSON. */
static void plain_members(struct slice members, struct buf *out)
{
    bool key = true;
    unsigned depth = 0;
    while (members.size > 0 && !out->failed) {
        char c = members.at[0];
        if (c == '"') {
            add_unescaped(out, take_string(&members));
            continue;
        }
        members = slice_of(members.at + 1, members.size - 1);
        depth += c == '[' || c == '{';
        depth -= (c == ']' || c == '}') && depth > 0;
        if (depth == 0 && c == ':' && key) {
            buf_byte(out, '=');
            key = false;
        } else if (depth == 0 && c == ',') {
            buf_byte(out, ' ');
            key = true;
        } else {
            buf_byte(out, c);
        }
    }
}

static void write_fields(const struct buf *members, size_t columns, struct buf *out)
{
    struct buf plain = {0};
    plain_members(buf_slice(members), &plain);
    visible_add(out, buf_slice(&plain), columns);
    out->failed |= members->failed || plain.failed;
    buf_fini(&plain);
}

/* What all kinds of findings have. */
struct row {
    struct slice time;
    uint32_t rule;
    struct slice host;
    struct slice file;
    uint64_t record;
};

static void write_row(
        const struct output *o, const struct row *row, const struct buf *members, struct buf *out)
{
    struct widths w = widths_of(o->setting.columns);
    char record[32];
    char time[TIME_COLUMNS];
    size_t shown = row->time.size < sizeof time ? row->time.size : sizeof time;
    if (shown) {
        memcpy(time, row->time.at, shown);
    }
    if (shown > 10) {
        time[10] = ' '; /* RFC 3339's T, for people */
    }
    cell(out, slice_of(time, shown), TIME_COLUMNS);
    buf_add(out, o->rule_text[row->rule]);
    cell(out, row->host, w.host);
    size_t digits =
            (size_t)snprintf(record, sizeof record, ":%llu", (unsigned long long)row->record);
    size_t room = digits < w.source ? w.source - digits : 1;
    size_t used = visible_add(out, path_end(row->file, room), room);
    buf_add(out, slice_of(record, digits));
    pad(out, used + digits, w.source);
    write_fields(members, w.fields, out);
    buf_byte(out, '\n');
}

static void write_finding(const struct output *o, struct output_finding *f, struct buf *out)
{
    const struct row row = {f->time, f->hit->rule->number, f->host, f->file, f->record};
    struct buf members = {0};
    judge_matched(f->judge, f->event, f->hit, &members);
    write_row(o, &row, &members, out);
    buf_fini(&members);
}

/* The source is that of the event at which it fired. */
static void write_correlation(
        const struct output *o, const struct output_correlation *shown, struct buf *out)
{
    const struct machine_finding *f = shown->finding;
    struct buf members = {0}, time = {0};
    time_format(&time, f->time_ns);
    output_correlation_matched(shown, &members);
    uint64_t record;
    struct slice source = output_correlation_source(shown, &f->trigger, &record);
    const struct row row = {buf_slice(&time), f->rule->number, f->host, source, record};
    write_row(o, &row, &members, out);
    buf_fini(&members);
    buf_fini(&time);
}

const struct output_format output_table = {.name = "table",
        .begin = begin,
        .finding = write_finding,
        .correlation = write_correlation,
        .rule = write_rule};
