/* status_ask: one question to a centre's API, by plain HTTP.
 *
 *     TRY(status_ask("http://127.0.0.1:8080", "/api/v1/status", token, &body, diag));
 *
 * HTTPS is not spoken here: the address is refused. ERR_USAGE: it is no such address; ERR_IO:
 * nobody answers, not to the end, or with 503: later; ERR_UNSUPPORTED: the answer is another one
 * than 200, which diag has. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"

enum { STATUS_ASK_BYTES = 64 << 20, STATUS_ASK_WAIT_S = 10 };

/* Replaces the content of *body. */
enum err status_ask(const char *url, const char *path, const char *token, struct buf *body,
        struct diag *diag) MUST_CHECK;
