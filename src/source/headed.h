/* headed: a stream whose records need lines before them (CSV, Zeek, W3C), taken apart record by
 * record, with the lines in force.
 *
 *     headed_begin(&headed, decoder);
 *     while (headed_next(&headed, bytes, &piece))   // from the front; false: more bytes are wanted
 *         piece.record                              // empty: a line that names columns, or a blank
 *         buf_slice(&headed.cutter.header)          // in force behind it; piece.changed: it is new
 *     headed_catch_up(&headed, fd, at)              // as though all before `at` had gone by
 *     headed_fini(&headed);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/decoder.h"

struct headed {
    const struct decoder *decoder; /* NULL: none, nothing else is in use */
    struct cutter cutter;
    struct buf seen; /* the header as it was told last */
};

struct headed_piece {
    size_t size; /* bytes that it takes */
    struct slice record;
    bool changed;
};

void headed_begin(struct headed *headed, const struct decoder *decoder);
void headed_fini(struct headed *headed);
bool headed_next(struct headed *headed, struct slice bytes, struct headed_piece *piece);
/* false: the file is shorter, or memory is short. */
bool headed_catch_up(struct headed *headed, int fd, uint64_t at);
/* Copies all, the header's bytes too. false: no memory. */
bool headed_copy(struct headed *to, const struct headed *from);
