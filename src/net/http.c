#include "net/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/http_credential.h"
#include "net/http_parts.h"
#include "net/http_route.h"

enum { STOP_S = 2 }; /* for answers to leave */

/* ---- a request's life -------------------------------------------------------------------------
 */

static void name_peer(struct http_request *r)
{
    const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    const void *number = NULL;
    int family = address ? address->sa_family : AF_UNSPEC;
    if (family == AF_INET) {
        number = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *six =
                &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(six);
        family = mapped ? AF_INET : AF_INET6;
        number = mapped ? (const void *)&six->s6_addr[12] : six;
    }
    if (!number || !inet_ntop(family, number, r->peer, sizeof r->peer)) {
        snprintf(r->peer, sizeof r->peer, "local");
    }
}

static struct http_request *request_new(struct http *http, struct MHD_Connection *connection)
{
    struct http_request *r = memory_alloc(sizeof *r);
    if (!r) {
        return NULL;
    }
    const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    r->http = http;
    r->connection = connection;
    r->watch = info ? info->socket_context : NULL;
    arena_init(&r->arena, HTTP_REQUEST_ARENA);
    pthread_mutex_init(&r->mutex, NULL);
    name_peer(r);
    pthread_mutex_lock(&http->mutex);
    r->next = http->requests;
    if (r->next) {
        r->next->previous = r;
    }
    http->requests = r;
    pthread_mutex_unlock(&http->mutex);
    http->served++;
    return r;
}

static void drop_body(struct http_request *r)
{
    http_body_fini(&r->body);
    r->http->bodies -= r->charged;
    r->charged = 0;
}

static void request_free(struct http_request *r)
{
    struct http *http = r->http;
    pthread_mutex_lock(&http->mutex);
    *(r->previous ? &r->previous->next : &http->requests) = r->next;
    if (r->next) {
        r->next->previous = r->previous;
    }
    http->leaving -= r->leaving;
    pthread_cond_signal(&http->left);
    pthread_mutex_unlock(&http->mutex);
    if (r->end) {
        r->end(r->kept);
    }
    drop_body(r);
    buf_fini(&r->out);
    arena_fini(&r->arena);
    pthread_mutex_destroy(&r->mutex);
    memory_free(r);
}

static void refuse(struct http_request *r, enum http_refusal why, const char *words)
{
    drop_body(r);
    r->refused = true;
    r->http->refused++;
    if (r->route && r->route->refuse) {
        r->route->refuse(r, why, slice_text(words));
    } else {
        http_request_refuse(r, why, slice_text(words));
    }
}

/* ---- before the body --------------------------------------------------------------------------
 */

struct header_sum {
    size_t bytes, count;
};

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *key,
        size_t key_size, const char *value, size_t value_size)
{
    (void)kind, (void)key, (void)value;
    struct header_sum *sum = context;
    sum->bytes += key_size + value_size;
    sum->count++;
    return MHD_YES;
}

static bool has_header(const struct http_request *r, const char *name)
{
    return http_request_header(r, name).at != NULL;
}

static bool headers_fit(struct http_request *r, const char *url)
{
    struct header_sum sum = {.bytes = strlen(url)};
    MHD_get_connection_values_n(
            r->connection, MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND, add_header, &sum);
    if (sum.bytes > HTTP_HEADER_BYTES || sum.count > HTTP_HEADER_COUNT) {
        refuse(r, HTTP_LONG_HEADERS, "the headers are longer or more than may be");
        return false;
    }
    /* RFC 9112 section 6.1: such a message may be an attempt to smuggle another one. */
    if (has_header(r, "Content-Length") && has_header(r, "Transfer-Encoding")) {
        refuse(r, HTTP_BAD_REQUEST, "a body has a length or is chunked, not both");
        return false;
    }
    return true;
}

static enum http_method method_of(const char *method)
{
    static const char *const names[HTTP_METHODS] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    for (int i = 0; i < HTTP_METHODS; i++) {
        if (strcmp(method, names[i]) == 0) {
            return (enum http_method)i;
        }
    }
    return HTTP_METHODS;
}

static bool find_route(struct http_request *r, const char *url, const char *method)
{
    r->method = method_of(method);
    if (!http_route_split(slice_text(url), &r->arena, r->parts, &r->part_count)) {
        refuse(r, HTTP_BAD_REQUEST, "the path cannot be read");
        return false;
    }
    struct http_route_hit hit =
            http_route_find(&r->http->options, r->method, r->parts, r->part_count);
    if (!hit.route) {
        refuse(r, hit.other_method ? HTTP_NO_METHOD : HTTP_NO_PATH,
                hit.other_method ? "not with this method" : "nothing is here");
        return false;
    }
    r->route = hit.route;
    r->table = hit.table;
    return true;
}

/* Who asks, by the token; false: refused. */
static bool find_actor(struct http_request *r)
{
    struct slice header = http_request_header(r, "Authorization");
    struct http_credential credential;
    if (!header.at) {
        if (r->http->options.open) {
            r->actor = *r->http->options.open;
            return true;
        }
        refuse(r, HTTP_NO_TOKEN, "a token is needed: Authorization: Bearer merlon_...");
        return false;
    }
    if (http_credential_read(header, &r->arena, &credential) != OK) {
        refuse(r, HTTP_BAD_HEADER, "Authorization is none of Bearer, Splunk, Basic, ApiKey");
        return false;
    }
    pthread_mutex_lock(&r->http->mutex);
    enum tokens_verdict verdict = TOKENS_UNKNOWN;
    if (r->http->tokens) {
        verdict = tokens_find(
                r->http->tokens, credential.token, r->http->options.wall_ns(), &r->actor);
    }
    pthread_mutex_unlock(&r->http->mutex);
    if (verdict == TOKENS_VALID && credential.id.size &&
            !slice_equal(credential.id, slice_text(r->actor.id))) {
        r->actor = (struct authorize_actor){0};
        verdict = TOKENS_UNKNOWN;
    }
    if (verdict != TOKENS_VALID) {
        refuse(r, verdict == TOKENS_REVOKED ? HTTP_REVOKED_TOKEN : HTTP_WRONG_TOKEN,
                "the token is not valid");
        return false;
    }
    return true;
}

static bool allowed(struct http_request *r)
{
    if (r->route->permission == AUTHORIZE_PUBLIC) {
        return true;
    }
    if (!find_actor(r)) {
        return false;
    }
    if (!authorize(&r->actor, slice_text(r->actor.tenant), r->route->permission) ||
            !authorize_input(&r->actor, r->http->options.input)) {
        refuse(r, HTTP_FORBIDDEN, "this token may not do that");
        return false;
    }
    return true;
}

/* ---- the body ---------------------------------------------------------------------------------
 */

static bool announced(const struct http_request *r, uint64_t *size)
{
    struct slice text = http_request_header(r, "Content-Length");
    *size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint64_t digit = (uint64_t)(text.at[i] - '0');
        if (!slice_is_digit(text.at[i]) || __builtin_mul_overflow(*size, (uint64_t)10, size) ||
                __builtin_add_overflow(*size, digit, size)) {
            *size = UINT64_MAX;
        }
    }
    return *size > 0 || has_header(r, "Transfer-Encoding");
}

/* Refuses for what the body is; `there`: what there is of it. */
static void refuse_spoiled(
        struct http_request *r, enum http_refusal why, struct slice there, const char *words)
{
    const struct http_table *table = r->table;
    if (table->spoiled && !table->spoiled(r, table->context, why, there, slice_text(words))) {
        refuse(r, HTTP_BUSY, "the log has no room at present; nothing was stored");
        return;
    }
    refuse(r, why, words);
}

/* `last`: the bytes that came last. */
static void refuse_body(
        struct http_request *r, enum err e, struct slice last, const struct diag *diag)
{
    static const enum http_refusal whys[] = {[ERR_MEMORY] = HTTP_BUSY,
            [ERR_LIMIT] = HTTP_TOO_LARGE,
            [ERR_SYNTAX] = HTTP_BAD_REQUEST,
            [ERR_UNSUPPORTED] = HTTP_BAD_ENCODING};
    bool known = e == ERR_MEMORY || e == ERR_LIMIT || e == ERR_SYNTAX || e == ERR_UNSUPPORTED;
    if (e == ERR_LIMIT || e == ERR_SYNTAX) {
        refuse_spoiled(r, whys[e], http_body_there(&r->body, last), diag->words);
        return;
    }
    refuse(r, known ? whys[e] : HTTP_FAULT, diag->words);
}

static void begin_body(struct http_request *r)
{
    struct diag diag = {0};
    uint64_t size;
    bool comes = announced(r, &size);
    size_t limit = r->route->body_bytes;
    if ((comes && limit == 0) || size > limit) {
        snprintf(diag.words, sizeof diag.words, "a body may have %zu bytes here", limit);
        refuse_spoiled(r, HTTP_TOO_LARGE, SLICE(""), diag.words);
        return;
    }
    enum err e =
            http_body_begin(&r->body, http_request_header(r, "Content-Encoding"), limit, &diag);
    if (e != OK) {
        refuse_body(r, e, SLICE(""), &diag);
    }
}

/* false: enough was thrown away, the connection is closed. */
static bool take_body(struct http_request *r, struct slice piece)
{
    http_watch_grow(&r->http->watch, r->watch, piece.size);
    if (r->refused) {
        r->discarded += piece.size;
        return r->discarded <= HTTP_DISCARD;
    }
    struct diag diag = {0};
    enum err e = http_body_add(&r->body, piece, &diag);
    size_t grown = r->body.text.room - r->charged;
    r->charged += grown;
    size_t all = atomic_fetch_add(&r->http->bodies, grown) + grown;
    if (e != OK) {
        refuse_body(r, e, piece, &diag);
    } else if (all > r->http->options.bodies_bytes) {
        refuse(r, HTTP_BUSY, "too many bodies are being received");
    }
    return true;
}

/* ---- libmicrohttpd ----------------------------------------------------------------------------
 */

static ssize_t read_stream(void *context, uint64_t at, char *to, size_t room)
{
    (void)at;
    struct http_request *r = context;
    for (;;) {
        pthread_mutex_lock(&r->mutex);
        bool ended = r->ended;
        r->woken = false;
        pthread_mutex_unlock(&r->mutex);
        size_t n = ended ? HTTP_STREAM_END : r->stream.read(r->stream.context, to, room);
        if (n == HTTP_STREAM_END) {
            return MHD_CONTENT_READER_END_OF_STREAM;
        }
        if (n > 0) {
            return (ssize_t)n;
        }
        pthread_mutex_lock(&r->mutex);
        bool sleeps = !r->woken;
        if (sleeps) {
            r->asleep = true;
            MHD_suspend_connection(r->connection);
        }
        pthread_mutex_unlock(&r->mutex);
        if (sleeps) {
            return 0;
        }
    }
}

static enum MHD_Result send_answer(struct http_request *r)
{
    struct MHD_Response *response;
    struct buf *out = &r->out;
    if (r->streaming) {
        response =
                MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 << 10, read_stream, r, NULL);
    } else {
        if (out->failed) {
            buf_fini(out);
            *out = (struct buf){0};
            r->status = 500;
        }
        response = MHD_create_response_from_buffer(
                out->size, out->size ? out->at : (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    }
    if (!response) {
        return MHD_NO;
    }
    if (r->type) {
        MHD_add_response_header(response, "Content-Type", r->type);
    }
    for (size_t i = 0; i < r->header_count; i++) {
        MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
    }
    enum MHD_Result queued = MHD_queue_response(r->connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* A connection that had to show a certificate has shown a good one. */
static bool certified(struct http_request *r)
{
    if (!r->http->options.authority) {
        return true;
    }
    const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned status = 0;
    return info && info->tls_session &&
           gnutls_certificate_verify_peers2(info->tls_session, &status) == GNUTLS_E_SUCCESS &&
           status == 0;
}

static enum MHD_Result begin(struct http_request *r, const char *url, const char *method)
{
    int64_t now = r->http->options.steady_ns();
    if (!certified(r)) {
        return MHD_NO;
    }
    if (headers_fit(r, url) && find_route(r, url, method) && allowed(r)) {
        begin_body(r);
    }
    uint64_t size;
    bool comes = announced(r, &size);
    http_watch_set(&r->http->watch, r->watch, comes ? HTTP_WATCH_BODY : HTTP_WATCH_WORK, now);
    /* Who waits to be asked for the body, or has more than we throw away, is told at once. */
    if (r->refused && (!comes || size > HTTP_DISCARD || has_header(r, "Expect"))) {
        return send_answer(r);
    }
    return MHD_YES;
}

/* All has come. */
static void handle(struct http_request *r)
{
    struct diag diag = {0};
    http_watch_set(&r->http->watch, r->watch, HTTP_WATCH_WORK, r->http->options.steady_ns());
    r->handled = true;
    enum err e = r->refused ? OK : http_body_end(&r->body, &diag);
    if (e != OK) {
        refuse_body(r, e, SLICE(""), &diag);
    } else if (!r->refused) {
        r->route->handle(r, r->table->context);
    }
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url,
        const char *method, const char *version, const char *data, size_t *size, void **state)
{
    (void)version;
    struct http_request *r = *state;
    if (!r) {
        r = request_new(context, connection);
        *state = r;
        return r ? begin(r, url, method) : MHD_NO;
    }
    if (*size > 0) {
        bool go_on = take_body(r, slice_of(data, *size));
        *size = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    bool first = !r->handled;
    if (first) {
        handle(r);
    }
    pthread_mutex_lock(&r->mutex);
    bool send = r->answered && !(first && r->waiting); /* that one comes again */
    pthread_mutex_unlock(&r->mutex);
    return send ? send_answer(r) : MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
        enum MHD_RequestTerminationCode why)
{
    (void)connection, (void)why;
    struct http *http = context;
    struct http_request *r = *state;
    if (r) {
        http_watch_set(&http->watch, r->watch, HTTP_WATCH_NEXT, http->options.steady_ns());
        request_free(r);
        *state = NULL;
    }
}

static void on_connection(void *context, struct MHD_Connection *connection, void **entry,
        enum MHD_ConnectionNotificationCode what)
{
    struct http *http = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        http_watch_remove(&http->watch, *entry);
        *entry = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *entry =
            info ? http_watch_add(&http->watch, info->connect_fd, http->options.steady_ns()) : NULL;
}

/* Paths and queries stay as they were sent: http_route_decode. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

/* ---- starting and stopping --------------------------------------------------------------------
 */

static void set_defaults(struct http_options *o)
{
    o->connections = o->connections ? o->connections : HTTP_CONNECTIONS;
    o->per_address = o->per_address ? o->per_address : HTTP_PER_ADDRESS;
    o->threads = o->threads ? o->threads : HTTP_THREADS;
    o->bodies_bytes = o->bodies_bytes ? o->bodies_bytes : HTTP_BODIES_BYTES;
    o->wall_ns = o->wall_ns ? o->wall_ns : clock_wall_ns;
    o->steady_ns = o->steady_ns ? o->steady_ns : clock_steady_ns;
}

static struct MHD_Daemon *start_daemon(struct http *http)
{
    const struct http_options *o = &http->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     (o->certificate ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[5] = {{MHD_OPTION_END, 0, NULL}};
    size_t n = 0;
    if (o->certificate) {
        tls[n++] = (struct MHD_OptionItem){
                MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->certificate};
        tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->key};
        tls[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
                (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"};
        if (o->authority) {
            tls[n++] = (struct MHD_OptionItem){
                    MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)o->authority};
        }
        tls[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, http, MHD_OPTION_LISTEN_SOCKET,
            o->listener, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
            MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_UNESCAPE_CALLBACK,
            keep_escapes, http, MHD_OPTION_CONNECTION_LIMIT, o->connections,
            MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->per_address, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
            (size_t)HTTP_POOL, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(HTTP_IDLE_MS / 1000),
            MHD_OPTION_THREAD_POOL_SIZE, o->threads > 1 ? o->threads : 0,
            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

enum err http_start(const struct http_options *options, struct http **out, struct diag *diag)
{
    struct http *http = memory_alloc(sizeof *http);
    if (!http) {
        tokens_free(options->tokens);
        return diag_say(diag, ERR_MEMORY, "no memory for a server");
    }
    http->options = *options;
    http->tokens = options->tokens; /* before the first request */
    set_defaults(&http->options);
    pthread_mutex_init(&http->mutex, NULL);
    pthread_cond_init(&http->left, NULL);
    http_watch_init(&http->watch);
    http->daemon = start_daemon(http);
    if (!http->daemon) {
        http_watch_fini(&http->watch);
        tokens_free(http->tokens);
        pthread_cond_destroy(&http->left);
        pthread_mutex_destroy(&http->mutex);
        memory_free(http);
        return diag_say(diag, ERR_IO, "the server does not start%s",
                options->certificate ? ": is the certificate that of the key?" : "");
    }
    *out = http;
    return OK;
}

/* Whoever waits gets an answer, so that libmicrohttpd may stop; waits a little until it is sent. */
static void release(struct http *http)
{
    pthread_mutex_lock(&http->mutex);
    for (struct http_request *r = http->requests; r; r = r->next) {
        pthread_mutex_lock(&r->mutex);
        bool waits = r->waiting && !r->answered && !r->claimed;
        r->claimed = r->claimed || waits;
        r->ended = true;
        pthread_mutex_unlock(&r->mutex);
        r->leaving = true;
        http->leaving++;
        if (waits) {
            http_request_refuse(r, HTTP_BUSY, SLICE("the server is stopping"));
        } else {
            http_request_wake(r);
        }
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_S;
    while (http->leaving > 0 && pthread_cond_timedwait(&http->left, &http->mutex, &until) == 0) {
    }
    pthread_mutex_unlock(&http->mutex);
}

void http_stop(struct http *http)
{
    if (!http) {
        return;
    }
    MHD_socket listener = MHD_quiesce_daemon(http->daemon);
    release(http);
    MHD_stop_daemon(http->daemon);
    if (listener != MHD_INVALID_SOCKET) {
        close(listener);
    }
    http_watch_fini(&http->watch);
    tokens_free(http->tokens);
    pthread_cond_destroy(&http->left);
    pthread_mutex_destroy(&http->mutex);
    memory_free(http);
}

void http_use_tokens(struct http *http, struct tokens *tokens)
{
    pthread_mutex_lock(&http->mutex);
    struct tokens *old = http->tokens;
    http->tokens = tokens;
    pthread_mutex_unlock(&http->mutex);
    tokens_free(old);
}

void http_sweep(struct http *http)
{
    http_watch_sweep(&http->watch, http->options.steady_ns());
}

struct http_figures http_figures(struct http *http)
{
    struct http_figures f = {.requests = http->served, .refused = http->refused};
    pthread_mutex_lock(&http->watch.mutex);
    f.connections = http->watch.count;
    f.slow = http->watch.slow;
    pthread_mutex_unlock(&http->watch.mutex);
    return f;
}
