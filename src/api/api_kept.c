#include "api/api_kept.h"

#include "api/api_metrics.h"
#include "base/time.h"

enum figure { BYTES, RECORDS, BEYOND, OLDEST, FIGURES };

static const struct {
    const char *name, *help, *key;
} figures[FIGURES] = {
        [BYTES] = {"merlon_kept_bytes", "bytes of the log that a tenant's take", "bytes"},
        [RECORDS] = {"merlon_kept_records", "records that are kept", "records"},
        [BEYOND] = {"merlon_kept_beyond_bytes",
                "bytes past their retention, in files that cannot go yet", "beyond_bytes"},
        [OLDEST] = {"merlon_kept_oldest_time_seconds", "receipt of the oldest record", NULL},
};

static uint64_t figure_of(const struct kept_tenant *tenant, enum kept_kind kind, enum figure figure)
{
    int64_t oldest_ns = atomic_load(&tenant->kinds[kind].oldest_ns);
    const uint64_t values[FIGURES] = {[BYTES] = atomic_load(&tenant->kinds[kind].bytes),
            [RECORDS] = atomic_load(&tenant->kinds[kind].records),
            [BEYOND] = atomic_load(&tenant->kinds[kind].beyond),
            [OLDEST] = oldest_ns > 0 ? (uint64_t)(oldest_ns / TIME_SECOND) : 0};
    return values[figure];
}

static bool is_shown(
        const struct http_request *r, const struct kept_tenant *tenant, enum kept_kind kind)
{
    return authorize_covers(slice_text(http_request_actor(r)->tenant), slice_text(tenant->name)) &&
           atomic_load(&tenant->kinds[kind].records) > 0;
}

void api_kept_metrics(struct http_request *r, const struct kept *kept, struct buf *out)
{
    for (enum figure figure = 0; figure < FIGURES; figure++) {
        api_metrics_head(out, figures[figure].name, "gauge", figures[figure].help);
        for (size_t i = 0; i < kept_size(kept) * KEPT_KINDS; i++) {
            const struct kept_tenant *tenant = kept_at(kept, i / KEPT_KINDS);
            enum kept_kind kind = (enum kept_kind)(i % KEPT_KINDS);
            if (!is_shown(r, tenant, kind)) {
                continue;
            }
            buf_format(out, "%s{", figures[figure].name);
            api_metrics_label(out, "tenant", tenant->name);
            buf_byte(out, ',');
            api_metrics_label(out, "kind", kept_kind_name(kind));
            buf_format(out, "} %llu\n", (unsigned long long)figure_of(tenant, kind, figure));
        }
    }
}

static void add_kept(struct buf *out, const struct kept_tenant *tenant, enum kept_kind kind)
{
    int64_t oldest_ns = atomic_load(&tenant->kinds[kind].oldest_ns);
    buf_add(out, SLICE("{\"tenant\":\""));
    buf_json(out, slice_text(tenant->name));
    buf_format(out, "\",\"kind\":\"%s\"", kept_kind_name(kind));
    for (enum figure figure = 0; figure < FIGURES; figure++) {
        if (figures[figure].key) {
            buf_format(out, ",\"%s\":%llu", figures[figure].key,
                    (unsigned long long)figure_of(tenant, kind, figure));
        }
    }
    if (oldest_ns > 0) {
        buf_add(out, SLICE(",\"oldest\":\""));
        time_format(out, oldest_ns);
        buf_byte(out, '"');
    }
    buf_byte(out, '}');
}

void api_kept_status(struct http_request *r, const struct kept *kept, struct buf *out)
{
    const char *between = "";
    buf_add(out, SLICE(",\"kept\":["));
    for (size_t i = 0; i < kept_size(kept) * KEPT_KINDS; i++) {
        const struct kept_tenant *tenant = kept_at(kept, i / KEPT_KINDS);
        enum kept_kind kind = (enum kept_kind)(i % KEPT_KINDS);
        if (is_shown(r, tenant, kind)) {
            buf_format(out, "%s", between);
            add_kept(out, tenant, kind);
            between = ",\n";
        }
    }
    buf_byte(out, ']');
}
