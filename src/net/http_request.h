/* http_request: what a handler sees of a request, and how it answers.
 *
 *     static void hello(struct http_request *r, void *context)
 *     {
 *         buf_format(http_request_out(r), "{\"path\":\"%.*s\"}",
 *                 SLICE_ARG(http_request_path(r, "name")));
 *         http_request_answer(r, 200, "application/json");
 *     }
 *
 * A handler answers once: before it returns, or later, from any thread, if it has called
 * http_request_wait; no thread is held meanwhile. A request lives until it was answered and the
 * answer was sent or the client is gone. All slices are borrowed from it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "net/authorize.h"

struct http_request;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_METHODS };

/* Why a request is not served, before or beside its handler. */
enum http_refusal {
    HTTP_NO_TOKEN,      /* 401: none was given */
    HTTP_BAD_HEADER,    /* 401: Authorization is no form that we know */
    HTTP_WRONG_TOKEN,   /* 401: nobody has it, or it has expired */
    HTTP_REVOKED_TOKEN, /* 401 */
    HTTP_FORBIDDEN,     /* 403 */
    HTTP_NO_PATH,       /* 404 */
    HTTP_NO_METHOD,     /* 405 */
    HTTP_BAD_REQUEST,   /* 400: path, headers or a damaged body */
    HTTP_TOO_LARGE,     /* 413: over the route's limit, or a bomb */
    HTTP_BAD_ENCODING,  /* 415 */
    HTTP_LONG_HEADERS,  /* 431 */
    HTTP_BUSY,          /* 503, Retry-After */
    HTTP_FAULT,         /* 500 */
    HTTP_REFUSALS,
};

enum {
    HTTP_REQUEST_ARENA = 4 << 20, /* for handlers */
    HTTP_REQUEST_HEADERS = 6,     /* that an answer may add */
};

enum http_method http_request_method(const struct http_request *r);
/* The part of the path at {name} of the route, decoded; empty: the route has none. */
struct slice http_request_path(const struct http_request *r, const char *name);
/* Decoded; .at NULL: absent. */
struct slice http_request_query(struct http_request *r, const char *name);
struct slice http_request_header(const struct http_request *r, const char *name);
/* Whole and unpacked. */
struct slice http_request_body(const struct http_request *r);
/* How long it may be on this route. */
size_t http_request_body_limit(const struct http_request *r);
/* Number of the sender's address, without port: "10.1.2.3". */
struct slice http_request_peer(const struct http_request *r);
/* Whom the token names; with an empty id on public routes. */
const struct authorize_actor *http_request_actor(const struct http_request *r);
struct arena *http_request_arena(struct http_request *r);
/* `end` is called once when the request ends, whatever became of it. One for a request. */
void http_request_keep(struct http_request *r, void (*end)(void *kept), void *kept);
void *http_request_kept(const struct http_request *r);

/* The answer's body, to be written before answering. */
struct buf *http_request_out(struct http_request *r);
/* Both texts are copied; those over HTTP_REQUEST_HEADERS are left out. */
void http_request_add_header(struct http_request *r, const char *name, const char *value);
/* `type`: a text that stays; NULL: no body. What is in out when memory failed becomes 500. */
void http_request_answer(struct http_request *r, int status, const char *type);
/* The answer comes later. To be called in the handler, before another thread may answer. */
void http_request_wait(struct http_request *r);
/* true, once: the caller is who answers it. For those that wait: http_stop answers them too. */
bool http_request_claim(struct http_request *r) __attribute__((warn_unused_result));

/* Our own form: {"error":{"code":"forbidden","message":"...","status":403}}. */
void http_request_refuse(struct http_request *r, enum http_refusal why, struct slice words);
int http_request_refusal_status(enum http_refusal why);
const char *http_request_refusal_name(enum http_refusal why);

/* An answer without an end: server-sent events. */
struct http_stream {
    /* Writes up to `room` bytes; 0: nothing at present; HTTP_STREAM_END. On the server's thread. */
    size_t (*read)(void *context, char *to, size_t room);
    void *context;
};
#define HTTP_STREAM_END SIZE_MAX
/* Instead of answering. *stream is copied. http_request_keep's `end` tells when it is over. */
void http_request_stream(
        struct http_request *r, int status, const char *type, const struct http_stream *stream);
/* There is something to read again. Any thread. */
void http_request_wake(struct http_request *r);
