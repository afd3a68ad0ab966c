/* segment: one segment's frames that count, in order, and what is missing between them. The reader
 * and the recovery of the writer read by this alone, so that they cannot differ.
 *
 *     struct segment segment;
 *     TRY(segment_open(&segment, disk, "data/log", base, diag));
 *     TRY(segment_learn(&segment, &id, diag));
 *     segment.limit = next_base;
 *     while ((e = segment_next(&segment, SEGMENT_ALL, &frame, diag)) == OK)
 *         ...
 *     e == ERR_SYNTAX: offsets from segment.lost_from up to segment.expected are lost: go on
 *     e == ERR_END: no more, or no more below `committed` */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/disk.h"
#include "event/frame.h"
#include "wal/scan.h"

#define SEGMENT_ALL UINT64_MAX

enum {
    SEGMENT_NAME = 32, /* room for the longest name and its NUL */
    SEGMENT_RING = 16, /* size of FRAME_RING */
};

/* Which log it is. */
struct segment_id {
    char hex[33]; /* 32 digits; "": not known, nor the mark */
    char mark[FRAME_MARK_SIZE];
};

/* The last FRAME_RING seen. */
struct segment_ring {
    char bytes[SEGMENT_RING];
    bool there;
};

struct segment {
    struct scan scan;
    uint64_t base;            /* the offset in its name */
    uint64_t limit;           /* that of the next segment; UINT64_MAX: it is the last */
    uint64_t expected;        /* the offset of the next record */
    uint64_t lost_from;       /* after ERR_SYNTAX: [lost_from, expected) */
    struct slice passed;      /* the bytes of the frame that came last */
    uint64_t strange;         /* bytes passed that belong to no frame that counts */
    bool headed;              /* the HEAD can be read */
    struct segment_ring ring; /* of the HEAD */
    bool sealed;              /* the SEAL was seen */
    /* The caller has looked for a newer segment and forgotten what was read before: what is
     * committed and not here is lost. Otherwise that is ERR_END. */
    bool certain;
};

/* "00000000000000184022.seg"; `suffix` is ".seg" or ".new". */
void segment_name(char name[SEGMENT_NAME], uint64_t base, const char *suffix);
/* false: not a segment's name. */
bool segment_parse_name(const char *name, uint64_t *base);

/* Owner: the caller, by segment_close. ERR_NOT_FOUND. */
enum err segment_open(struct segment *segment, const struct disk *disk, const char *directory,
        uint64_t base, struct diag *diag) MUST_CHECK;
/* Reads the HEAD, which tells the log's id and mark: *id. Where it cannot be read, frames are known
 * by the mark that stands in *id already, or else by that of the first one. */
enum err segment_learn(
        struct segment *segment, struct segment_id *id, struct diag *diag) MUST_CHECK;
void segment_close(struct segment *segment);
/* The frame's slices are valid until the next call. HEAD and SEAL do not come. Frames count up to
 * `committed`; with SEGMENT_ALL all that are whole, up to the torn end. */
enum err segment_next(struct segment *segment, uint64_t committed, struct frame *frame,
        struct diag *diag) MUST_CHECK;
/* All offsets below it were on disk when frames from this place on were written. */
enum err segment_durable(struct segment *segment, uint64_t *durable, struct diag *diag) MUST_CHECK;

void segment_note_ring(struct segment_ring *ring, const struct frame *frame);
