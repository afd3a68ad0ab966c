#include "app/records.h"

#include <string.h>

#include "cli/formats.h"

enum {
    BEHIND = 64,          /* readable bytes behind a block, as decoders ask for */
    RECOGNISED_BY = 4096, /* bytes of a frame */
};

static const struct decoder *decoder_of(const struct frame *frame)
{
    char name[32] = {0};
    struct slice format = frame->attribute[FRAME_FORMAT], head = frame->lines;
    if (format.size > 0 && format.size < sizeof name) {
        memcpy(name, format.at, format.size);
        return formats_find(name);
    }
    head.size = head.size < RECOGNISED_BY ? head.size : RECOGNISED_BY;
    return formats_recognise(head, head.size == frame->lines.size);
}

bool records_begin(
        struct records *records, const struct frame *frame, struct buf *block, bool single)
{
    *records = (struct records){.frame = frame, .decoder = decoder_of(frame)};
    bool chunked = records->decoder && records->decoder->chunked;
    buf_clear(block);
    buf_add(block, frame->lines);
    if (!buf_reserve(block, BEHIND)) {
        return false;
    }
    records->block = block->at;
    records->whole = !chunked && !single && (frame->flags & FRAME_LINES);
    records->more = records->whole || frame_next(frame, &records->walk);
    return true;
}

/* Records that stand for several events: the empty ones behind each are theirs, too. */
static void take_chunk(struct records *records, struct records_piece *piece)
{
    struct slice chunk = records->walk.record;
    piece->bytes = slice_of(records->block + (chunk.at - records->frame->lines.at), chunk.size);
    piece->count = 0;
    do {
        records->more = frame_next(records->frame, &records->walk);
        piece->count++;
    } while (records->more && records->walk.record.size == 0);
}

bool records_next(struct records *records, struct records_piece *piece)
{
    const struct frame *frame = records->frame;
    if (!records->more) {
        return false;
    }
    if (records->whole) {
        *piece = (struct records_piece){
                slice_of(records->block, frame->lines.size), frame->offset, frame->count};
        records->more = false;
        return true;
    }
    piece->first = frame->offset + records->walk.index;
    if (records->decoder && records->decoder->chunked) {
        take_chunk(records, piece);
        return true;
    }
    struct slice record = records->walk.record;
    piece->bytes = slice_of(records->block + (record.at - frame->lines.at), record.size + 1);
    piece->count = 1;
    records->more = frame_next(frame, &records->walk);
    return true;
}
