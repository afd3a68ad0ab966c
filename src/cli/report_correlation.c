#include "cli/report_correlation.h"

#include "base/time.h"
#include "cli/output_correlation.h"
#include "cli/report_finding.h"
#include "cli/report_html.h"
#include "sigma/correlation.h"

#define ADD(out, literal) buf_add((out), SLICE("" literal))

static const struct mark_list no_marks;

static void add_heading(const struct machine_finding *f, struct buf *out)
{
    ADD(out, " data-t=\"");
    buf_i64(out, f->time_ns / 1000000 - (f->time_ns % 1000000 < 0));
    buf_byte(out, '"');
    if (f->host.size > 0) {
        ADD(out, " data-h=\"");
        report_html_attribute(out, f->host);
        buf_byte(out, '"');
    }
    ADD(out, "><h4>");
    report_html_time(out, f->time_ns);
    if (f->host.size > 0) {
        ADD(out, " <span class=\"h\"><span class=\"vh\">on host </span>");
        report_html_value(out, f->host, &no_marks, REPORT_FINDING_NAME);
        ADD(out, "</span>");
    }
    ADD(out, "</h4>");
}

static void add_row(struct buf *out, struct slice name, struct slice value)
{
    ADD(out, "<dt>");
    report_html_value(out, name, &no_marks, REPORT_FINDING_NAME);
    ADD(out, "</dt><dd>");
    report_html_value(out, value, &no_marks, REPORT_FINDING_VALUE);
    ADD(out, "</dd>");
}

static void add_group(const struct machine_finding *f, struct buf *out)
{
    const struct correlation *c = f->rule->correlation;
    for (uint32_t i = 0; i < c->group_count; i++) {
        add_row(out, c->names[i], f->group[i].at ? f->group[i] : SLICE("none"));
    }
}

/* The rule that the event was matched by. */
static struct slice title_of(const struct correlation *c, uint32_t rule)
{
    for (uint32_t i = 0; i < c->part_count; i++) {
        if (c->parts[i].rule->number == rule) {
            return c->parts[i].rule->title;
        }
    }
    return (struct slice){0};
}

static void add_event(
        const struct output_correlation *shown, const struct match_id *event, struct buf *out)
{
    uint64_t record;
    struct slice source = output_correlation_source(shown, event, &record);
    struct slice title = title_of(shown->finding->rule->correlation, event->rule);
    ADD(out, "<dt>");
    report_html_time(out, event->time_ns);
    ADD(out, "</dt><dd>");
    report_html_value(out, source, &no_marks, REPORT_FINDING_NAME);
    ADD(out, ", record ");
    buf_u64(out, record);
    if (title.size > 0) {
        ADD(out, "<br>");
        report_html_value(out, title, &no_marks, REPORT_FINDING_NAME);
    }
    ADD(out, "</dd>");
}

static void add_figures(const struct output_correlation *shown, struct buf *out)
{
    const struct machine_finding *f = shown->finding;
    struct buf text = {0};
    output_correlation_value(shown, &text);
    add_row(out, correlation_type_name(f->rule->correlation->type), buf_slice(&text));
    buf_clear(&text);
    time_format(&text, f->from_ns);
    ADD(&text, " to ");
    time_format(&text, f->to_ns);
    add_row(out, SLICE("window"), buf_slice(&text));
    if (f->inexact) {
        add_row(out, SLICE("exact"), SLICE("no: the limit of --state-limit was reached"));
    }
    out->failed |= text.failed;
    buf_fini(&text);
}

void report_correlation_write(const struct output_correlation *shown, struct buf *out)
{
    const struct evidence *e = shown->finding->evidence;
    add_heading(shown->finding, out);
    ADD(out, "<dl class=\"m c\">");
    add_group(shown->finding, out);
    add_figures(shown, out);
    ADD(out, "</dl><details class=\"ev\"><summary>Its events <span class=\"src\">");
    report_html_counted(out, e->total, "event");
    ADD(out, "</span></summary><dl class=\"e\">");
    for (uint32_t i = 0; i < evidence_kept(e); i++) {
        add_event(shown, evidence_at(e, i), out);
    }
    ADD(out, "</dl>");
    if (evidence_kept(e) < e->total) {
        ADD(out, "<p class=\"note\">");
        report_html_counted(out, e->total - evidence_kept(e), "further event");
        ADD(out, " between them not shown here.</p>");
    }
    ADD(out, "</details></article>");
}
