/* feed: all inputs as one sequence of blocks of whole records, handed to any number of threads.
 *
 *     while (feed_next(&feed, &block))         // locked: read() and cut, nothing else
 *         decode and judge block.records, deliver as number block.sequence
 *
 * Sequence numbers have no gaps; a block may hold only notes (a file that cannot be read). */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "event/decoder.h"
#include "source/inputs.h"
#include "source/stream.h"

enum {
    FEED_BLOCK = 260 << 10, /* four chunks of an event log, and what says that they end there */
    FEED_SLACK = 64 << 10,  /* past the longest record, before the decoder gives up on it */
    FEED_BEHIND = 64,       /* readable bytes behind each block */
    FEED_KEPT = 1 << 20,    /* a block's buffer that grew over this is given back */
};

/* A worker's own; filled by feed_next. */
struct feed_block {
    uint64_t sequence;
    const struct decoder *decoder; /* NULL: only notes */
    struct slice records;          /* within `bytes` */
    struct buf header;             /* in force where they begin (struct cutter) */
    struct cutter cutter;          /* behind them; without its header */
    uint64_t first;                /* ordinal of the first record, from 1 */
    uint64_t from, to;             /* ordinals that are wanted, `to` not */
    struct slice file;             /* as shown */
    struct slice file_json;        /* the inside of a JSON string */
    struct decode_place place;
    uint32_t file_number; /* index into inputs->files */
    struct buf notes;     /* lines for stderr */
    char *bytes;
    size_t room;
};

struct feed_counts {
    uint64_t files;      /* read */
    uint64_t skipped;    /* in folders, of no known format */
    uint64_t unreadable; /* named in notes */
    uint64_t rejected;   /* records that did not even reach a block */
};

struct feed;

/* What gives blocks in place of files. Called locked. It fills all but the sequence; the block has
 * no decoder, no records and no notes before. false: no more. */
typedef bool feed_other(struct feed *feed, struct feed_block *block);

struct feed {
    /* Set before use. */
    const struct inputs *inputs;
    const struct decoder *forced; /* or NULL */
    struct decode_limits limits;
    const atomic_bool *stop;
    feed_other *other; /* NULL: the inputs are read */
    void *context;     /* its own */
    /* Private, guarded by the mutex. */
    pthread_mutex_t mutex;
    size_t next_file;
    uint64_t sequence;
    struct stream *stream; /* NULL: no file is open */
    const struct input *input;
    const struct decoder *decoder;
    struct cutter cutter;
    uint64_t ordinal; /* of the last record handed out */
    bool ended;       /* the stream has no more bytes */
    struct buf tail;  /* bytes of the stream read and not yet handed out */
    struct buf names; /* file_json of the current file */
    struct arena texts;
    struct slice file_json;
    struct feed_counts counts;
    bool no_memory;           /* some bytes could not be held: what comes after them was not read */
    uint64_t consumed_before; /* bytes of the files before this one */
    _Atomic uint64_t consumed; /* of all files: for progress, read without the lock */
};

/* The fields "set before use" are filled; the rest is zero. */
void feed_init(struct feed *feed);
void feed_fini(struct feed *feed);
/* false: no more blocks. */
bool feed_next(struct feed *feed, struct feed_block *block);
/* Room for `size` bytes in block->bytes and those behind them; what is there stays. */
bool feed_room(struct feed_block *block, size_t size);
void feed_block_fini(struct feed_block *block);
