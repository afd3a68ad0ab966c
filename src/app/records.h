/* records: a frame of a log in the pieces that decoders read.
 *
 *     struct records records;
 *     if (records_begin(&records, &frame, &block, false))
 *         while (records_next(&records, &piece))
 *             records.decoder->begin(reader, piece.bytes, frame.attribute[FRAME_HEADER]) ...
 *
 * The first record of a piece has the offset piece.first, and each after it the next one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/decoder.h"
#include "event/frame.h"

struct records {
    const struct decoder *decoder; /* NULL: none knows them */
    /* Private. */
    const struct frame *frame;
    const char *block;
    struct frame_walk walk;
    bool whole, more;
};

struct records_piece {
    struct slice bytes; /* readable ones stand behind them, as decoders ask for */
    uint64_t first;
    uint32_t count;
};

/* The frame's records are copied to `block`. `single`: no piece is larger than it must be. false:
 * no memory. */
bool records_begin(
        struct records *records, const struct frame *frame, struct buf *block, bool single);
/* false: no more. */
bool records_next(struct records *records, struct records_piece *piece);
