#include "base/unpack.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/memory.h"

struct unpack_format {
    const char *name;
    bool (*recognise)(struct slice head);
    enum err (*open)(struct unpack *u, struct diag *diag);
    void (*close)(struct unpack *u);
    /* One step: consumes and produces what it can. */
    enum err (*step)(struct unpack *u, struct slice *in, struct unpack_room *to, struct diag *diag);
};

struct unpack {
    const struct unpack_format *format;
    uint64_t taken;
    uint64_t given;
    bool between; /* at the end of a member or frame: the stream may stop here */
    bool begun;   /* a first member or frame was seen whole */
    bool padding; /* gzip: zero bytes after the last member; nothing else may follow */
    z_stream gzip;
    ZSTD_DStream *zstd;
};

/* ---- gzip (RFC 1952) ------------------------------------------------------------------------ */

static bool gzip_recognise(struct slice head)
{
    return head.size >= 3 && memcmp(head.at, "\x1F\x8B\x08", 3) == 0;
}

static enum err gzip_open(struct unpack *u, struct diag *diag)
{
    /* 16: a gzip header and trailer, its checksum verified. */
    if (inflateInit2(&u->gzip, 16 + MAX_WBITS) != Z_OK) {
        return diag_say(diag, ERR_MEMORY, "no memory to unpack gzip");
    }
    return OK;
}

static void gzip_close(struct unpack *u)
{
    inflateEnd(&u->gzip);
}

/* Between members: a further member, or zero bytes to the end (tapes and blocks pad with them). */
static enum err gzip_between(struct unpack *u, struct slice *in, struct diag *diag)
{
    while (in->size > 0 && in->at[0] == 0) {
        u->padding = true;
        *in = slice_of(in->at + 1, in->size - 1);
    }
    if (in->size == 0) {
        return OK;
    }
    if (u->padding || (unsigned char)in->at[0] != 0x1F) {
        return diag_say(diag, ERR_SYNTAX, "gzip: bytes after the last member");
    }
    if (inflateReset(&u->gzip) != Z_OK) {
        return diag_say(diag, ERR_SYNTAX, "gzip: the decoder's state is broken");
    }
    u->between = false;
    return OK;
}

static enum err gzip_step(
        struct unpack *u, struct slice *in, struct unpack_room *to, struct diag *diag)
{
    if (u->between) {
        TRY(gzip_between(u, in, diag));
        if (u->between) {
            return OK;
        }
    }
    size_t most = (size_t)1 << 30; /* zlib counts in unsigned int */
    size_t offered = in->size < most ? in->size : most;
    size_t room = to->size - to->used < most ? to->size - to->used : most;
    u->gzip.next_in = (Bytef *)(uintptr_t)in->at;
    u->gzip.avail_in = (uInt)offered;
    u->gzip.next_out = (Bytef *)(to->at + to->used);
    u->gzip.avail_out = (uInt)room;
    int result = inflate(&u->gzip, Z_NO_FLUSH);
    size_t taken = offered - u->gzip.avail_in;
    *in = slice_of(in->at + taken, in->size - taken);
    to->used += room - u->gzip.avail_out;
    if (result == Z_STREAM_END) {
        u->between = true;
        u->begun = true;
    } else if (result == Z_MEM_ERROR) {
        return diag_say(diag, ERR_MEMORY, "no memory to unpack gzip");
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return diag_say(diag, ERR_SYNTAX, "gzip: damaged: %s",
                u->gzip.msg ? u->gzip.msg : "not what the format asks for");
    }
    return OK;
}

/* ---- zstd (RFC 8878) ------------------------------------------------------------------------ */

static bool zstd_recognise(struct slice head)
{
    if (head.size < 4) {
        return false;
    }
    const unsigned char *h = (const unsigned char *)head.at;
    bool frame = h[0] == 0x28 && h[1] == 0xB5 && h[2] == 0x2F && h[3] == 0xFD;
    /* Section 3.1.2: skippable frames begin with 0x184D2A50 to 0x184D2A5F. */
    bool skippable = (h[0] & 0xF0) == 0x50 && h[1] == 0x2A && h[2] == 0x4D && h[3] == 0x18;
    return frame || skippable;
}

static enum err zstd_open(struct unpack *u, struct diag *diag)
{
    u->zstd = ZSTD_createDStream();
    if (!u->zstd ||
            ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, UNPACK_WINDOW_LOG))) {
        ZSTD_freeDStream(u->zstd);
        return diag_say(diag, ERR_MEMORY, "no memory to unpack zstd");
    }
    return OK;
}

static void zstd_close(struct unpack *u)
{
    ZSTD_freeDStream(u->zstd);
}

static enum err zstd_step(
        struct unpack *u, struct slice *in, struct unpack_room *to, struct diag *diag)
{
    ZSTD_inBuffer from = {in->at, in->size, 0};
    ZSTD_outBuffer out = {to->at, to->size, to->used};
    size_t result = ZSTD_decompressStream(u->zstd, &out, &from);
    bool moved = from.pos > 0 || out.pos > to->used;
    *in = slice_of(in->at + from.pos, in->size - from.pos);
    to->used = out.pos;
    if (ZSTD_isError(result)) {
        if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
            return diag_say(diag, ERR_LIMIT, "zstd: the frame asks for a window over %u MiB",
                    1u << (UNPACK_WINDOW_LOG - 20));
        }
        return diag_say(diag, ERR_SYNTAX, "zstd: damaged: %s", ZSTD_getErrorName(result));
    }
    if (moved) { /* asked with nothing to do, it asks for the next frame's header */
        u->between = result == 0;
        u->begun |= u->between;
    }
    return OK;
}

/* ---- both ----------------------------------------------------------------------------------- */

static const struct unpack_format formats[] = {
        {"gzip", gzip_recognise, gzip_open, gzip_close, gzip_step},
        {"zstd", zstd_recognise, zstd_open, zstd_close, zstd_step},
};

const struct unpack_format *unpack_recognise(struct slice head)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (formats[i].recognise(head)) {
            return &formats[i];
        }
    }
    return NULL;
}

const char *unpack_name(const struct unpack_format *format)
{
    return format->name;
}

enum err unpack_new(const struct unpack_format *format, struct unpack **out, struct diag *diag)
{
    struct unpack *u = memory_alloc(sizeof *u);
    if (!u) {
        return diag_say(diag, ERR_MEMORY, "no memory to unpack %s", format->name);
    }
    u->format = format;
    enum err e = format->open(u, diag);
    if (e != OK) {
        memory_free(u);
        return e;
    }
    *out = u;
    return OK;
}

void unpack_narrow(struct unpack *u, int log)
{
    if (u->zstd) {
        (void)ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, log);
    }
}

void unpack_free(struct unpack *u)
{
    if (u) {
        u->format->close(u);
        memory_free(u);
    }
}

static enum err guard(const struct unpack *u, struct diag *diag)
{
    if (u->given <= UNPACK_FREE_BYTES || u->given / UNPACK_RATIO <= u->taken) {
        return OK;
    }
    return diag_say(diag, ERR_LIMIT,
            "%s: refused as a bomb: over %u times its size (unpack it and pipe it in if it is "
            "meant)",
            u->format->name, UNPACK_RATIO);
}

enum err unpack_run(
        struct unpack *u, struct slice *in, bool last, struct unpack_room *to, struct diag *diag)
{
    for (;;) {
        size_t left = in->size;
        size_t used = to->used;
        enum err e = u->format->step(u, in, to, diag);
        u->taken += left - in->size;
        u->given += to->used - used;
        if (e != OK) {
            return e;
        }
        TRY(guard(u, diag));
        if (to->used == to->size) {
            return OK;
        }
        /* Room is left, so the decoder holds nothing back once it stops moving. */
        bool idle = left == in->size && used == to->used;
        if (in->size == 0 && idle) {
            break;
        }
        if (idle) {
            return diag_say(diag, ERR_SYNTAX, "%s: damaged: no progress", u->format->name);
        }
    }
    if (!last) {
        return OK;
    }
    if (!u->between || !u->begun) {
        return diag_say(diag, ERR_SYNTAX, "%s: cut short", u->format->name);
    }
    return ERR_END;
}
