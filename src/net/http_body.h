/* http_body: a request's body as it arrives, unpacked on the way where it is gzip or zstd.
 *
 *     TRY(http_body_begin(&body, SLICE("gzip"), 64 << 20, diag));
 *     TRY(http_body_add(&body, piece, diag));       // any number of times
 *     TRY(http_body_end(&body, diag));
 *     use buf_slice(&body.text)
 *     http_body_fini(&body);
 *
 * Memory follows what has arrived, never what was announced. ERR_LIMIT: longer than may be, or a
 * bomb; ERR_SYNTAX: damaged; ERR_UNSUPPORTED: another encoding; ERR_MEMORY. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/unpack.h"

enum {
    /* Past HTTP_BODY_FREE bytes a body may be HTTP_BODY_RATIO times what was unpacked of it so far:
     * a bomb costs the others who are served by its thread a few milliseconds. */
    HTTP_BODY_FREE = 1 << 20,
    HTTP_BODY_RATIO = 200,
    HTTP_BODY_WINDOW_LOG = 23, /* RFC 9659 section 3: zstd frames of 8 MB windows */
};

struct http_body {
    struct buf text; /* what has been unpacked */
    size_t limit;
    size_t packed; /* bytes that arrived */
    size_t taken;  /* of them, that were unpacked */
    struct slice encoding;
    struct unpack *unpack;
    char head[UNPACK_HEAD]; /* until there are enough to tell by */
    size_t head_size;
    bool ended;
};

/* `encoding`: as in Content-Encoding; empty: none. */
enum err http_body_begin(
        struct http_body *body, struct slice encoding, size_t limit, struct diag *diag) MUST_CHECK;
enum err http_body_add(struct http_body *body, struct slice piece, struct diag *diag) MUST_CHECK;
enum err http_body_end(struct http_body *body, struct diag *diag) MUST_CHECK;
/* After an error, what there is: what was unpacked, or, where nothing was, bytes as they came;
 * `last` are those of the last http_body_add. */
struct slice http_body_there(const struct http_body *body, struct slice last);
void http_body_fini(struct http_body *body);
