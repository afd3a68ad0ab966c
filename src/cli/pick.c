#include "cli/pick.h"

#include <string.h>

#include "base/memory.h"
#include "cli/formats.h"
#include "source/stream.h"

enum { SLACK = 64 << 10, READABLE_BEHIND = 64 };

void pick_init(struct pick *pick, const struct paths *paths, const struct decoder *decoder)
{
    *pick = (struct pick){.paths = paths, .decoder = decoder, .cutter.limits = DECODE_LIMITS};
}

void pick_fini(struct pick *pick)
{
    if (pick->reader) {
        pick->decoder->reader_free(pick->reader);
    }
    stream_close(pick->stream);
    memory_free(pick->bytes);
    buf_fini(&pick->cutter.header);
    buf_fini(&pick->header);
}

/* Until `want` bytes are there or the stream ends. A damaged stream ends as well: what came before
 * the damage may hold the record. */
static enum err fill(struct pick *pick, size_t want, struct diag *diag)
{
    if (pick->ended || pick->size >= want) {
        return OK;
    }
    if (want + READABLE_BEHIND > pick->room) {
        char *bytes = memory_resize(pick->bytes, want + READABLE_BEHIND);
        if (!bytes) {
            return diag_say(diag, ERR_MEMORY, "no memory for a block of %zu bytes", want);
        }
        pick->bytes = bytes;
        pick->room = want + READABLE_BEHIND;
    }
    struct unpack_room room = {pick->bytes, want, pick->size};
    enum err e = stream_read(pick->stream, &room, diag);
    pick->size = room.used;
    pick->ended = e != OK;
    pick->read = e;
    return OK;
}

static enum err recognise(struct pick *pick, struct diag *diag)
{
    TRY(fill(pick, STREAM_BLOCK, diag));
    size_t size = pick->size < FORMATS_HEAD ? pick->size : FORMATS_HEAD;
    bool whole = pick->ended && size == pick->size;
    if (!pick->decoder && pick->size > 0) {
        pick->decoder = formats_recognise(slice_of(pick->bytes, size), whole);
    }
    if (!pick->decoder) {
        return diag_say(diag, ERR_SYNTAX, "no format that is known (--format says which it is)");
    }
    if (pick->decoder->reader_new(pick->paths, &pick->cutter.limits, &pick->reader) != OK) {
        pick->reader = NULL;
        return diag_say(diag, ERR_MEMORY, "no memory");
    }
    return OK;
}

/* Cuts the next records; reads on until there are some. */
static enum err next_cut(struct pick *pick, struct cut *cut, struct diag *diag)
{
    size_t most = pick->cutter.limits.record_bytes + SLACK;
    buf_clear(&pick->header);
    buf_add(&pick->header, buf_slice(&pick->cutter.header));
    for (size_t want = STREAM_BLOCK;; want = want * 2 < most ? want * 2 : most) {
        TRY(fill(pick, want, diag));
        *cut = (struct cut){0};
        struct slice bytes = slice_of(pick->bytes, pick->size);
        TRY(pick->decoder->cut(&pick->cutter, bytes, pick->ended, cut, diag));
        if (pick->header.failed || pick->cutter.header.failed) {
            return diag_say(diag, ERR_MEMORY, "no memory for a header");
        }
        if (cut->skip + cut->size > 0) {
            return OK;
        }
        if (pick->ended) {
            return ERR_END;
        }
        if (pick->size >= most) {
            return diag_say(diag, ERR_LIMIT, "no end of a record within %zu bytes", most);
        }
    }
}

static void drop(struct pick *pick, const struct cut *cut)
{
    size_t used = cut->skip + cut->size;
    pick->cutter.offset += used;
    pick->size -= used;
    memmove(pick->bytes, pick->bytes + used, pick->size);
}

/* Decodes up to the `nth` record of the block, counted from 0. */
static enum err decode(struct pick *pick, const struct cut *cut, uint64_t nth, struct event *event,
        struct diag *diag)
{
    const struct decoder *decoder = pick->decoder;
    struct slice block = slice_of(pick->bytes + cut->skip, cut->size);
    decoder->begin(pick->reader, block, buf_slice(&pick->header));
    for (uint64_t n = 0;; n++) {
        enum err e = decoder->next(pick->reader, event, diag);
        if (e == ERR_END) {
            return diag_say(diag, ERR_NOT_FOUND, "its block ends before it");
        }
        uint64_t place = decoder->ordinal ? decoder->ordinal(pick->reader) : n;
        if (place == nth) {
            return e;
        }
        if (place > nth) {
            return diag_say(diag, ERR_NOT_FOUND, "it is part of a record that begins before it");
        }
    }
}

enum err pick_record(struct pick *pick, const struct input *input, uint64_t ordinal,
        struct event *event, struct diag *diag)
{
    uint64_t before = 0;
    TRY(stream_open(input, NULL, &pick->stream, diag));
    TRY(recognise(pick, diag));
    if (pick->decoder->place) {
        pick->decoder->place(pick->reader, &(struct decode_place){.written_ns = input->written_ns});
    }
    for (;;) {
        struct cut cut;
        enum err e = next_cut(pick, &cut, diag);
        if (e == ERR_END && pick->read != ERR_END) {
            return pick->read; /* what stopped the reading says more; diag has its words */
        }
        if (e == ERR_END) {
            return diag_say(diag, ERR_NOT_FOUND, "no record %llu: the last is %llu",
                    (unsigned long long)ordinal, (unsigned long long)before);
        }
        if (e != OK) {
            return e;
        }
        if (ordinal <= before + cut.rejected) {
            return ERR_SYNTAX; /* why, diag says */
        }
        before += cut.rejected;
        if (ordinal <= before + cut.records) {
            return decode(pick, &cut, ordinal - before - 1, event, diag);
        }
        before += cut.records;
        drop(pick, &cut);
    }
}
