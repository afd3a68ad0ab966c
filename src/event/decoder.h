/* decoder: one format: how a stream of it is recognised, cut into blocks, and read.
 *
 *     cut:   bytes of a file -> blocks of whole records         (one thread a file, cheap)
 *     read:  a block -> events                                  (any thread, the work)
 *
 *     struct reader *r;
 *     TRY(decoder->reader_new(paths, &limits, &r));
 *     decoder->begin(r, block, header);
 *     while ((e = decoder->next(r, event, diag)) != ERR_END)
 *         if (e != OK) name the record, its ordinal and diag->words; go on
 *
 * A row of the table in decode/decoders.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/event.h"
#include "event/paths.h"

struct decode_limits {
    size_t record_bytes; /* a longer record is rejected by name */
    uint32_t depth;      /* of nested objects and arrays */
    uint32_t keys;       /* of one record */
    int32_t zone_east;   /* of timestamps that name no zone: seconds east of UTC */
    int32_t year;        /* of timestamps that name none; 0: after the file's own time */
};
#define DECODE_LIMITS                                                                              \
    {                                                                                              \
        .record_bytes = 16u << 20, .depth = 128, .keys = 100000                                    \
    }

/* A piece of a stream. */
struct cut {
    size_t skip;      /* bytes before the block that hold no record (a file header, the rest of a
                         record that was too long) */
    size_t size;      /* bytes of whole records after them; 0: none yet */
    uint64_t records; /* ordinals that the block uses, rejected ones included */
    /* Ordinals rejected while skipping, before the block's first; `diag` says why. */
    uint64_t rejected;
    bool said; /* `diag` has words about the stream; no ordinal is rejected */
};

enum { DECODE_HEADER_LIMIT = 64 << 10 }; /* a longer header is not kept */

/* State of cutting one stream; all zero at its start. */
struct cutter {
    uint64_t offset;     /* bytes of the stream consumed so far: kept by the caller */
    uint64_t a, b, c, d; /* the decoder's own */
    /* What names the columns of the records to come (Zeek's and W3C's # lines, the first line of a
     * CSV). cut() writes it when it consumes such lines, within a block or before it; a copy made
     * before that cut() goes to begin() with the block: the reader itself sees the lines in its
     * block. Owner: the caller, by buf_fini. */
    struct buf header;
    struct decode_limits limits;
};

/* What a stream's bytes do not say. */
struct decode_place {
    int64_t written_ns; /* when the file was last written, or now; INT64_MIN: not known */
};

struct reader; /* a decoder's state of one thread */

struct decoder {
    const char *name; /* as in --format */
    const char *about;
    bool chunked; /* a chunk holds several records, and what they share: they are kept together */
    bool headed;  /* records need lines that stand before them: cutter.header */
    /* How sure the decoder is that the stream's first bytes (up to 64 KiB; `whole`: that is all)
     * are its format: 0 (no) to 100. */
    int (*recognise)(struct slice head, bool whole);
    /* Finds whole records at the front of `bytes`. `last`: the stream ends here. All bytes are
     * the caller's: it drops skip + size, keeps the rest and comes back with more behind it. At the
     * end of the stream everything must be consumed. skip + size == 0 asks for more bytes; the
     * caller then offers at least limits.record_bytes + 64 KiB before it gives up. */
    enum err (*cut)(
            struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag);
    enum err (*reader_new)(
            const struct paths *paths, const struct decode_limits *limits, struct reader **out);
    void (*reader_free)(struct reader *reader);
    /* Where the blocks of the next begin()s come from. NULL: the format does not care. */
    void (*place)(struct reader *reader, const struct decode_place *place);
    /* Starts on a block that cut() made. The bytes stay until the next begin; at least 64
     * readable bytes of any content stand behind the block's. `header`: cutter.header as it was
     * when that cut() began. */
    void (*begin)(struct reader *reader, struct slice block, struct slice header);
    /* The next record: OK; ERR_END; anything else: this record is rejected, diag says why, the
     * next call goes on behind it. Each OK or rejection uses one ordinal, unless `ordinal` says
     * otherwise. */
    enum err (*next)(struct reader *reader, struct event *event, struct diag *diag);
    /* What next() last gave: its place among the block's ordinals, from 0; of a record that joins
     * several (the lines of an audit event) the first one's. NULL: they follow one another. */
    uint64_t (*ordinal)(const struct reader *reader);
    /* After ERR_END: what is wrong with the block beside its rejected records (a checksum), one
     * call each; false: no more. NULL: the format knows none. */
    bool (*warning)(struct reader *reader, struct diag *diag);
};

/* decode/decoders.c */
extern const struct decoder *const decoders[];
extern const size_t decoders_count;
