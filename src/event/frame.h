/* frame: the unit of the log: records of one source with what is known of them, summed. doc/log.md
 * has the bytes.
 *
 *     struct frame_records records = {0};
 *     frame_records_add(&records, SLICE("first"));              // for each record
 *     struct frame frame = {.kind = FRAME_RECORDS, .offset = 17, .receipt_ns = now};
 *     frame.attribute[FRAME_TENANT] = SLICE("sg/health/moh");
 *     frame_take(&frame, &records);                             // borrowed
 *     TRY(frame_write(&frame, seed, &out, diag));
 *
 *     size_t size;
 *     TRY(frame_read(bytes, seed, &frame, &size, diag));              // slices into bytes
 *     while (frame_next(&frame, &walk)) use(walk.record);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum frame_kind {
    FRAME_HEAD = 1,
    FRAME_RECORDS,
    FRAME_REJECTED,
    FRAME_TICK,
    FRAME_RULES,
    FRAME_FINDINGS,
    FRAME_SEAL,
};

enum frame_tag {
    FRAME_TENANT = 1,
    FRAME_SOURCE,
    FRAME_FORMAT,
    FRAME_KEY,
    FRAME_REASON,
    FRAME_HEADER,
    FRAME_LOG,
    FRAME_RULESET,
    FRAME_THROUGH,
    FRAME_RING,
    FRAME_TAGS, /* one more than the highest */
};

enum {
    FRAME_FIXED = 56,       /* bytes before the attributes */
    FRAME_LIMIT = 20 << 20, /* of a whole frame */
    FRAME_LINES = 1,        /* flag: no record holds a line feed */
};

struct frame {
    enum frame_kind kind;
    uint8_t flags;
    uint32_t count; /* of records */
    uint64_t offset;
    uint64_t durable;
    int64_t receipt_ns;
    struct slice attribute[FRAME_TAGS]; /* .at NULL: absent */
    struct slice sizes;                 /* 4 bytes a record */
    struct slice lines;                 /* the records, a line feed behind each */
};

/* Records being collected. Owner: the caller, by frame_records_fini; {0} is empty. */
struct frame_records {
    struct buf sizes;
    struct buf lines;
    uint32_t count;
    bool broken; /* one of them holds a line feed */
};

void frame_records_add(struct frame_records *records, struct slice record);
void frame_records_clear(struct frame_records *records);
void frame_records_fini(struct frame_records *records);
/* Sets count, flags, sizes and lines of the frame, which borrows the records' bytes. */
void frame_take(struct frame *frame, const struct frame_records *records);

/* What the sums of a log's frames begin with: nobody who sends records can know it, so that no
 * record can hold bytes that pass for a frame where one is searched for. The HEAD frame, and frames
 * outside a log, have 0. */
uint32_t frame_seed(struct slice log_id);
/* Appends the frame's bytes. ERR_LIMIT: over FRAME_LIMIT, or attributes over 64 KiB together;
 * ERR_MEMORY: out (or a collection behind the frame) has failed. Nothing is appended then. */
enum err frame_write(
        const struct frame *frame, uint32_t seed, struct buf *out, struct diag *diag) MUST_CHECK;
/* Reads the frame at the front of `bytes`, which may hold more; *size is what it takes. ERR_END: so
 * far it is one, but it is not whole. ERR_SYNTAX: no frame stands here; diag says why. Whatever
 * comes back as OK keeps to the format: sizes and lines agree, each tag stands once. */
enum err frame_read(struct slice bytes, uint32_t seed, struct frame *out, size_t *size,
        struct diag *diag) MUST_CHECK;
/* The next place at or after `from` where a valid, whole frame begins; bytes.size: none. */
size_t frame_search(struct slice bytes, uint32_t seed, size_t from);

/* Walks the records: *at is 0 before the first, and the return value counts them out. false: no
 * more.
 *
 *     struct frame_walk walk = {0};
 *     while (frame_next(&frame, &walk)) use(walk.record, frame.offset + walk.index); */
struct frame_walk {
    struct slice record;
    uint32_t index; /* of `record` */
    uint32_t passed;
    size_t at;
};
bool frame_next(const struct frame *frame, struct frame_walk *walk);

const char *frame_kind_name(enum frame_kind kind);
