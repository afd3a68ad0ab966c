#include "api/api_sent.h"

#include "api/api_metrics.h"

enum figure { CURSOR, LAG, SENT, FAILURES, REFUSED, FAILING, FIGURES };

static const struct {
    const char *name, *type, *help, *key;
} figures[FIGURES] = {
        [CURSOR] = {"merlon_output_cursor", "gauge", "findings below it are sent", "cursor"},
        [LAG] = {"merlon_output_lag_findings", "gauge", "offsets of findings still to be sent",
                "lag"},
        [SENT] = {"merlon_output_sent_findings_total", "counter", "findings sent", "sent"},
        [FAILURES] = {"merlon_output_failures_total", "counter",
                "attempts that did not reach the receiver", "failures"},
        [REFUSED] = {"merlon_output_refused_findings_total", "counter",
                "findings too large for a datagram", "refused"},
        [FAILING] = {"merlon_output_failing", "gauge", "1: the last attempt failed", "failing"},
};

static uint64_t figure_of(const struct sent_output *o, enum figure figure, uint64_t committed)
{
    uint64_t cursor = atomic_load(&o->cursor);
    const uint64_t values[FIGURES] = {[CURSOR] = cursor,
            [LAG] = committed > cursor ? committed - cursor : 0,
            [SENT] = atomic_load(&o->findings),
            [FAILURES] = atomic_load(&o->failures),
            [REFUSED] = atomic_load(&o->refused),
            [FAILING] = atomic_load(&o->failing)};
    return values[figure];
}

void api_sent_metrics(const struct sent *sent, uint64_t committed, struct buf *out)
{
    for (enum figure figure = 0; figure < FIGURES && sent->count > 0; figure++) {
        api_metrics_head(out, figures[figure].name, figures[figure].type, figures[figure].help);
        for (size_t i = 0; i < sent->count; i++) {
            buf_format(out, "%s{", figures[figure].name);
            api_metrics_label(out, "output", sent->at[i].name);
            buf_format(out, "} %llu\n",
                    (unsigned long long)figure_of(&sent->at[i], figure, committed));
        }
    }
}

void api_sent_status(const struct sent *sent, uint64_t committed, struct buf *out)
{
    buf_add(out, SLICE(",\"outputs\":["));
    for (size_t i = 0; i < sent->count; i++) {
        const struct sent_output *o = &sent->at[i];
        buf_format(out, "%s{\"name\":\"%s\",\"kind\":\"%s\"", i ? ",\n" : "", o->name, o->kind);
        for (enum figure figure = 0; figure < FIGURES; figure++) {
            buf_format(out, ",\"%s\":%llu", figures[figure].key,
                    (unsigned long long)figure_of(o, figure, committed));
        }
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}
