#include "cli/report_finding.h"

#include "base/time.h"
#include "cli/report_html.h"
#include "detect/marked.h"

#define ADD(out, literal) buf_add((out), SLICE("" literal))

enum { TALL_BYTES = 600, TALL_LINES = 10 };

static const struct mark_list no_marks;

/* Rows of a list of values. */
struct rows {
    struct buf *out;
    size_t begun; /* of out */
    size_t count;
    size_t most;
    size_t left_out;
};

static void add_value(struct buf *out, const struct marked *m)
{
    switch (m->kind) {
    case VALUE_NULL:
        ADD(out, "<i>null</i>");
        break;
    case VALUE_OBJECT:
        ADD(out, "<i>{}</i>");
        break;
    default:
        report_html_value(out, m->text, m->marks, REPORT_FINDING_VALUE);
    }
}

static bool is_tall(struct slice text)
{
    size_t lines = 1, most = text.size < REPORT_FINDING_VALUE ? text.size : REPORT_FINDING_VALUE;
    for (size_t i = 0; i < most; i++) {
        lines += text.at[i] == '\n';
    }
    return text.size > TALL_BYTES || lines > TALL_LINES;
}

static bool add_row(void *context, const struct marked *m)
{
    struct rows *rows = context;
    struct buf *out = rows->out;
    if (rows->count >= rows->most || out->size - rows->begun > REPORT_FINDING_BYTES) {
        rows->left_out++;
        return true;
    }
    rows->count++;
    ADD(out, "<dt>");
    report_html_value(out, m->name, &no_marks, REPORT_FINDING_NAME);
    /* What is tall scrolls within itself, by keys as well. */
    buf_add(out, is_tall(m->text) ? SLICE("</dt><dd class=\"long\" tabindex=\"0\">")
                                  : SLICE("</dt><dd>"));
    if (m->keyword) {
        ADD(out, "<mark>");
    }
    add_value(out, m);
    buf_add(out, m->keyword ? SLICE("</mark></dd>") : SLICE("</dd>"));
    return !out->failed;
}

static void add_left_out(const struct rows *rows)
{
    if (rows->left_out > 0) {
        ADD(rows->out, "<p class=\"note\">");
        report_html_counted(rows->out, rows->left_out, "further value");
        ADD(rows->out, " not shown here.</p>");
    }
}

/* The attributes that the page's script filters and sorts by. */
static void add_attributes(
        const struct output_finding *f, bool timed, int64_t time_ns, struct buf *out)
{
    if (timed) {
        ADD(out, " data-t=\"");
        buf_i64(out, time_ns / 1000000 - (time_ns % 1000000 < 0));
        buf_byte(out, '"');
    }
    if (f->host.size > 0) {
        ADD(out, " data-h=\"");
        report_html_attribute(out, f->host);
        buf_byte(out, '"');
    }
    if (f->user.size > 0) {
        ADD(out, " data-u=\"");
        report_html_attribute(out, f->user);
        buf_byte(out, '"');
    }
    buf_byte(out, '>');
}

static void add_part(struct buf *out, const char *class, const char *label, struct slice text)
{
    if (text.size == 0) {
        return;
    }
    ADD(out, " <span class=\"");
    buf_add(out, slice_text(class));
    ADD(out, "\"><span class=\"vh\">");
    buf_add(out, slice_text(label));
    ADD(out, " </span>");
    report_html_value(out, text, &no_marks, REPORT_FINDING_NAME);
    ADD(out, "</span>");
}

static void add_heading(
        const struct output_finding *f, bool timed, int64_t time_ns, struct buf *out)
{
    ADD(out, "<h4>");
    if (timed) {
        report_html_time(out, time_ns);
    } else {
        ADD(out, "<span class=\"none\">no time</span>");
    }
    add_part(out, "h", "on host", f->host);
    add_part(out, "u", "by user", f->user);
    ADD(out, "</h4>");
}

/* `m` of marked_fields or marked_event. */
static void add_values(const struct output_finding *f, struct rows *rows, const char *class,
        enum err (*values)(
                struct judge *, const struct event *, const struct hit *, marked_show *, void *))
{
    ADD(rows->out, "<dl class=\"");
    buf_add(rows->out, slice_text(class));
    ADD(rows->out, "\">");
    enum err e = values(f->judge, f->event, f->hit, add_row, rows);
    ADD(rows->out, "</dl>");
    if (e != OK) {
        ADD(rows->out, "<p class=\"note\">Not all of its values could be read again.</p>");
    }
    add_left_out(rows);
}

void report_finding_write(
        const struct output_finding *finding, bool timed, int64_t time_ns, struct buf *out)
{
    struct rows matched = {.out = out, .begun = out->size, .most = REPORT_FINDING_FIELDS};
    struct rows event = {.out = out, .begun = out->size, .most = REPORT_FINDING_VALUES};
    add_attributes(finding, timed, time_ns, out);
    add_heading(finding, timed, time_ns, out);
    add_values(finding, &matched, "m", marked_fields);
    ADD(out, "<details class=\"ev\"><summary>Whole event <span class=\"src\">");
    report_html_value(out, finding->file, &no_marks, REPORT_FINDING_NAME);
    ADD(out, ", record ");
    buf_u64(out, finding->record);
    ADD(out, "</span></summary>");
    add_values(finding, &event, "e", marked_event);
    ADD(out, "</details></article>");
}
