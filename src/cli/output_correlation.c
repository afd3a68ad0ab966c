#include "cli/output_correlation.h"

#include <math.h>

#include "base/time.h"
#include "sigma/correlation.h"

static void add_text(struct buf *out, struct slice text)
{
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

static void add_time(struct buf *out, int64_t ns)
{
    buf_byte(out, '"');
    time_format(out, ns);
    buf_byte(out, '"');
}

void output_correlation_group(const struct output_correlation *shown, struct buf *out)
{
    const struct machine_finding *f = shown->finding;
    const struct correlation *c = f->rule->correlation;
    for (uint32_t i = 0; i < c->group_count; i++) {
        buf_add(out, i > 0 ? SLICE(",") : SLICE(""));
        add_text(out, c->names[i]);
        buf_byte(out, ':');
        if (f->group[i].at) {
            add_text(out, f->group[i]);
        } else {
            buf_add(out, SLICE("null"));
        }
    }
}

void output_correlation_window(const struct output_correlation *shown, struct buf *out)
{
    const struct machine_finding *f = shown->finding;
    buf_add(out, SLICE("{\"from\":"));
    add_time(out, f->from_ns);
    buf_add(out, SLICE(",\"to\":"));
    add_time(out, f->to_ns);
    buf_add(out, SLICE(",\"timespan\":"));
    add_text(out, f->rule->correlation->timespan);
    buf_byte(out, '}');
}

void output_correlation_value(const struct output_correlation *shown, struct buf *out)
{
    double value = shown->finding->value;
    if (!isfinite(value)) { /* a sum beyond all doubles */
        buf_add(out, SLICE("null"));
    } else if (value == floor(value) && fabs(value) < 1e15) {
        buf_i64(out, (int64_t)value);
    } else {
        buf_format(out, "%.17g", value);
    }
}

void output_correlation_matched(const struct output_correlation *shown, struct buf *out)
{
    const struct machine_finding *f = shown->finding;
    output_correlation_group(shown, out);
    buf_add(out, f->rule->correlation->group_count ? SLICE(",\"value\":") : SLICE("\"value\":"));
    output_correlation_value(shown, out);
    buf_add(out, SLICE(",\"events\":"));
    buf_u64(out, f->evidence->total);
    buf_add(out, SLICE(",\"from\":"));
    add_time(out, f->from_ns);
    buf_add(out, SLICE(",\"to\":"));
    add_time(out, f->to_ns);
    if (f->inexact) {
        buf_add(out, SLICE(",\"inexact\":true"));
    }
}

struct slice output_correlation_source(
        const struct output_correlation *shown, const struct match_id *event, uint64_t *record)
{
    if (!shown->inputs) {
        return shown->source(shown->context, event, record);
    }
    *record = event->record;
    return shown->inputs->files[event->file].path;
}
