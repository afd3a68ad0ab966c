/* frame: the unit of the log: records of one source with what is known of them, summed. doc/log.md
 * has the bytes.
 *
 *     struct frame_records records = {0};
 *     frame_records_add(&records, SLICE("first"));              // for each record
 *     struct frame frame = {.kind = FRAME_RECORDS, .offset = 17, .receipt_ns = now};
 *     frame.attribute[FRAME_TENANT] = SLICE("sg/health/moh");
 *     frame_take(&frame, &records);                             // borrowed
 *     TRY(frame_write(&frame, &out, diag));
 *
 *     size_t size;
 *     TRY(frame_read(bytes, &frame, &size, diag));              // slices into bytes
 *     struct frame_walk walk = {0};
 *     while (frame_next(&frame, &walk))                         // "first"
 *         use(walk.record, frame.offset + walk.index); */
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
    FRAME_MATCHES,
    FRAME_UNREAD,
    FRAME_KINDS, /* one more than the highest */
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
    FRAME_MARK,  /* written first, so that a search sees at once what is no frame of this log */
    FRAME_PART,  /* of results: 16 bytes, which result they are of and their place in it */
    FRAME_CLOCK, /* of matches: 8 bytes, what came before this time was late */
    FRAME_TAGS,  /* one more than the highest */
};

enum {
    FRAME_FIXED = 48,         /* bytes before the attributes */
    FRAME_LIMIT = 20 << 20,   /* of a whole frame */
    FRAME_ATTRIBUTES = 65535, /* bytes of all attributes, 3 more for each than its value */
    FRAME_MARK_SIZE = 8,
    FRAME_LINES = 1, /* flag: no record holds a line feed */
};

struct frame {
    enum frame_kind kind;
    uint8_t flags;
    uint32_t count; /* of records; 0 for HEAD and SEAL, for all others at least 1 */
    uint64_t offset;
    uint64_t durable; /* not above `offset` */
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
    bool failed; /* memory was refused, or the count is at its limit: writing says so */
};

void frame_records_add(struct frame_records *records, struct slice record);
void frame_records_clear(struct frame_records *records);
void frame_records_fini(struct frame_records *records);
/* Sets count, flags, sizes and lines of the frame, which borrows the records' bytes. ERR_MEMORY:
 * collecting them had failed. */
enum err frame_take(struct frame *frame, const struct frame_records *records) MUST_CHECK;
/* One empty record: what a frame is given that has none but takes an offset. */
void frame_take_empty(struct frame *frame);

/* Appends the frame's bytes. ERR_LIMIT: over FRAME_LIMIT or FRAME_ATTRIBUTES; ERR_MEMORY: out has
 * failed. Nothing is appended then. */
enum err frame_write(const struct frame *frame, struct buf *out, struct diag *diag) MUST_CHECK;
/* Reads the frame at the front of `bytes`, which may hold more; *size is what it takes. ERR_END: so
 * far it is one, but it is not whole. ERR_SYNTAX: no frame stands here; diag says why. Whatever
 * comes back as OK keeps to the format: sizes and lines agree, each tag stands once. */
enum err frame_read(
        struct slice bytes, struct frame *out, size_t *size, struct diag *diag) MUST_CHECK;
/* How many bytes at the front of `bytes` the frame there wants, by its own word; 0: no frame can
 * begin here, or too little is there to tell. */
size_t frame_size(struct slice bytes);

/* What a frame found by searching must be: records may hold bytes that look like frames. */
struct frame_search {
    uint64_t least, below; /* its offset: [least, below) */
    struct slice mark;     /* what its FRAME_MARK must be; .at NULL: anything */
};
/* The first place from `from` on where a valid, whole frame begins that is such; bytes.size: none.
 */
size_t frame_search(struct slice bytes, size_t from, const struct frame_search *search);

/* Walks the records; {0} stands before the first. false: no more. */
struct frame_walk {
    struct slice record;
    uint32_t index; /* of `record` */
    uint32_t passed;
    size_t at;
};
bool frame_next(const struct frame *frame, struct frame_walk *walk);

/* "head", "records", ...; never NULL. */
const char *frame_kind_name(enum frame_kind kind);
/* Numbers as they stand in the log: little-endian. */
void frame_put64(char *to, uint64_t value);
uint64_t frame_get64(const char *at);
