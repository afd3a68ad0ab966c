#include "cli/output_csv.h"

#include "base/time.h"
#include "cli/output_correlation.h"

static bool is_formula(struct slice text)
{
    return text.size > 0 && memchr("=+-@\t\r", text.at[0], 6) != NULL;
}

void output_csv_cell(struct buf *out, struct slice text)
{
    bool guard = is_formula(text);
    bool quote = guard;
    for (size_t i = 0; i < text.size && !quote; i++) {
        quote = memchr("\",\r\n", text.at[i], 4) != NULL;
    }
    if (!quote) {
        buf_add(out, text);
        return;
    }
    buf_byte(out, '"');
    if (guard) {
        buf_byte(out, '\'');
    }
    while (text.size > 0 && !out->failed) {
        size_t n = slice_find_byte(text, '"');
        buf_add(out, slice_of(text.at, n));
        if (n < text.size) {
            buf_add(out, SLICE("\"\""));
            n++;
        }
        text = slice_of(text.at + n, text.size - n);
    }
    buf_byte(out, '"');
}

static void next_cell(struct buf *out, struct slice text)
{
    buf_byte(out, ',');
    output_csv_cell(out, text);
}

static void begin(const struct output *o, struct buf *out)
{
    (void)o;
    buf_add(out, SLICE("time,level,title,id,author,tags,host,file,record,matched\r\n"));
}

static void write_rule(const struct output *o, const struct rule *rule, struct buf *out)
{
    (void)o;
    struct buf tags = {0};
    for (size_t i = 0; i < rule->tag_count; i++) {
        if (i > 0) {
            buf_byte(&tags, ' ');
        }
        buf_add(&tags, rule->tags[i]);
    }
    next_cell(out, level_name(rule->level));
    next_cell(out, rule->title);
    next_cell(out, rule->id);
    next_cell(out, rule->author);
    next_cell(out, buf_slice(&tags));
    out->failed |= tags.failed;
    buf_fini(&tags);
}

static void write_finding(const struct output *o, struct output_finding *f, struct buf *out)
{
    output_csv_cell(out, f->time);
    buf_add(out, o->rule_text[f->hit->rule->number]);
    next_cell(out, f->host);
    next_cell(out, f->file);
    buf_byte(out, ',');
    buf_u64(out, f->record);
    /* JSON of its own: made apart, then quoted as a cell. */
    struct buf matched = {0};
    buf_byte(&matched, '{');
    judge_matched(f->judge, f->event, f->hit, &matched);
    buf_byte(&matched, '}');
    next_cell(out, buf_slice(&matched));
    out->failed |= matched.failed;
    buf_fini(&matched);
    buf_add(out, SLICE("\r\n"));
}

/* File and record are those of the event at which it fired. */
static void write_correlation(
        const struct output *o, const struct output_correlation *shown, struct buf *out)
{
    const struct machine_finding *f = shown->finding;
    struct buf matched = {0};
    uint64_t record;
    struct slice source = output_correlation_source(shown, &f->trigger, &record);
    time_format(out, f->time_ns);
    buf_add(out, o->rule_text[f->rule->number]);
    next_cell(out, f->host);
    next_cell(out, source);
    buf_byte(out, ',');
    buf_u64(out, record);
    buf_byte(&matched, '{');
    output_correlation_matched(shown, &matched);
    buf_byte(&matched, '}');
    next_cell(out, buf_slice(&matched));
    out->failed |= matched.failed;
    buf_fini(&matched);
    buf_add(out, SLICE("\r\n"));
}

const struct output_format output_csv = {.name = "csv",
        .begin = begin,
        .finding = write_finding,
        .correlation = write_correlation,
        .rule = write_rule};
