/* store_text: the bytes of a pack's file (packs/store.h), written and read.
 *
 *     store_text_write(&pack, &content, &out);
 *     TRY(store_text_read(bytes, name, &pack, &content, diag)); */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "packs/content.h"
#include "packs/store.h"

/* Requires content_finish. */
void store_text_write(
        const struct store_pack *pack, const struct content *content, struct buf *out);
/* Verifies: the name is the file's, each file's bytes have the hash that stands there, and all of
 * them the digest. ERR_SYNTAX: they do not. */
enum err store_text_read(struct slice bytes, struct slice name, struct store_pack *pack,
        struct content *content, struct diag *diag) MUST_CHECK;
