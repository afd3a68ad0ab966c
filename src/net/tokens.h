/* tokens: who may speak to us: bearer tokens of 256 random bits, kept as their SHA-256.
 *
 *     TRY(tokens_read("DATA/tokens.jsonl", &tokens, diag));     // no such file: an empty table
 *     struct tokens_wish wish = {.name = SLICE("edge 7"), .tenant = SLICE("sg/health"),
 *             .role = AUTHORIZE_INGESTER};
 *     TRY(tokens_add(tokens, &wish, now, text, diag));          // text is shown once, never kept
 *     TRY(tokens_write(tokens, "DATA/tokens.jsonl", diag));
 *
 *     tokens_find(tokens, text, now, &actor)                    // TOKENS_VALID
 *
 * A file is JSON lines, one a token; it is written aside, synced and renamed. A table that is used
 * to answer is not changed: read it anew and exchange it (http_use_tokens). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "net/authorize.h"

enum {
    TOKENS_LIMIT = 10000,
    TOKENS_FILE = 8 << 20,
    TOKENS_TEXT = 51, /* "merlon_", 43 digits of base64url, NUL */
};

enum tokens_verdict { TOKENS_VALID, TOKENS_UNKNOWN, TOKENS_EXPIRED, TOKENS_REVOKED };

/* One token without its secret. */
struct tokens_row {
    struct authorize_actor actor;
    unsigned char sum[32];
    int64_t created_ns;
    int64_t expires_ns; /* 0: never */
    int64_t revoked_ns; /* 0: not */
};

struct tokens_wish {
    struct slice name;
    struct slice tenant;
    struct slice input; /* empty: any */
    enum authorize_role role;
    int64_t expires_ns; /* 0: never */
};

struct tokens;

enum err tokens_new(struct tokens **out) MUST_CHECK;
void tokens_free(struct tokens *tokens);
enum err tokens_read(const char *path, struct tokens **out, struct diag *diag) MUST_CHECK;
/* From the file's text. ERR_SYNTAX with the line. */
enum err tokens_parse(struct slice text, struct tokens **out, struct diag *diag) MUST_CHECK;
enum err tokens_write(const struct tokens *tokens, const char *path, struct diag *diag) MUST_CHECK;
/* Makes one. ERR_USAGE: a name, tenant or role that cannot be; ERR_LIMIT: TOKENS_LIMIT. */
enum err tokens_add(struct tokens *tokens, const struct tokens_wish *wish, int64_t now_ns,
        char text[TOKENS_TEXT], struct diag *diag) MUST_CHECK;
/* ERR_NOT_FOUND: there is none of that id. One that was revoked before stays so since then. */
enum err tokens_revoke(struct tokens *tokens, struct slice id, int64_t now_ns) MUST_CHECK;
/* Looks at every row, however early the right one stands. *actor is set when TOKENS_VALID. */
enum tokens_verdict tokens_find(const struct tokens *tokens, struct slice text, int64_t now_ns,
        struct authorize_actor *actor) MUST_CHECK;
size_t tokens_size(const struct tokens *tokens);
const struct tokens_row *tokens_at(const struct tokens *tokens, size_t i);
