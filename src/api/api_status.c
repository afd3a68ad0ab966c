#include "api/api_status.h"

#include "api/api_held.h"
#include "api/api_kept.h"
#include "api/api_parts.h"
#include "api/api_rules.h"
#include "api/api_sent.h"
#include "base/time.h"

struct hours {
    bool wanted;
    int64_t now_ns;
    struct counts_mark marks[COUNTS_MARKS];
    size_t count;
};

static void add_number(struct buf *out, const char *name, uint64_t value)
{
    buf_format(out, ",\"%s\":", name);
    buf_u64(out, value);
}

static void add_time(struct buf *out, const char *name, int64_t ns)
{
    buf_format(out, ",\"%s\":\"", name);
    time_format(out, ns);
    buf_byte(out, '"');
}

/* The last time that rules were loaded: whether they were taken, and what is wrong with them. */
static void add_rules(struct buf *out, const struct api *api)
{
    struct api_reload reload;
    api->options.reloaded(api->options.context, &reload);
    buf_format(out, ",\"rules\":{\"loaded\":\"%s\",\"taken\":%s", reload.hash,
            reload.good ? "true" : "false");
    add_number(out, "refused", reload.problems);
    buf_add(out, SLICE(",\"problems\":"));
    api_rules_problems(&reload, out);
    buf_byte(out, '}');
}

static void add_centre(struct buf *out, const struct api_figures *f)
{
    buf_format(out, ",\"centre\":{\"logs_open\":%s,\"watching\":%s,\"disk_writable\":%s",
            f->ready ? "true" : "false", f->watching ? "true" : "false",
            f->writable ? "true" : "false");
    buf_format(out, ",\"ruleset\":\"%s\"", f->ruleset);
    add_number(out, "log_start", f->start);
    add_number(out, "log_committed", f->committed);
    add_number(out, "log_damaged", f->damaged);
    add_number(out, "log_failures", f->failures);
    add_number(out, "findings_committed", f->findings);
    add_number(out, "judged_through", f->through);
    add_number(out, "judge_lag", f->committed > f->through ? f->committed - f->through : 0);
    add_number(out, "judged", f->judged);
    add_number(out, "findings", f->found);
    add_number(out, "undecodable", f->undecodable);
    add_number(out, "undetermined", f->undetermined);
    add_number(out, "passed_over", f->passed_over);
    add_number(out, "matches", f->matches);
    add_number(out, "late", f->late);
    add_number(out, "moved", f->moved);
    add_number(out, "left_out", f->left_out);
    buf_byte(out, '}');
}

static void add_text(struct buf *out, const char *name, const char *text)
{
    buf_format(out, "\"%s\":\"", name);
    buf_json(out, slice_text(text));
    buf_byte(out, '"');
}

/* Hour by hour, the one that runs last: in flight at `from` + received = stored + rejected +
 * dropped + in flight at `to`. */
static void add_hours(
        struct buf *out, const struct counts_source *source, const struct hours *hours)
{
    const struct counts_totals now = counts_totals(source);
    const char *between = "";
    buf_add(out, SLICE(",\"hours\":["));
    for (size_t i = 0; i < hours->count; i++) {
        bool last = i + 1 == hours->count;
        const struct counts_totals *from = &source->marks[hours->marks[i].place];
        const struct counts_totals *to = last ? &now : &source->marks[hours->marks[i + 1].place];
        if (to->received == 0) {
            continue; /* it was not there yet */
        }
        buf_format(out, "%s{\"received\":%llu", between,
                (unsigned long long)(to->received - from->received));
        add_time(out, "from", hours->marks[i].ns);
        add_time(out, "to", last ? hours->now_ns : hours->marks[i + 1].ns);
        add_number(out, "stored", to->stored - from->stored);
        add_number(out, "rejected", to->rejected - from->rejected);
        add_number(out, "dropped", to->dropped - from->dropped);
        add_number(out, "in_flight", to->received - to->stored - to->rejected - to->dropped);
        buf_byte(out, '}');
        between = ",";
    }
    buf_byte(out, ']');
}

static void add_source(struct buf *out, const struct api *api, const struct counts_source *source,
        const struct hours *hours)
{
    int64_t now_ns = hours->now_ns;
    const struct api_source at = api_parts_source(source);
    buf_byte(out, '{');
    add_text(out, "tenant", source->tenant);
    buf_byte(out, ',');
    add_text(out, "source", source->name);
    add_number(out, "received", at.received);
    add_number(out, "received_bytes", at.received_bytes);
    add_number(out, "stored", at.stored);
    add_number(out, "rejected", at.all_rejected);
    add_number(out, "dropped", at.all_dropped);
    add_number(out, "in_flight", at.in_flight);
    buf_add(out, SLICE(",\"reasons\":{"));
    for (enum counts_rejection i = 0; i < COUNTS_REJECTIONS; i++) {
        buf_format(out, "%s\"%s\":", i ? "," : "", counts_rejection_name(i));
        buf_u64(out, at.rejected[i]);
    }
    for (enum counts_drop i = 0; i < COUNTS_DROPS; i++) {
        add_number(out, counts_drop_name(i), at.dropped[i]);
    }
    buf_byte(out, '}');
    if (at.last_ns != 0) {
        int64_t silent = now_ns > at.last_ns ? now_ns - at.last_ns : 0;
        add_time(out, "last", at.last_ns);
        add_number(out, "silent_seconds", (uint64_t)(silent / TIME_SECOND));
        add_number(out, "silent_after_seconds",
                (uint64_t)(api_parts_silent_after(api, source) / TIME_SECOND));
        buf_format(
                out, ",\"silent\":%s", api_parts_is_silent(api, source, now_ns) ? "true" : "false");
    }
    if (at.skew_known) {
        buf_format(out, ",\"clock_skew_seconds\":%.3f", (double)at.skew_ns / TIME_SECOND);
    }
    if (hours->wanted) {
        add_hours(out, source, hours);
    }
    buf_byte(out, '}');
}

void api_status(struct http_request *r, void *context)
{
    const struct api *api = context;
    const struct counts *counts = api->options.counts;
    const struct api_figures f = api_parts_figures(api);
    struct buf *out = http_request_out(r);
    int64_t now_ns = api->options.wall_ns();
    struct hours hours = {
            .now_ns = now_ns, .wanted = slice_equal(http_request_query(r, "hours"), SLICE("1"))};
    const char *between = "";
    hours.count = counts_marks(counts, hours.marks);
    buf_format(out, "{\"ready\":%s", f.ready && f.watching && f.writable ? "true" : "false");
    add_time(out, "started", f.started_ns);
    add_time(out, "now", now_ns);
    add_number(out, "up_seconds",
            (uint64_t)(now_ns > f.started_ns ? (now_ns - f.started_ns) / TIME_SECOND : 0));
    if (api_parts_sees_all(r)) {
        add_centre(out, &f);
        add_number(out, "sources_forgotten", counts_forgotten(counts));
        api_sent_status(api->options.sent, f.findings, out);
        add_rules(out, api);
    }
    buf_add(out, SLICE(",\"sources\":["));
    for (size_t i = 0; i < counts_size(counts); i++) {
        const struct counts_source *source = counts_at(counts, i);
        if (source && api_parts_covers(r, source)) {
            buf_format(out, "%s", between);
            add_source(out, api, source, &hours);
            between = ",\n";
        }
    }
    buf_byte(out, ']');
    api_kept_status(r, api->options.kept, out);
    api_held_status(r, &api->options, out);
    buf_add(out, SLICE("}\n"));
    http_request_answer(r, 200, "application/json");
}
