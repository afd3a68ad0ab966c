#include "net/http_body.h"

enum { STEP = 64 << 10 };

enum err http_body_begin(
        struct http_body *body, struct slice encoding, size_t limit, struct diag *diag)
{
    static const char *const known[] = {"gzip", "zstd"};
    struct slice name = {0};
    encoding = slice_trim(encoding);
    if (slice_equal_nocase(encoding, SLICE("x-gzip"))) { /* RFC 9110 section 8.4.1.3 */
        encoding = SLICE("gzip");
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (slice_equal_nocase(encoding, slice_text(known[i]))) {
            name = slice_text(known[i]);
        }
    }
    if (encoding.size && !name.size && !slice_equal_nocase(encoding, SLICE("identity"))) {
        return diag_say(diag, ERR_UNSUPPORTED, "a body may be gzip or zstd, not '%.*s'",
                SLICE_ARG(encoding));
    }
    *body = (struct http_body){.limit = limit, .encoding = name};
    return OK;
}

struct slice http_body_there(const struct http_body *body, struct slice last)
{
    if (body->text.size > 0) {
        return buf_slice(&body->text);
    }
    return last.size >= body->head_size ? last : slice_of(body->head, body->head_size);
}

void http_body_fini(struct http_body *body)
{
    unpack_free(body->unpack);
    body->unpack = NULL;
    buf_fini(&body->text);
}

static enum err too_long(const struct http_body *body, struct diag *diag)
{
    return diag_say(diag, ERR_LIMIT, "a body may have %zu bytes%s", body->limit,
            body->encoding.size ? " when unpacked" : "");
}

static enum err add_plain(struct http_body *body, struct slice piece, struct diag *diag)
{
    if (piece.size > body->limit - body->text.size) {
        return too_long(body, diag);
    }
    buf_add(&body->text, piece);
    return body->text.failed ? diag_say(diag, ERR_MEMORY, "no memory for a body") : OK;
}

/* After a step that gave something. */
static enum err check_size(const struct http_body *body, struct diag *diag)
{
    if (body->text.size > body->limit) {
        return too_long(body, diag);
    }
    if (body->text.size > HTTP_BODY_FREE && body->text.size / HTTP_BODY_RATIO > body->taken) {
        return diag_say(
                diag, ERR_LIMIT, "a body unpacks to over %d times its size", HTTP_BODY_RATIO);
    }
    return OK;
}

static enum err unpack_some(struct http_body *body, struct slice in, bool last, struct diag *diag)
{
    for (;;) {
        /* One byte over the limit is enough to see that it is passed. */
        size_t left = body->limit - body->text.size + 1;
        struct unpack_room to = {.size = left < STEP ? left : STEP};
        to.at = buf_reserve(&body->text, to.size);
        if (!to.at) {
            return diag_say(diag, ERR_MEMORY, "no memory for a body");
        }
        size_t before = in.size;
        enum err e = unpack_run(body->unpack, &in, last, &to, diag);
        body->taken += before - in.size;
        body->text.size += to.used;
        if (to.used) {
            TRY(check_size(body, diag));
        }
        if (e == ERR_END) {
            body->ended = true;
            return OK;
        }
        TRY(e);
        if (in.size == 0 && to.used < to.size) {
            return OK;
        }
    }
}

/* The head tells whether the bytes are what the header says. */
static enum err open_unpack(struct http_body *body, struct diag *diag)
{
    struct slice head = slice_of(body->head, body->head_size);
    const struct unpack_format *format = unpack_recognise(head);
    if (!format || !slice_equal(slice_text(unpack_name(format)), body->encoding)) {
        return diag_say(diag, ERR_SYNTAX, "the body is not %.*s", SLICE_ARG(body->encoding));
    }
    TRY(unpack_new(format, &body->unpack, diag));
    unpack_narrow(body->unpack, HTTP_BODY_WINDOW_LOG);
    return unpack_some(body, head, false, diag);
}

enum err http_body_add(struct http_body *body, struct slice piece, struct diag *diag)
{
    body->packed += piece.size;
    if (!body->encoding.size) {
        return add_plain(body, piece, diag);
    }
    while (piece.size > 0 && body->head_size < UNPACK_HEAD) {
        body->head[body->head_size++] = piece.at[0];
        piece = slice_from(piece, 1);
        if (body->head_size == UNPACK_HEAD) {
            TRY(open_unpack(body, diag));
        }
    }
    return piece.size ? unpack_some(body, piece, false, diag) : OK;
}

enum err http_body_end(struct http_body *body, struct diag *diag)
{
    if (!body->encoding.size || body->packed == 0) {
        return OK;
    }
    if (!body->unpack) {
        return diag_say(diag, ERR_SYNTAX, "the body is not %.*s", SLICE_ARG(body->encoding));
    }
    TRY(unpack_some(body, SLICE(""), true, diag));
    return body->ended ? OK : diag_say(diag, ERR_SYNTAX, "the body is cut short");
}
