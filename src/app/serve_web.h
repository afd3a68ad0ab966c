/* serve_web: what the processes that speak HTTP share: PEM files, and the tokens in force.
 *
 *     TRY(serve_web_pem(input->key, &key, diag));              // before the seal
 *     struct tokens *tokens = serve_web_tokens(&held, shared); // NULL: those before stay
 *     if (tokens) {
 *         http_use_tokens(http, tokens);
 *     } */
#pragma once

#include "app/serve_shared.h"
#include "base/buf.h"
#include "base/diag.h"
#include "net/tokens.h"

/* The text of the tokens that are in force. Starts as zeros. */
struct serve_web_held {
    struct buf text;
    uint64_t generation;
};

/* A file's text, ended by a NUL; no path: nothing. The caller frees it. ERR_LIMIT: over 1 MiB. */
enum err serve_web_pem(struct slice path, struct buf *out, struct diag *diag) MUST_CHECK;
/* True: the text has changed since, and is in `held`. */
bool serve_web_changed(struct serve_web_held *held, const struct serve_shared *shared);
/* Of the text that is held; the caller owns them. NULL: they cannot be read, which is said. */
struct tokens *serve_web_parse(const struct serve_web_held *held);
/* Both: NULL where nothing has changed, too. */
struct tokens *serve_web_tokens(struct serve_web_held *held, const struct serve_shared *shared);
