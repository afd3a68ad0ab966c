/* unpack: gzip and zstd streams, a piece at a time, with a guard against bombs.
 *
 *     const struct unpack_format *format = unpack_recognise(head);    // NULL: not compressed
 *     TRY(unpack_new(format, &u, diag));
 *     while ((e = unpack_run(u, &in, last, &to, diag)) == OK)
 *         use to.at[0 .. to.used), offer more `in` where it is empty
 *     // ERR_END: a clean end; anything else: damaged, cut short or a bomb, named in diag
 *
 * Several members (RFC 1952, section 2.2) or frames (RFC 8878, section 3.1) one after another are
 * one stream. What was unpacked before an error is good and stays the caller's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

/* A zstd frame may ask for this much memory (2^27 = 128 MiB, as `zstd --long=27` writes). */
enum { UNPACK_WINDOW_LOG = 27 };
/* Past UNPACK_FREE_BYTES of output a stream may be at most UNPACK_RATIO times its compressed
 * bytes. Windows events pack 10 to 60 times; a gzip bomb reaches 1,030, a zstd bomb 30,000. */
enum { UNPACK_RATIO = 400 };
#define UNPACK_FREE_BYTES ((uint64_t)256 << 20)
/* Bytes that unpack_recognise looks at. */
enum { UNPACK_HEAD = 4 };

struct unpack_format;
struct unpack;

/* Where unpacked bytes go. */
struct unpack_room {
    char *at;
    size_t size;
    size_t used;
};

const struct unpack_format *unpack_recognise(struct slice head);
const char *unpack_name(const struct unpack_format *format);
/* Owner of *out: the caller, by unpack_free. */
enum err unpack_new(
        const struct unpack_format *format, struct unpack **out, struct diag *diag) MUST_CHECK;
void unpack_free(struct unpack *u);
/* Before the first byte: a zstd frame may ask for 2^log bytes alone. */
void unpack_narrow(struct unpack *u, int log);
/* Consumes from *in, writes behind to->used. OK: `in` is empty or `to` is full. `last`: nothing
 * comes after `in`. */
enum err unpack_run(struct unpack *u, struct slice *in, bool last, struct unpack_room *to,
        struct diag *diag) MUST_CHECK;
