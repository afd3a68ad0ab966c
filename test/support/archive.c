#include "support/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/files.h"
#include "base/memory.h"

#define UNPACKED_LIMIT ((size_t)2 << 30)
enum { WINDOW_LOG = 27, BLOCK = 512, PIECE = 1 << 20 };

static enum err unpack(struct slice packed, struct buf *out, struct diag *diag)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (!context) {
        return ERR_MEMORY;
    }
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG);
    ZSTD_inBuffer in = {packed.at, packed.size, 0};
    size_t left = 1;
    enum err e = OK;
    while (e == OK && (in.pos < in.size || left != 0)) {
        char *to = out->size < UNPACKED_LIMIT ? buf_reserve(out, PIECE) : NULL;
        if (!to) {
            e = diag_say(diag, ERR_LIMIT, "no memory for what it unpacks to");
            break;
        }
        ZSTD_outBuffer piece = {to, PIECE, 0};
        left = ZSTD_decompressStream(context, &piece, &in);
        out->size += piece.pos;
        if (ZSTD_isError(left)) {
            e = diag_say(diag, ERR_SYNTAX, "%s", ZSTD_getErrorName(left));
        } else if (in.pos == in.size && piece.pos < piece.size && left != 0) {
            e = diag_say(diag, ERR_SYNTAX, "it ends within a frame");
        }
    }
    ZSTD_freeDCtx(context);
    return e;
}

enum err archive_read(const char *path, struct buf *out, struct diag *diag)
{
    buf_clear(out);
    if (!slice_ends(slice_text(path), SLICE(".zst"))) {
        return files_read(path, UNPACKED_LIMIT, out, diag);
    }
    struct buf packed = {0};
    enum err e = files_read(path, UNPACKED_LIMIT, &packed, diag);
    if (e == OK) {
        e = unpack(buf_slice(&packed), out, diag);
    }
    buf_fini(&packed);
    return e;
}

static size_t octal(const char *at, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < size && at[i]; i++) {
        if (at[i] >= '0' && at[i] <= '7') {
            n = n * 8 + (size_t)(at[i] - '0');
        }
    }
    return n;
}

static struct slice until_nul(const char *at, size_t size)
{
    return slice_of(at, slice_find_byte(slice_of(at, size), '\0'));
}

/* "path" of a pax header: lines "LENGTH path=NAME\n". */
static struct slice pax_path(struct slice content)
{
    while (content.size) {
        struct slice line = slice_cut(&content, '\n');
        size_t at = slice_find(line, SLICE(" path="));
        if (at != SIZE_MAX) {
            return slice_of(line.at + at + 6, line.size - at - 6);
        }
    }
    return (struct slice){0};
}

bool archive_next(struct archive *tar, struct slice *name, struct slice *content)
{
    while (tar->rest.size >= BLOCK && tar->rest.at[0]) {
        const char *header = tar->rest.at;
        size_t size = octal(header + 124, 12);
        size_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
        if (padded > tar->rest.size - BLOCK) {
            return false;
        }
        struct slice body = slice_of(header + BLOCK, size);
        tar->rest = slice_of(header + BLOCK + padded, tar->rest.size - BLOCK - padded);
        char type = header[156];
        if (type == 'L') {
            tar->long_name = until_nul(body.at, body.size);
            continue;
        }
        if (type == 'x') {
            tar->long_name = pax_path(body);
            continue;
        }
        *name = tar->long_name.at ? tar->long_name : until_nul(header, 100);
        tar->long_name = (struct slice){0};
        if (type != '0' && type != '\0') {
            continue;
        }
        if (slice_starts(*name, SLICE("./"))) {
            *name = slice_of(name->at + 2, name->size - 2);
        }
        *content = body;
        return true;
    }
    return false;
}

struct slice archive_find(struct slice tar, struct slice name)
{
    struct archive all = {.rest = tar};
    struct slice found, content;
    while (archive_next(&all, &found, &content)) {
        if (slice_equal(found, name)) {
            return content;
        }
    }
    return (struct slice){0};
}

const char *archive_shared(const char *path)
{
    static char text[4096];
    const char *root = getenv("MERLON_SHARED");
    snprintf(text, sizeof text, "%s/%s", root ? root : "../shared", path);
    return text;
}
