/* reader: frames of a log, in order, from any offset. doc/log.md says which count.
 *
 *     TRY(reader_open("data/log", &disk_real, from, &reader, diag));
 *     while ((e = reader_next(reader, committed, &frame, diag)) == OK)
 *         ...                                  // frame.offset may lie before `from`, not all of it
 *     e == ERR_END: nothing more below `committed` yet; call again later
 *     e == ERR_SYNTAX: offsets from damage.from up to damage.to cannot be read; the next call goes
 *                      on
 *
 * Any number of readers, in any process; they only read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/disk.h"
#include "base/err.h"
#include "event/frame.h"

#define READER_ALL UINT64_MAX /* as `committed`: nobody writes, all that is whole counts */

struct reader_damage {
    uint64_t from, to; /* offsets [from, to) */
    bool removed;      /* by retention, before this reader had come so far */
};

struct wal_reader;

/* ERR_NOT_FOUND: no such log, or one without a segment. `from` below what retention kept begins at
 * the first one kept. */
enum err reader_open(const char *directory, const struct disk *disk, uint64_t from,
        struct wal_reader **out, struct diag *diag) MUST_CHECK;
void reader_close(struct wal_reader *reader);
/* The frame's slices are valid until the next call. Frames of all kinds come but HEAD and SEAL.
 * `committed`: as the writer published it; never less than the last time. */
enum err reader_next(struct wal_reader *reader, uint64_t committed, struct frame *frame,
        struct diag *diag) MUST_CHECK;
const struct reader_damage *reader_damage(const struct wal_reader *reader);
/* The first offset that the log still has, when the directory was last looked at. */
uint64_t reader_first(const struct wal_reader *reader);
/* The offset behind all that was read or told as damage. */
uint64_t reader_position(const struct wal_reader *reader);
/* The log's id, 32 hex digits; "" where no HEAD could be read. */
const char *reader_log(const struct wal_reader *reader);

/* What is in a log that nobody writes to. */
struct reader_survey {
    char log[33];
    uint64_t segments, sealed; /* one that ended in a crash has no seal */
    uint64_t heads;            /* segments whose HEAD can be read */
    uint64_t frames, records;
    uint64_t by_kind[FRAME_KINDS]; /* frames */
    uint64_t first, next;
    uint64_t damages, damaged; /* ranges, and offsets in them */
    uint64_t strange_bytes;    /* before the end, in no frame that counts */
    uint64_t spare_bytes;      /* behind the end of the others: written again in the next */
    uint64_t torn_bytes;       /* behind the end of the last segment */
};

/* Reads all of it. `tell`, if not NULL, gets each damage. ERR_SYNTAX never comes: it is counted. */
enum err reader_verify(const char *directory, const struct disk *disk,
        void (*tell)(const struct reader_damage *), struct reader_survey *out,
        struct diag *diag) MUST_CHECK;
