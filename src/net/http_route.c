#include "net/http_route.h"

static int hex(char c)
{
    if (slice_is_digit(c)) {
        return c - '0';
    }
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

struct slice http_route_decode(struct slice text, struct arena *arena)
{
    char *to = arena_alloc(arena, text.size + 1, 1);
    size_t n = 0;
    if (!to) {
        return (struct slice){0};
    }
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        if (c == '%') {
            int high = i + 1 < text.size ? hex(text.at[i + 1]) : -1;
            int low = i + 2 < text.size ? hex(text.at[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return (struct slice){0};
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0') {
            return (struct slice){0};
        }
        to[n++] = c;
    }
    to[n] = '\0';
    return slice_of(to, n);
}

bool http_route_split(
        struct slice path, struct arena *arena, struct slice parts[HTTP_PATH_PARTS], size_t *count)
{
    size_t n = 0;
    if (path.size == 0 || path.at[0] != '/') {
        return false;
    }
    path = slice_from(path, 1);
    while (path.size > 0) {
        if (n == HTTP_PATH_PARTS) {
            return false;
        }
        parts[n] = http_route_decode(slice_cut(&path, '/'), arena);
        if (!parts[n++].at) {
            return false;
        }
    }
    *count = n;
    return true;
}

static bool is_name(struct slice part)
{
    return part.size > 2 && part.at[0] == '{';
}

static bool fits(const struct http_route *route, const struct slice *parts, size_t count)
{
    struct slice rest = slice_from(slice_text(route->path), 1);
    size_t n = 0;
    for (; rest.size > 0 && n < count; n++) {
        struct slice part = slice_cut(&rest, '/');
        if (is_name(part) ? parts[n].size == 0 : !slice_equal(part, parts[n])) {
            return false;
        }
    }
    return rest.size == 0 && n == count;
}

struct http_route_hit http_route_find(const struct http_options *options, enum http_method method,
        const struct slice *parts, size_t count)
{
    struct http_route_hit hit = {0};
    for (size_t t = 0; t < options->table_count; t++) {
        const struct http_table *table = &options->tables[t];
        for (size_t i = 0; i < table->count; i++) {
            const struct http_route *route = &table->routes[i];
            if (!fits(route, parts, count)) {
                continue;
            }
            /* RFC 9110 section 9.3.2: HEAD is GET without the content. */
            if (route->method == method || (method == HTTP_HEAD && route->method == HTTP_GET)) {
                return (struct http_route_hit){route, table, false};
            }
            hit.other_method = true;
        }
    }
    return hit;
}

struct slice http_route_part(
        const struct http_route *route, const struct slice *parts, struct slice name)
{
    struct slice rest = slice_from(slice_text(route->path), 1);
    for (size_t n = 0; rest.size > 0; n++) {
        struct slice part = slice_cut(&rest, '/');
        if (is_name(part) && slice_equal(slice_of(part.at + 1, part.size - 2), name)) {
            return parts[n];
        }
    }
    return (struct slice){0};
}
