/* base64: RFC 4648, sections 4 (+ and /) and 5 (- and _).
 *
 *     base64_add(&out, bytes);                  // section 4, with padding
 *     base64_add_url(&out, bytes);              // section 5, without
 *     TRY(base64_read(text, &out, diag));       // both, with padding or without */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

void base64_add(struct buf *out, struct slice bytes);
void base64_add_url(struct buf *out, struct slice bytes);
/* Appends the bytes. ERR_SYNTAX: a byte of neither alphabet, a length that cannot be, bits behind
 * the end that are not zero; nothing is appended then. ERR_MEMORY. */
enum err base64_read(struct slice text, struct buf *out) MUST_CHECK;
