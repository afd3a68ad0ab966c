/* stream: one input's bytes in order, unpacked where it is gzip or zstd. Read with read(), never
 * mapped: a file that shrinks meanwhile ends early instead of killing the process.
 *
 *     TRY(stream_open(&input, &stop, &s, diag));
 *     while ((e = stream_read(s, &room, diag)) == OK) ...      // fills the room, or reaches the
 * end stream_close(s);
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/unpack.h"
#include "source/inputs.h"

enum { STREAM_BLOCK = 256 << 10 };

struct stream;

/* `stop`: looked at while waiting for a pipe; once true, the stream ends. Borrowed, may be NULL. */
enum err stream_open(const struct input *input, const atomic_bool *stop, struct stream **out,
        struct diag *diag) MUST_CHECK;
void stream_close(struct stream *s);
/* Adds bytes to room->at + room->used until the room is full (OK), or the input ends (ERR_END), or
 * fails (the bytes read before it are in the room). */
enum err stream_read(struct stream *s, struct unpack_room *room, struct diag *diag) MUST_CHECK;
/* Bytes of the file consumed so far, before unpacking: for progress. */
uint64_t stream_consumed(const struct stream *s);
