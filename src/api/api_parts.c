#include "api/api_parts.h"

#include <stdio.h>
#include <string.h>

struct api_figures api_parts_figures(const struct api *api)
{
    struct api_figures figures = {0};
    api->options.figures(api->options.context, &figures);
    return figures;
}

bool api_parts_read_number(struct slice text, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!slice_is_digit(text.at[i]) || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
                __builtin_add_overflow(value, (uint64_t)(text.at[i] - '0'), &value)) {
            return false;
        }
    }
    if (text.size > 0) {
        *out = value;
    }
    return text.size > 0;
}

bool api_parts_number(struct http_request *r, const char *name, uint64_t *out)
{
    struct slice text = http_request_query(r, name);
    if (!text.at || api_parts_read_number(text, out)) {
        return true;
    }
    char words[100];
    snprintf(words, sizeof words, "%s is a number", name);
    http_request_refuse(r, HTTP_BAD_REQUEST, slice_text(words));
    return false;
}

bool api_parts_sees_all(const struct http_request *r)
{
    return http_request_actor(r)->tenant[0] == 0;
}

bool api_parts_covers(const struct http_request *r, const struct counts_source *source)
{
    return authorize_covers(slice_text(http_request_actor(r)->tenant), slice_text(source->tenant));
}

struct api_source api_parts_source(const struct counts_source *source)
{
    struct api_source out = {.last_ns = atomic_load(&source->last_ns),
            .skew_ns = atomic_load(&source->skew_ns),
            .skew_known = atomic_load(&source->skew_known),
            .stored = atomic_load(&source->stored)};
    for (size_t i = 0; i < COUNTS_REJECTIONS; i++) {
        out.rejected[i] = atomic_load(&source->rejected[i]);
        out.all_rejected += out.rejected[i];
    }
    for (size_t i = 0; i < COUNTS_DROPS; i++) {
        out.dropped[i] = atomic_load(&source->dropped[i]);
        out.all_dropped += out.dropped[i];
    }
    /* Last: the log may store a record a moment before it is counted as taken. */
    uint64_t taken = atomic_load(&source->taken);
    out.in_flight = taken > out.stored ? taken - out.stored : 0;
    out.received = out.stored + out.in_flight + out.all_rejected + out.all_dropped;
    out.received_bytes = atomic_load(&source->taken_bytes);
    return out;
}

int64_t api_parts_silent_after(const struct api *api, const struct counts_source *source)
{
    struct slice input = slice_text(source->name);
    const char *end = memchr(input.at, '/', input.size);
    input.size = end ? (size_t)(end - input.at) : input.size;
    for (size_t i = 0; i < api->options.silence_count; i++) {
        if (slice_equal(api->options.silences[i].input, input)) {
            return api->options.silences[i].ns;
        }
    }
    return api->options.silent_ns;
}

bool api_parts_is_silent(const struct api *api, const struct counts_source *source, int64_t now_ns)
{
    int64_t last_ns = atomic_load(&source->last_ns);
    return last_ns != 0 && now_ns > last_ns &&
           now_ns - last_ns > api_parts_silent_after(api, source);
}
