/* http_route: paths taken apart, and the route that fits.
 *
 *     http_route_split(SLICE("/logs-2024/_bulk"), &arena, parts, &count)    // "logs-2024", "_bulk"
 *     http_route_find(tables, 1, HTTP_POST, parts, count)                   // "/{index}/_bulk"
 *
 * Bytes of a path and of a query come as they were sent; %xx is resolved here, part by part, so
 * that %2F is no slash. NUL is refused. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "net/http.h"

struct http_route_hit {
    const struct http_route *route; /* NULL: none */
    const struct http_table *table;
    bool other_method; /* one would fit if the method were another */
};

/* false: broken %xx, NUL, too many parts, or no memory. One slash at the end is ignored. */
bool http_route_split(
        struct slice path, struct arena *arena, struct slice parts[HTTP_PATH_PARTS], size_t *count);
struct http_route_hit http_route_find(const struct http_options *options, enum http_method method,
        const struct slice *parts, size_t count);
/* The part at {name}, or empty. */
struct slice http_route_part(
        const struct http_route *route, const struct slice *parts, struct slice name);
/* %xx resolved; .at NULL: broken, NUL, or no memory. */
struct slice http_route_decode(struct slice text, struct arena *arena);
