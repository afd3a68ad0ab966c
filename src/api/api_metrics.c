#include "api/api_metrics.h"

#include <stddef.h>

#include "api/api_held.h"
#include "api/api_kept.h"
#include "api/api_parts.h"
#include "api/api_sent.h"
#include "api/api_standing.h"
#include "base/time.h"

/* ---- figures of the centre ---------------------------------------------------------------------
 */

static const struct {
    const char *name, *type, *help;
    size_t at; /* in struct api_figures, of a uint64_t */
} gauges[] = {
        {"merlon_log_start_offset", "gauge", "offset of the log when the centre started",
                offsetof(struct api_figures, start)},
        {"merlon_log_committed_offset", "gauge", "offsets of the log below it are on disk",
                offsetof(struct api_figures, committed)},
        {"merlon_findings_committed_offset", "gauge",
                "offsets of the log of findings below it are on disk",
                offsetof(struct api_figures, findings)},
        {"merlon_judge_through_offset", "gauge", "results are on disk of all offsets below it",
                offsetof(struct api_figures, through)},
        {"merlon_log_damaged_records", "gauge", "offsets that cannot be read",
                offsetof(struct api_figures, damaged)},
        {"merlon_log_failures_total", "counter", "writes and syncs that failed",
                offsetof(struct api_figures, failures)},
        {"merlon_judged_records_total", "counter", "records judged",
                offsetof(struct api_figures, judged)},
        {"merlon_findings_total", "counter", "findings made", offsetof(struct api_figures, found)},
        {"merlon_undecodable_records_total", "counter", "records that no decoder could read",
                offsetof(struct api_figures, undecodable)},
        {"merlon_undetermined_total", "counter", "rules that a limit stopped",
                offsetof(struct api_figures, undetermined)},
        {"merlon_passed_over_records_total", "counter", "records at which judges died",
                offsetof(struct api_figures, passed_over)},
        {"merlon_correlation_matches_total", "counter", "matches that correlations took",
                offsetof(struct api_figures, matches)},
        {"merlon_correlation_late_total", "counter", "of these: came behind their time",
                offsetof(struct api_figures, late)},
        {"merlon_correlation_moved_total", "counter", "of these: had a time not to be believed",
                offsetof(struct api_figures, moved)},
        {"merlon_correlation_left_out_total", "counter", "matches and windows a limit left out",
                offsetof(struct api_figures, left_out)},
};

void api_metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_centre(struct buf *out, const struct api_figures *f)
{
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++) {
        uint64_t value;
        memcpy(&value, (const char *)f + gauges[i].at, sizeof value);
        api_metrics_head(out, gauges[i].name, gauges[i].type, gauges[i].help);
        buf_format(out, "%s %llu\n", gauges[i].name, (unsigned long long)value);
    }
    api_metrics_head(
            out, "merlon_judge_lag_records", "gauge", "offsets on disk and not judged yet");
    buf_format(out, "merlon_judge_lag_records %llu\n",
            (unsigned long long)(f->committed > f->through ? f->committed - f->through : 0));
    api_metrics_head(
            out, "merlon_ready", "gauge", "1: logs open, rules loaded, the disk takes writes");
    buf_format(out, "merlon_ready %d\n", f->ready && f->watching && f->writable);
}

/* ---- figures of sources ------------------------------------------------------------------------
 */

/* Escapes as the format has them: backslash, quote, line feed. */
void api_metrics_label(struct buf *out, const char *name, const char *value)
{
    buf_format(out, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n') {
            buf_add(out, SLICE("\\n"));
            continue;
        }
        if (*value == '"' || *value == '\\') {
            buf_byte(out, '\\');
        }
        buf_byte(out, *value);
    }
    buf_byte(out, '"');
}

enum kind { RECEIVED, BYTES, STORED, REJECTED, DROPPED, IN_FLIGHT, LAST, SILENT, SKEW, KINDS };

static const struct {
    const char *name, *type, *help;
} kinds[KINDS] = {
        [RECEIVED] = {"merlon_received_records_total", "counter", "records received"},
        [BYTES] = {"merlon_received_bytes_total", "counter", "bytes of records received"},
        [STORED] = {"merlon_stored_records_total", "counter", "records on disk"},
        [REJECTED] = {"merlon_rejected_records_total", "counter", "records in quarantine"},
        [DROPPED] = {"merlon_dropped_records_total", "counter", "records known to be lost"},
        [IN_FLIGHT] = {"merlon_in_flight_records", "gauge",
                "received less stored, rejected and dropped"},
        [LAST] = {"merlon_last_record_time_seconds", "gauge", "receipt of the last record"},
        [SILENT] = {"merlon_source_silent", "gauge",
                "1: nothing came for longer than its input's silent_after"},
        [SKEW] = {"merlon_source_clock_skew_seconds", "gauge",
                "time of the last record that names one less its receipt"},
};

static void add_labels(
        struct buf *out, enum kind kind, const struct counts_source *source, const char *reason)
{
    buf_format(out, "%s{", kinds[kind].name);
    api_metrics_label(out, "tenant", source->tenant);
    buf_byte(out, ',');
    api_metrics_label(out, "source", source->name);
    if (reason) {
        buf_byte(out, ',');
        api_metrics_label(out, "reason", reason);
    }
}

static void add_value(struct buf *out, enum kind kind, const struct counts_source *source,
        const char *reason, uint64_t value)
{
    add_labels(out, kind, source, reason);
    buf_format(out, "} %llu\n", (unsigned long long)value);
}

static void add_skew(
        struct buf *out, const struct counts_source *source, const struct api_source *at)
{
    if (at->skew_known) {
        add_labels(out, SKEW, source, NULL);
        buf_format(out, "} %.3f\n", (double)at->skew_ns / TIME_SECOND);
    }
}

static void add_source(struct buf *out, enum kind kind, const struct counts_source *source,
        const struct api_source *at)
{
    const uint64_t single[KINDS] = {[RECEIVED] = at->received,
            [BYTES] = at->received_bytes,
            [STORED] = at->stored,
            [IN_FLIGHT] = at->in_flight,
            [LAST] = (uint64_t)(at->last_ns / TIME_SECOND),
            [SILENT] = at->silent};
    if (kind == SKEW) {
        add_skew(out, source, at);
    } else if (kind == REJECTED) {
        for (enum counts_rejection i = 0; i < COUNTS_REJECTIONS; i++) {
            add_value(out, kind, source, counts_rejection_name(i), at->rejected[i]);
        }
    } else if (kind == DROPPED) {
        for (enum counts_drop i = 0; i < COUNTS_DROPS; i++) {
            add_value(out, kind, source, counts_drop_name(i), at->dropped[i]);
        }
    } else {
        add_value(out, kind, source, NULL, single[kind]);
    }
}

/* All of a source is of one moment, though its lines stand apart. */
static void add_sources(struct http_request *r, const struct api *api, struct buf *out)
{
    const struct counts *counts = api->options.counts;
    size_t count = counts_size(counts);
    struct api_source *at = ARENA_ARRAY(http_request_arena(r), struct api_source, count);
    if (!at && count > 0) {
        out->failed = true;
        return;
    }
    for (enum kind kind = 0; kind < KINDS; kind++) {
        api_metrics_head(out, kinds[kind].name, kinds[kind].type, kinds[kind].help);
        for (size_t i = 0; i < count; i++) {
            const struct counts_source *source = counts_at(counts, i);
            if (!source || !api_parts_covers(r, source)) {
                continue;
            }
            if (kind == 0) {
                at[i] = api_parts_source(source);
                at[i].silent = api_parts_is_silent(api, source, api->options.wall_ns());
            }
            add_source(out, kind, source, &at[i]);
        }
    }
}

void api_metrics(struct http_request *r, void *context)
{
    const struct api *api = context;
    const struct api_figures f = api_parts_figures(api);
    struct buf *out = http_request_out(r);
    api_metrics_head(out, "process_start_time_seconds", "gauge", "when the centre started");
    buf_format(out, "process_start_time_seconds %lld.%03lld\n",
            (long long)(f.started_ns / TIME_SECOND),
            (long long)(f.started_ns % TIME_SECOND / 1000000));
    if (api_parts_sees_all(r)) {
        add_centre(out, &f);
        api_sent_metrics(api->options.sent, f.findings, out);
        api_metrics_head(out, "merlon_crowded_total", "counter",
                "times that a source shared the place (others)");
        buf_format(out, "merlon_crowded_total %llu\n",
                (unsigned long long)counts_crowded(api->options.counts));
        api_metrics_head(
                out, "merlon_forgotten_sources_total", "counter", "sources that are known no more");
        buf_format(out, "merlon_forgotten_sources_total %llu\n",
                (unsigned long long)counts_forgotten(api->options.counts));
    }
    add_sources(r, api, out);
    api_kept_metrics(r, api->options.kept, out);
    api_standing_metrics(r, api->options.standing, out);
    api_held_metrics(r, &api->options, out);
    http_request_answer(r, 200, "text/plain; version=0.0.4; charset=utf-8");
}
