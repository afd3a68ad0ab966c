#include "api/api_held.h"

#include "api/api_metrics.h"

static const struct held_row *shown(const struct http_request *r, const struct held *held, size_t i)
{
    const struct held_row *row = held_at(held, i);
    bool covers = row && authorize_covers(slice_text(http_request_actor(r)->tenant),
                                 slice_text(row->tenant));
    return covers ? row : NULL;
}

struct words {
    const char *key, *of, *others, *help;
};

static const struct words held_words = {"held_back", "merlon_held_back_matches_total",
        "merlon_held_back_others_total", "matches that exceptions held back"};
static const struct words late_words = {"late", "merlon_late_matches_total",
        "merlon_late_others_total", "matches that came too late for a correlation"};

static void add_metrics(
        struct http_request *r, const struct held *held, const struct words *words, struct buf *out)
{
    const char *of = words->of;
    api_metrics_head(out, of, "counter", words->help);
    for (size_t i = 0; i < HELD_ROWS; i++) {
        const struct held_row *row = shown(r, held, i);
        if (row) {
            buf_format(out, "%s{", of);
            api_metrics_label(out, "tenant", row->tenant);
            buf_byte(out, ',');
            api_metrics_label(out, "rule", row->rule);
            buf_format(out, "} %llu\n", (unsigned long long)atomic_load(&row->count));
        }
    }
    if (api_parts_sees_all(r)) {
        const char *others = words->others;
        api_metrics_head(out, others, "counter", "of these, for which no row was left");
        buf_format(out, "%s %llu\n", others, (unsigned long long)atomic_load(&held->others));
    }
}

void api_held_metrics(struct http_request *r, const struct api_options *options, struct buf *out)
{
    add_metrics(r, options->held, &held_words, out);
    add_metrics(r, options->late, &late_words, out);
}

static void add_status(
        struct http_request *r, const struct held *held, const struct words *words, struct buf *out)
{
    const char *between = "";
    buf_format(out, ",\"%s\":[", words->key);
    for (size_t i = 0; i < HELD_ROWS; i++) {
        const struct held_row *row = shown(r, held, i);
        if (row) {
            buf_format(out, "%s{\"tenant\":\"", between);
            buf_json(out, slice_text(row->tenant));
            buf_add(out, SLICE("\",\"rule\":\""));
            buf_json(out, slice_text(row->rule));
            buf_format(out, "\",\"matches\":%llu}", (unsigned long long)atomic_load(&row->count));
            between = ",\n";
        }
    }
    buf_byte(out, ']');
}

void api_held_status(struct http_request *r, const struct api_options *options, struct buf *out)
{
    add_status(r, options->held, &held_words, out);
    add_status(r, options->late, &late_words, out);
}
