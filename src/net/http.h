/* http: a server of routes on a socket that was bound before, by libmicrohttpd.
 *
 *     static const struct http_route routes[] = {
 *         {HTTP_GET, "/hello/{name}", AUTHORIZE_READ, 0, hello, NULL},
 *     };
 *     struct http_table table = {routes, 1, context};
 *     struct http_options options = {.listener = fd, .tables = &table, .table_count = 1};
 *     TRY(http_start(&options, &http, diag));
 *     http_use_tokens(http, tokens);            // others, at any time; takes them over
 *     for (;;) { poll(...); http_sweep(http); } // each second or so
 *     http_stop(http);
 *
 * Each request goes: limits of its headers, route, token, authorize(), body, handler. What fails is
 * told by the route's `refuse` in the form that its protocol has. Limits are below; what
 * libmicrohttpd refuses by itself (a request line that is none, headers over HTTP_POOL) it tells in
 * its own words. */
#pragma once

#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "net/http_request.h"
#include "net/tokens.h"

enum {
    HTTP_CONNECTIONS = 2000, /* at a time */
    HTTP_PER_ADDRESS = 200,
    HTTP_THREADS = 2,
    HTTP_HEADER_BYTES = 16 << 10, /* names, values and the path of one request */
    HTTP_HEADER_COUNT = 100,
    HTTP_POOL = 64 << 10,    /* memory of a connection */
    HTTP_DISCARD = 16 << 20, /* of a body that is refused we read so much, so that its sender
                                hears the answer */
    HTTP_HEADER_MS = 10000,  /* from the connection's start to the end of the headers */
    HTTP_IDLE_MS = 120000,   /* between requests */
    HTTP_BODY_MS = 30000,    /* for a body, and a second more for each HTTP_BODY_RATE bytes */
    HTTP_BODY_RATE = 16 << 10,
    HTTP_PATH_PARTS = 12,
};
#define HTTP_BODIES_BYTES ((size_t)256 << 20) /* of all requests together */

struct http_route {
    enum http_method method;
    const char *path; /* "/a/{b}/c" */
    enum authorize_permission permission;
    size_t body_bytes; /* unpacked; 0: no body may come */
    void (*handle)(struct http_request *r, void *context);
    /* NULL: http_request_refuse. */
    void (*refuse)(struct http_request *r, enum http_refusal why, struct slice words);
};

struct http_table {
    const struct http_route *routes;
    size_t count;
    void *context; /* for the handlers */
    /* A body is too large, or damaged where it is packed; `there` is what there is of it. Before
     * the refusal; false: it cannot be noted at present, HTTP_BUSY instead. NULL: nobody minds. */
    bool (*spoiled)(struct http_request *r, void *context, enum http_refusal why,
            struct slice there, struct slice words);
};

/* All borrowed until http_stop, but for what is taken over. 0 and NULL take the defaults. */
struct http_options {
    int listener;                    /* taken over */
    struct slice input;              /* its name, that tokens may be bound to */
    const struct http_table *tables; /* the first route that fits is taken */
    size_t table_count;
    const char *certificate, *key, *authority; /* PEM texts; NULL: no TLS; no client certificates */
    struct tokens *tokens;                     /* taken over; NULL: nobody is known yet */
    const struct authorize_actor *open;        /* who comes without a token; NULL: nobody may */
    unsigned connections, per_address, threads;
    size_t bodies_bytes;
    int64_t (*wall_ns)(void);
    int64_t (*steady_ns)(void);
};

struct http;

enum err http_start(
        const struct http_options *options, struct http **out, struct diag *diag) MUST_CHECK;
/* Answers who waits with HTTP_BUSY, ends streams, closes all. No handler's thread may be in here.
 */
void http_stop(struct http *http);
/* The table is owned by http from here on, the one before is freed. */
void http_use_tokens(struct http *http, struct tokens *tokens);
/* Closes connections that are over their time. */
void http_sweep(struct http *http);

/* Counted since the start. */
struct http_figures {
    uint64_t requests, refused, slow; /* slow: connections that were closed by http_sweep */
    uint64_t connections;             /* now */
};
struct http_figures http_figures(struct http *http);
