#include "net/http_request.h"

#include "net/http_parts.h"
#include "net/http_route.h"

static const struct {
    int status;
    const char *name;
} refusals[HTTP_REFUSALS] = {
        [HTTP_NO_TOKEN] = {401, "no_token"},
        [HTTP_BAD_HEADER] = {401, "bad_authorization"},
        [HTTP_WRONG_TOKEN] = {401, "wrong_token"},
        [HTTP_REVOKED_TOKEN] = {401, "revoked_token"},
        [HTTP_FORBIDDEN] = {403, "forbidden"},
        [HTTP_NO_PATH] = {404, "not_found"},
        [HTTP_NO_METHOD] = {405, "method_not_allowed"},
        [HTTP_BAD_REQUEST] = {400, "bad_request"},
        [HTTP_TOO_LARGE] = {413, "too_large"},
        [HTTP_BAD_ENCODING] = {415, "unsupported_encoding"},
        [HTTP_LONG_HEADERS] = {431, "headers_too_large"},
        [HTTP_BUSY] = {503, "busy"},
        [HTTP_FAULT] = {500, "fault"},
};

int http_request_refusal_status(enum http_refusal why)
{
    return refusals[why].status;
}

const char *http_request_refusal_name(enum http_refusal why)
{
    return refusals[why].name;
}

/* ---- what came --------------------------------------------------------------------------------
 */

enum http_method http_request_method(const struct http_request *r)
{
    return r->method;
}

struct slice http_request_path(const struct http_request *r, const char *name)
{
    return http_route_part(r->route, r->parts, slice_text(name));
}

struct slice http_request_query(struct http_request *r, const char *name)
{
    const char *value = NULL;
    size_t size = 0;
    if (MHD_lookup_connection_value_n(r->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name),
                &value, &size) != MHD_YES) {
        return (struct slice){0};
    }
    return value ? http_route_decode(slice_of(value, size), &r->arena) : SLICE("");
}

struct slice http_request_header(const struct http_request *r, const char *name)
{
    const char *value = NULL;
    size_t size = 0;
    bool found = MHD_lookup_connection_value_n(r->connection, MHD_HEADER_KIND, name, strlen(name),
                         &value, &size) == MHD_YES;
    return found && value ? slice_of(value, size) : (struct slice){0};
}

struct slice http_request_body(const struct http_request *r)
{
    return r->body.text.size ? buf_slice(&r->body.text) : SLICE("");
}

size_t http_request_body_limit(const struct http_request *r)
{
    return r->route->body_bytes;
}

struct slice http_request_peer(const struct http_request *r)
{
    return slice_text(r->peer);
}

const struct authorize_actor *http_request_actor(const struct http_request *r)
{
    return &r->actor;
}

struct arena *http_request_arena(struct http_request *r)
{
    return &r->arena;
}

void http_request_keep(struct http_request *r, void (*end)(void *kept), void *kept)
{
    r->end = end;
    r->kept = kept;
}

void *http_request_kept(const struct http_request *r)
{
    return r->kept;
}

/* ---- the answer -------------------------------------------------------------------------------
 */

struct buf *http_request_out(struct http_request *r)
{
    return &r->out;
}

void http_request_add_header(struct http_request *r, const char *name, const char *value)
{
    struct slice n = arena_copy(&r->arena, slice_text(name));
    struct slice v = arena_copy(&r->arena, slice_text(value));
    if (n.at && v.at && r->header_count < HTTP_REQUEST_HEADERS) {
        r->headers[r->header_count++] = (struct http_header){n.at, v.at};
    }
}

/* After the mutex is given back the request may be gone any time. */
static void mark_answered(struct http_request *r)
{
    pthread_mutex_lock(&r->mutex);
    struct MHD_Connection *suspended = r->waiting && !r->answered ? r->connection : NULL;
    r->answered = true;
    pthread_mutex_unlock(&r->mutex);
    if (suspended) {
        MHD_resume_connection(suspended);
    }
}

void http_request_answer(struct http_request *r, int status, const char *type)
{
    r->status = status;
    r->type = type;
    mark_answered(r);
}

bool http_request_claim(struct http_request *r)
{
    pthread_mutex_lock(&r->mutex);
    bool first = !r->claimed && !r->answered;
    r->claimed = true;
    pthread_mutex_unlock(&r->mutex);
    return first;
}

void http_request_wait(struct http_request *r)
{
    pthread_mutex_lock(&r->mutex);
    r->waiting = true;
    MHD_suspend_connection(r->connection);
    pthread_mutex_unlock(&r->mutex);
}

void http_request_refuse(struct http_request *r, enum http_refusal why, struct slice words)
{
    struct buf *out = &r->out;
    buf_clear(out);
    buf_format(out, "{\"error\":{\"code\":\"%s\",\"message\":\"", refusals[why].name);
    buf_json(out, words);
    buf_format(out, "\",\"status\":%d}}\n", refusals[why].status);
    if (why == HTTP_BUSY) {
        http_request_add_header(r, "Retry-After", "5");
    } else if (refusals[why].status == 401) {
        http_request_add_header(r, "WWW-Authenticate", "Bearer");
    }
    http_request_answer(r, refusals[why].status, "application/json");
}

/* ---- streams ----------------------------------------------------------------------------------
 */

void http_request_stream(
        struct http_request *r, int status, const char *type, const struct http_stream *stream)
{
    r->stream = *stream;
    r->streaming = true;
    http_request_answer(r, status, type);
}

void http_request_wake(struct http_request *r)
{
    pthread_mutex_lock(&r->mutex);
    struct MHD_Connection *suspended = r->asleep ? r->connection : NULL;
    r->asleep = false;
    r->woken = true;
    pthread_mutex_unlock(&r->mutex);
    if (suspended) {
        MHD_resume_connection(suspended);
    }
}
