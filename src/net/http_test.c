#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/base64.h"
#include "net/http.h"
#include "net/http_body.h"
#include "support/web.h"

/* ---- a server ---------------------------------------------------------------------------------
 */

static _Atomic int64_t steady;

static int64_t steady_ns(void)
{
    return steady;
}

static int64_t wall_ns(void)
{
    return 1700000000000000000;
}

static void show(struct http_request *r, void *context)
{
    (void)context;
    struct slice q = http_request_query(r, "q");
    buf_format(http_request_out(r), "%.*s|%.*s|%s%.*s|%zu|%s|%s",
            SLICE_ARG(http_request_path(r, "a")), SLICE_ARG(http_request_path(r, "b")),
            q.at ? "=" : "-", SLICE_ARG(q), http_request_body(r).size,
            http_request_actor(r)->tenant, http_request_peer(r).at);
    http_request_answer(r, 200, "text/plain");
}

struct later {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct http_request *waiting;
    int ended;
};

static void on_end(void *kept)
{
    struct later *later = kept;
    pthread_mutex_lock(&later->mutex);
    later->ended++;
    pthread_cond_broadcast(&later->changed);
    pthread_mutex_unlock(&later->mutex);
}

static void wait_for_it(struct http_request *r, void *context)
{
    struct later *later = context;
    http_request_keep(r, on_end, later);
    http_request_wait(r);
    pthread_mutex_lock(&later->mutex);
    later->waiting = r;
    pthread_cond_broadcast(&later->changed);
    pthread_mutex_unlock(&later->mutex);
}

static size_t read_one(void *context, char *to, size_t room)
{
    _Atomic int *left = context;
    if (*left < 0) {
        return HTTP_STREAM_END;
    }
    if (*left == 0) {
        return 0;
    }
    --*left;
    return (size_t)snprintf(to, room, "data: %d\n\n", *left);
}

static _Atomic int stream_left;

static void stream(struct http_request *r, void *context)
{
    wait_for_it(r, context);
    struct http_stream s = {read_one, &stream_left};
    if (http_request_claim(r)) { /* a server that stops may have answered already */
        http_request_stream(r, 200, "text/event-stream", &s);
    }
}

static void refuse_shortly(struct http_request *r, enum http_refusal why, struct slice words)
{
    (void)words;
    buf_format(http_request_out(r), "no: %s", http_request_refusal_name(why));
    http_request_answer(r, http_request_refusal_status(why), "text/plain");
}

enum { SMALL = 1000, LARGE = 8 << 20 };

static const struct http_route routes[] = {
        {HTTP_GET, "/open", AUTHORIZE_PUBLIC, 0, show, NULL},
        {HTTP_GET, "/read/{a}", AUTHORIZE_READ, 0, show, NULL},
        {HTTP_POST, "/send/{a}/x/{b}", AUTHORIZE_INGEST, SMALL, show, NULL},
        {HTTP_POST, "/short", AUTHORIZE_INGEST, SMALL, show, refuse_shortly},
        {HTTP_POST, "/large", AUTHORIZE_PUBLIC, LARGE, show, NULL},
        {HTTP_GET, "/later", AUTHORIZE_PUBLIC, 0, wait_for_it, NULL},
        {HTTP_GET, "/stream", AUTHORIZE_PUBLIC, 0, stream, NULL},
};

struct server {
    struct http *http;
    int port;
    struct later later;
    struct http_table table;
    char admin[200], ingest[200], reader[200], revoked[200], expired[200], bound[200];
    char admin_id[AUTHORIZE_NAME];
};

static void add_token(struct tokens *tokens, const char *tenant, enum authorize_role role,
        const char *input, char *header)
{
    char text[TOKENS_TEXT];
    struct tokens_wish wish = {SLICE("t"), slice_text(tenant), slice_text(input), role, 0};
    wish.expires_ns = header[0] == 'e' ? wall_ns() : 0;
    assert_int_equal(tokens_add(tokens, &wish, wall_ns(), text, NULL), OK);
    snprintf(header, 200, "Authorization: Bearer %s\r\n", text);
}

static void start(struct server *s, struct http_options options)
{
    struct tokens *tokens;
    *s = (struct server){.table = {routes, sizeof routes / sizeof *routes, &s->later, NULL}};
    pthread_mutex_init(&s->later.mutex, NULL);
    pthread_cond_init(&s->later.changed, NULL);
    steady = 0;
    options.listener = web_listen(&s->port);
    options.input = SLICE("web");
    options.tables = &s->table;
    options.table_count = 1;
    options.wall_ns = wall_ns;
    options.steady_ns = steady_ns;
    assert_int_equal(tokens_new(&tokens), OK);
    s->expired[0] = 'e';
    add_token(tokens, "sg", AUTHORIZE_ADMIN, "", s->admin);
    add_token(tokens, "sg/a", AUTHORIZE_INGESTER, "web", s->ingest);
    add_token(tokens, "sg/a", AUTHORIZE_READER, "", s->reader);
    add_token(tokens, "sg/a", AUTHORIZE_ADMIN, "", s->expired);
    add_token(tokens, "sg/a", AUTHORIZE_INGESTER, "other", s->bound);
    add_token(tokens, "sg/a", AUTHORIZE_ADMIN, "", s->revoked);
    struct slice last = slice_text(tokens_at(tokens, 5)->actor.id);
    assert_int_equal(tokens_revoke(tokens, last, wall_ns()), OK);
    snprintf(s->admin_id, sizeof s->admin_id, "%s", tokens_at(tokens, 0)->actor.id);
    assert_int_equal(http_start(&options, &s->http, NULL), OK);
    http_use_tokens(s->http, tokens);
}

static void stop(struct server *s)
{
    http_stop(s->http);
    pthread_mutex_destroy(&s->later.mutex);
    pthread_cond_destroy(&s->later.changed);
}

static void expect(struct server *s, const char *line, const char *headers, struct slice body,
        const char *want)
{
    struct web_answer a = {0};
    char got[600];
    if (!web_ask(s->port, line, headers, body, &a)) {
        fail_msg("%s: no answer", line);
    }
    snprintf(got, sizeof got, "%d %.*s", a.status, SLICE_ARG(web_body(&a)));
    if (!slice_starts(slice_text(got), slice_text(want))) {
        fail_msg("%s: %s, wanted %s", line, got, want);
    }
    web_fini(&a);
}

static const struct slice NOTHING = {0};

/* ---- tests ------------------------------------------------------------------------------------
 */

static void paths_and_queries_reach_the_handler(void **state)
{
    (void)state;
    struct server s;
    start(&s, (struct http_options){0});
    expect(&s, "GET /open", "", NOTHING, "200 ||-|0||127.0.0.1");
    expect(&s, "GET /open/", "", NOTHING, "200 ");
    expect(&s, "GET /open?q", "", NOTHING, "200 ||=|0");
    expect(&s, "GET /open?q=a%20b+c&q=2", "", NOTHING, "200 ||=a b c|0");
    expect(&s, "GET /read/a%2Fb?p=1", s.reader, NOTHING, "200 a/b||-|0|sg/a|");
    expect(&s, "POST /send/1/x/%C3%A9", s.ingest, SLICE("hello"), "200 1|\xC3\xA9|-|5|sg/a|");
    expect(&s, "GET /read", s.reader, NOTHING, "404 {\"error\":{\"code\":\"not_found\"");
    expect(&s, "GET /read/", s.reader, NOTHING, "404");
    expect(&s, "GET /read/a/b", s.reader, NOTHING, "404");
    expect(&s, "GET //open", s.reader, NOTHING, "404");
    expect(&s, "POST /open", "", SLICE(""), "405 {\"error\":{\"code\":\"method_not_allowed\"");
    expect(&s, "BREW /open", "", NOTHING, "405");
    expect(&s, "GET /read/%00", s.reader, NOTHING, "400");
    expect(&s, "GET /read/%4", s.reader, NOTHING, "400");
    expect(&s, "GET /a/a/a/a/a/a/a/a/a/a/a/a/a", s.reader, NOTHING, "400");
    struct web_answer a = {0};
    int fd = web_connect(s.port); /* one connection, two requests */
    assert_true(web_request(fd, "HEAD /open", "", NOTHING));
    assert_true(web_read_head(fd, &a));
    assert_int_equal(a.status, 200);
    assert_int_equal(web_body(&a).size, 0);
    assert_true(web_request(fd, "GET /open", "", NOTHING) && web_read(fd, &a));
    assert_int_equal(a.status, 200);
    close(fd);
    web_fini(&a);
    stop(&s);
}

static void who_asks_is_told_by_the_token(void **state)
{
    (void)state;
    struct server s;
    start(&s, (struct http_options){0});
    struct buf header = {0};
    struct slice admin = slice_of(s.admin + 22, TOKENS_TEXT - 1);
    static const struct {
        const char *scheme, *before, *want;
    } pairs[] = {
            {"Basic", "elastic:", "200 a|"},
            {"basic", ":", "200 a|"},
            {"Basic", "", "401 {\"error\":{\"code\":\"bad_authorization\""},
            {"ApiKey", "ID:", "200 a|"},
            {"ApiKey", "other:", "401 {\"error\":{\"code\":\"wrong_token\""},
            {"ApiKey", ":", "401"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct buf pair = {0};
        bool id = slice_equal(slice_text(pairs[i].before), SLICE("ID:"));
        buf_format(&pair, "%s%s%.*s", id ? s.admin_id : pairs[i].before, id ? ":" : "",
                SLICE_ARG(admin));
        buf_clear(&header);
        buf_format(&header, "Authorization: %s ", pairs[i].scheme);
        base64_add(&header, buf_slice(&pair));
        buf_add(&header, slice_of("\r\n", 3));
        expect(&s, "GET /read/a", header.at, NOTHING, pairs[i].want);
        buf_fini(&pair);
    }
    static const char *const plain[] = {"Splunk", "ApiKey", "bearer", "Bearer  "};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        buf_clear(&header);
        buf_format(&header, "Authorization: %s %.*s\r\n", plain[i], SLICE_ARG(admin));
        buf_byte(&header, '\0');
        expect(&s, "GET /read/a", header.at, NOTHING, "200 a|");
    }
    buf_fini(&header);
    expect(&s, "GET /read/a", "", NOTHING, "401 {\"error\":{\"code\":\"no_token\"");
    expect(&s, "GET /read/a", "Authorization: Digest x\r\n", NOTHING, "401");
    expect(&s, "GET /read/a", "Authorization: Bearer\r\n", NOTHING, "401");
    expect(&s, "GET /read/a", "Authorization: Bearer merlon_x\r\n", NOTHING, "401");
    expect(&s, "GET /read/a", s.expired, NOTHING, "401 {\"error\":{\"code\":\"wrong_token\"");
    expect(&s, "GET /read/a", s.revoked, NOTHING, "401 {\"error\":{\"code\":\"revoked_token\"");
    expect(&s, "GET /read/a", s.ingest, NOTHING, "403 {\"error\":{\"code\":\"forbidden\"");
    expect(&s, "POST /short", s.reader, SLICE("x"), "403 no: forbidden");
    expect(&s, "POST /short", s.bound, SLICE("x"), "403 no: forbidden");
    expect(&s, "POST /short", s.ingest, SLICE("x"), "200");
    expect(&s, "GET /open", "Authorization: rubbish\r\n", NOTHING, "200");
    struct tokens *none;
    assert_int_equal(tokens_new(&none), OK);
    http_use_tokens(s.http, none);
    expect(&s, "GET /read/a", s.admin, NOTHING, "401");
    stop(&s);
}

static void who_has_no_token_may_be_let_in(void **state)
{
    (void)state;
    struct server s;
    struct authorize_actor guest = {
            .id = "open", .tenant = "sg/b", .input = "web", .role = AUTHORIZE_INGESTER};
    start(&s, (struct http_options){.open = &guest});
    expect(&s, "POST /short", "", SLICE("x"), "200 ||-|1|sg/b|");
    expect(&s, "GET /read/a", "", NOTHING, "403");
    expect(&s, "POST /short", "Authorization: Bearer merlon_x\r\n", SLICE("x"), "401");
    stop(&s);
}

static struct buf gzip_of(struct slice text)
{
    struct buf out = {0};
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t most = deflateBound(&z, text.size) + 64;
    assert_non_null(buf_reserve(&out, most));
    z.next_in = (Bytef *)(uintptr_t)text.at;
    z.avail_in = (uInt)text.size;
    z.next_out = (Bytef *)out.at;
    z.avail_out = (uInt)most;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.size = most - z.avail_out;
    deflateEnd(&z);
    return out;
}

static struct buf zstd_of(struct slice text, int log)
{
    struct buf out = {0};
    size_t most = ZSTD_compressBound(text.size);
    ZSTD_CCtx *c = ZSTD_createCCtx();
    assert_non_null(buf_reserve(&out, most));
    ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, log);
    ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    ZSTD_CCtx_setParameter(c, ZSTD_c_enableLongDistanceMatching, log > 23);
    ZSTD_inBuffer in = {text.at, text.size, 0};
    ZSTD_outBuffer to = {out.at, most, 0};
    while (in.pos < in.size) { /* as a stream: of unknown size */
        assert_false(ZSTD_isError(ZSTD_compressStream2(c, &to, &in, ZSTD_e_continue)));
    }
    assert_int_equal(ZSTD_compressStream2(c, &to, &in, ZSTD_e_end), 0);
    out.size = to.pos;
    ZSTD_freeCCtx(c);
    return out;
}

static struct buf filled(size_t size, bool noise)
{
    struct buf b = {0};
    uint32_t x = 1;
    assert_non_null(buf_reserve(&b, size));
    for (b.size = 0; b.size < size; b.size++) {
        x = x * 1664525u + 1013904223u;
        b.at[b.size] = noise ? (char)('a' + (x >> 28)) : 'a';
    }
    return b;
}

static void bodies_have_a_limit(void **state)
{
    (void)state;
    struct server s;
    start(&s, (struct http_options){0});
    for (size_t n = SMALL; n <= SMALL + 1; n++) {
        struct buf text = filled(n, true), gz = gzip_of(buf_slice(&text)),
                   zs = zstd_of(buf_slice(&text), 17), chunk = {0};
        const char *want = n > SMALL ? "413 {\"error\":{\"code\":\"too_large\"" : "200 1|2|-|1000|";
        expect(&s, "POST /send/1/x/2", s.ingest, buf_slice(&text), want);
        char headers[300];
        snprintf(headers, sizeof headers, "%sContent-Encoding: gzip\r\n", s.ingest);
        expect(&s, "POST /send/1/x/2", headers, buf_slice(&gz), want);
        snprintf(headers, sizeof headers, "%sContent-Encoding: zstd\r\n", s.ingest);
        expect(&s, "POST /send/1/x/2", headers, buf_slice(&zs), want);
        buf_format(&chunk,
                "POST /send/1/x/2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n%s\r\n",
                s.ingest);
        buf_format(&chunk, "1\r\na\r\n%zx\r\n", n - 1);
        buf_add(&chunk, slice_of(text.at, n - 1));
        buf_add(&chunk, SLICE("\r\n0\r\n\r\n"));
        struct web_answer a = {0};
        int fd = web_connect(s.port);
        assert_true(web_send(fd, buf_slice(&chunk)) && web_read(fd, &a));
        assert_int_equal(a.status, n > SMALL ? 413 : 200);
        close(fd);
        web_fini(&a);
        buf_fini(&text);
        buf_fini(&gz);
        buf_fini(&zs);
        buf_fini(&chunk);
    }
    expect(&s, "GET /read/a", s.reader, SLICE("x"), "413");
    expect(&s, "POST /short", s.ingest, SLICE(""), "200 ||-|0|");
    /* Announced, asked for, and never sent. */
    struct web_answer a = {0};
    int fd = web_connect(s.port);
    assert_true(web_send(fd, SLICE("POST /large HTTP/1.1\r\nHost: a\r\n"
                                   "Content-Length: 99999999999999999999\r\n\r\n")));
    assert_true(!web_read(fd, &a) || a.status == 413);
    close(fd);
    fd = web_connect(s.port);
    assert_true(web_send(fd, SLICE("POST /large HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                                   "Content-Length: 9000000\r\n\r\n")));
    assert_true(web_read(fd, &a));
    assert_int_equal(a.status, 413);
    close(fd);
    web_fini(&a);
    stop(&s);
}

static void packed_bodies_are_what_they_say(void **state)
{
    (void)state;
    struct server s;
    start(&s, (struct http_options){0});
    struct buf text = filled(3 << 20, true), bomb = filled(HTTP_BODY_FREE + 1, false);
    struct buf most = filled(HTTP_BODY_FREE, false);
    struct buf gz = gzip_of(buf_slice(&text)), wide = zstd_of(buf_slice(&text), 24);
    struct buf narrow = zstd_of(buf_slice(&text), 23);
    struct buf gz_bomb = gzip_of(buf_slice(&bomb)), zs_bomb = zstd_of(buf_slice(&bomb), 17);
    struct buf gz_most = gzip_of(buf_slice(&most));
    const char *gzip = "Content-Encoding: gzip\r\n", *zstd = "Content-Encoding: ZSTD\r\n";
    expect(&s, "POST /large", gzip, buf_slice(&gz), "200 ||-|3145728|");
    expect(&s, "POST /large", "Content-Encoding: x-gzip\r\n", buf_slice(&gz), "200");
    expect(&s, "POST /large", "Content-Encoding: identity\r\n", SLICE("a"), "200 ||-|1|");
    expect(&s, "POST /large", zstd, buf_slice(&narrow), "200 ||-|3145728|");
    expect(&s, "POST /large", gzip, buf_slice(&gz_most), "200 ||-|1048576|");
    expect(&s, "POST /large", gzip, buf_slice(&gz_bomb), "413");
    expect(&s, "POST /large", zstd, buf_slice(&zs_bomb), "413");
    expect(&s, "POST /large", zstd, buf_slice(&gz), "400");
    expect(&s, "POST /large", gzip, SLICE("no"), "400");
    expect(&s, "POST /large", gzip, SLICE(""), "200 ||-|0|");
    expect(&s, "POST /large", gzip, slice_of(gz.at, gz.size - 1), "400");
    expect(&s, "POST /large", gzip, slice_of(gz.at, 3), "400");
    expect(&s, "POST /large", "Content-Encoding: br\r\n", SLICE("x"), "415");
    expect(&s, "POST /large", "Content-Encoding: gzip, gzip\r\n", SLICE("x"), "415");
    gz.at[gz.size / 2] ^= 1;
    expect(&s, "POST /large", gzip, buf_slice(&gz), "400");
    expect(&s, "POST /large", zstd, buf_slice(&wide), "4"); /* a window of 16 MiB */
    struct buf *all[] = {&text, &bomb, &most, &gz, &wide, &narrow, &gz_bomb, &zs_bomb, &gz_most};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        buf_fini(all[i]);
    }
    stop(&s);
}

static void bodies_together_have_a_limit(void **state)
{
    (void)state;
    struct server s;
    start(&s, (struct http_options){.bodies_bytes = 1 << 20});
    struct buf text = filled(2 << 20, true);
    expect(&s, "POST /large", "", buf_slice(&text), "503 {\"error\":{\"code\":\"busy\"");
    expect(&s, "POST /large", "", slice_of(text.at, 1 << 19), "200"); /* all was given back */
    stop(&s);
    buf_fini(&text);
}

static void headers_have_a_limit(void **state)
{
    (void)state;
    struct server s;
    start(&s, (struct http_options){0});
    size_t known = strlen("/open") + strlen("Hosttest") + strlen("X");
    for (size_t n = HTTP_HEADER_BYTES; n <= HTTP_HEADER_BYTES + 1; n++) {
        struct buf headers = {0}, value = filled(n - known, false);
        buf_add(&headers, SLICE("X: "));
        buf_add(&headers, buf_slice(&value));
        buf_add(&headers, slice_of("\r\n", 3));
        expect(&s, "GET /open", headers.at, NOTHING,
                n > HTTP_HEADER_BYTES ? "431 {\"error\"" : "200");
        buf_fini(&headers);
        buf_fini(&value);
    }
    for (int n = HTTP_HEADER_COUNT; n <= HTTP_HEADER_COUNT + 1; n++) {
        struct buf headers = {0};
        for (int i = 1; i < n; i++) {
            buf_format(&headers, "X%d: 1\r\n", i);
        }
        buf_byte(&headers, '\0');
        expect(&s, "GET /open", headers.at, NOTHING, n > HTTP_HEADER_COUNT ? "431" : "200");
        buf_fini(&headers);
    }
    struct web_answer a = {0};
    int fd = web_connect(s.port);
    assert_true(web_send(fd, SLICE("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")));
    assert_true(!web_read(fd, &a) || a.status == 400);
    close(fd);
    web_fini(&a);
    stop(&s);
}

static struct http_request *wait_until_waiting(struct later *later)
{
    pthread_mutex_lock(&later->mutex);
    while (!later->waiting) {
        pthread_cond_wait(&later->changed, &later->mutex);
    }
    struct http_request *r = later->waiting;
    later->waiting = NULL;
    pthread_mutex_unlock(&later->mutex);
    return r;
}

static void an_answer_may_come_later_and_holds_nobody(void **state)
{
    (void)state;
    struct server s;
    struct web_answer a = {0};
    start(&s, (struct http_options){.threads = 1});
    int fd[3];
    struct http_request *r[3];
    for (int i = 0; i < 3; i++) {
        fd[i] = web_connect(s.port);
        assert_true(web_request(fd[i], "GET /later", "", NOTHING));
        r[i] = wait_until_waiting(&s.later);
    }
    expect(&s, "GET /open", "", NOTHING, "200");
    for (int i = 2; i >= 0; i--) {
        buf_format(http_request_out(r[i]), "%d", i);
        http_request_answer(r[i], 201, "text/plain");
        assert_true(web_read(fd[i], &a));
        assert_int_equal(a.status, 201);
        assert_int_equal(web_body(&a).at[0], '0' + i);
    }
    /* Who has gone meanwhile is answered all the same. */
    assert_true(web_request(fd[0], "GET /later", "", NOTHING));
    r[0] = wait_until_waiting(&s.later);
    close(fd[0]);
    http_request_answer(r[0], 200, NULL);
    /* Stopping answers who waits. */
    assert_true(web_request(fd[1], "GET /later", "", NOTHING));
    wait_until_waiting(&s.later);
    stop(&s);
    assert_true(web_read(fd[1], &a));
    assert_int_equal(a.status, 503);
    assert_int_equal(s.later.ended, 5);
    close(fd[1]);
    close(fd[2]);
    web_fini(&a);
}

static void a_stream_gives_what_there_is_until_it_ends(void **state)
{
    (void)state;
    struct server s;
    struct web_answer a = {0};
    start(&s, (struct http_options){.threads = 1});
    int fd = web_connect(s.port);
    stream_left = 2;
    assert_true(web_request(fd, "GET /stream", "", NOTHING));
    struct http_request *r = wait_until_waiting(&s.later);
    assert_true(web_read_head(fd, &a));
    assert_int_equal(a.status, 200);
    expect(&s, "GET /open", "", NOTHING, "200");
    for (int i = 0; i < 20; i++) {
        stream_left = 1;
        http_request_wake(r);
        while (stream_left) {
            expect(&s, "GET /open", "", NOTHING, "200"); /* the same thread serves it */
        }
    }
    stream_left = -1;
    http_request_wake(r);
    size_t size = 0;
    char bytes[4096];
    ssize_t n;
    bool ended = false;
    while (!ended && (n = read(fd, bytes, sizeof bytes)) > 0) {
        size += (size_t)n;
        ended = slice_ends(slice_of(bytes, (size_t)n), SLICE("0\r\n\r\n"));
    }
    assert_true(ended && size > 20 * strlen("data: 0\n\n"));
    close(fd);
    stream_left = 0; /* a stream without an end is ended by stopping */
    fd = web_connect(s.port);
    assert_true(web_request(fd, "GET /stream", "", NOTHING));
    wait_until_waiting(&s.later);
    assert_true(web_read_head(fd, &a));
    stop(&s);
    assert_true(web_closed(fd));
    close(fd);
    web_fini(&a);
}

static void slow_senders_lose_their_place_and_hold_nobody(void **state)
{
    (void)state;
    enum { SLOW = 1000 };
    static int fd[SLOW];
    struct server s;
    struct web_answer a = {0};
    start(&s, (struct http_options){.per_address = SLOW + 10});
    for (int i = 0; i < SLOW; i++) {
        fd[i] = web_connect(s.port);
        assert_true(web_send(fd[i],
                i % 2 ? SLICE("GET /open HTTP/1.1\r\nX: ")
                      : SLICE("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1")));
    }
    while (http_figures(s.http).requests < SLOW / 2) {
        expect(&s, "GET /open", "", NOTHING, "200");
    }
    int early = web_connect(s.port);
    assert_true(web_request(early, "GET /open", "", NOTHING) && web_read(early, &a));
    steady += (int64_t)HTTP_HEADER_MS * 1000000;
    http_sweep(s.http);
    assert_int_equal(http_figures(s.http).slow, 0);
    steady += 1;
    http_sweep(s.http);
    uint64_t headers = http_figures(s.http).slow;
    assert_true(headers >= SLOW / 2 && headers < SLOW);
    for (int i = 1; i < SLOW; i += 2) {
        assert_true(web_closed(fd[i]));
    }
    expect(&s, "GET /open", "", NOTHING, "200");
    steady = (int64_t)HTTP_BODY_MS * 1000000;
    http_sweep(s.http);
    assert_int_equal(web_send(fd[0], SLICE("2345678")), true);
    steady += (int64_t)2000 * 1000000;
    http_sweep(s.http);
    for (int i = 0; i < SLOW; i += 2) {
        assert_true(web_closed(fd[i]));
    }
    /* One between two requests has more time. */
    assert_true(web_request(early, "GET /open", "", NOTHING) && web_read(early, &a));
    for (int i = 0; i < SLOW; i++) {
        close(fd[i]);
    }
    close(early);
    web_fini(&a);
    stop(&s);
}

static void one_address_cannot_take_all_places(void **state)
{
    (void)state;
    struct server s;
    struct web_answer a = {0};
    int fd[6];
    start(&s, (struct http_options){.per_address = 5, .threads = 1});
    for (int i = 0; i < 6; i++) {
        fd[i] = web_connect(s.port);
        if (i < 5) {
            assert_true(web_request(fd[i], "GET /open", "", NOTHING) && web_read(fd[i], &a));
        }
    }
    assert_true(!web_request(fd[5], "GET /open", "", NOTHING) || !web_read(fd[5], &a));
    int other = web_connect_from(s.port, "127.0.0.2");
    assert_true(web_request(other, "GET /open", "", NOTHING) && web_read(other, &a));
    assert_int_equal(a.status, 200);
    for (int i = 0; i < 6; i++) {
        close(fd[i]);
    }
    close(other);
    web_fini(&a);
    stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(paths_and_queries_reach_the_handler),
            cmocka_unit_test(who_asks_is_told_by_the_token),
            cmocka_unit_test(who_has_no_token_may_be_let_in),
            cmocka_unit_test(bodies_have_a_limit),
            cmocka_unit_test(packed_bodies_are_what_they_say),
            cmocka_unit_test(bodies_together_have_a_limit),
            cmocka_unit_test(headers_have_a_limit),
            cmocka_unit_test(an_answer_may_come_later_and_holds_nobody),
            cmocka_unit_test(a_stream_gives_what_there_is_until_it_ends),
            cmocka_unit_test(slow_senders_lose_their_place_and_hold_nobody),
            cmocka_unit_test(one_address_cannot_take_all_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
