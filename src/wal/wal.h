/* wal: the writer of a log: frames in, and a place up to which they are on disk. doc/log.md is the
 * contract.
 *
 *     struct wal_options options = {.disk = &disk_real, .segment_bytes = 256 << 20};
 *     TRY(wal_open("data/log", &options, &wal, diag));
 *     TRY(wal_append(wal, &frame, diag));        // gets its offset; nothing is on disk yet
 *     TRY(wal_commit(wal, diag));                // all that was appended is: acknowledge
 *
 * One thread owns a wal; one process has a directory open (lock file). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/disk.h"
#include "base/err.h"
#include "event/frame.h"

enum { WAL_WAITING = 64 << 20 }; /* bytes that may wait for a commit */

struct wal;

struct wal_options {
    const struct disk *disk;
    uint64_t segment_bytes; /* a segment is finished when it holds as many; 0: 256 MiB */
    int64_t segment_ns;     /* or when it is that old by the receipt times in it; 0: never */
    uint64_t reserve_bytes; /* left free on the disk: under it, appending fails with ERR_LIMIT */
    /* Where the committed offset is published for readers, after each commit; NULL: nowhere. */
    _Atomic uint64_t *committed;
    /* Bytes that nobody can guess; NULL: random_fill. */
    enum err (*random)(char *to, size_t size, struct diag *diag);
};

/* What opening found. */
struct wal_found {
    char log[33];   /* the log's id, hex */
    uint64_t first; /* offsets kept */
    uint64_t next;  /* the offset that comes next */
    uint64_t segments;
    uint64_t again;      /* offsets written again: it was not sure that they are on disk */
    uint64_t torn_bytes; /* behind the last valid frame: never acknowledged */
    uint64_t damaged;    /* offsets of the last segment that were durable and cannot be read */
    bool made;           /* there was no log, or none whose id could be read: its id is new */
    bool has_ring;
    char ring_id[8]; /* of the last frame with FRAME_RING, and the position in it */
    uint64_t ring_position;
};

/* Makes the directory where there is none (not what is above it); else reads what is there (the
 * last segment in full), makes it durable, and begins a new segment. ERR_IO: it cannot be read or
 * written, ERR_LIMIT: no room, ERR_USAGE: another process has it open. */
enum err wal_open(const char *directory, const struct wal_options *options, struct wal **out,
        struct diag *diag) MUST_CHECK;
/* Commits nothing: what was appended and not committed may be lost. Seals the segment if all is. */
void wal_close(struct wal *wal);
const struct wal_found *wal_found(const struct wal *wal);

/* Takes a copy; sets offset, durable and mark of the frame. A frame without records is given an
 * empty one: each takes an offset. ERR_LIMIT: the frame is too large, too much waits for a commit
 * (WAL_WAITING), or too little room is left; ERR_USAGE: a HEAD or a SEAL. */
enum err wal_append(struct wal *wal, struct frame *frame, struct diag *diag) MUST_CHECK;
/* Writes and syncs what was appended. On failure nothing is lost and nothing is committed: call
 * again later. ERR_LIMIT: no room; ERR_IO: the disk refuses, new segment included. */
enum err wal_commit(struct wal *wal, struct diag *diag) MUST_CHECK;
/* Offsets below it are on disk. */
uint64_t wal_committed(const struct wal *wal);
/* The offset that the next record gets, and the bytes that wait for a commit. */
uint64_t wal_next(const struct wal *wal);
uint64_t wal_waiting(const struct wal *wal);
/* Counter since opening, for status: writes and syncs that failed and were gone round. */
uint64_t wal_failures(const struct wal *wal);

/* Retention: removes finished segments all of whose offsets are below `below`. *first: the lowest
 * offset kept, set on failure too. */
enum err wal_remove(struct wal *wal, uint64_t below, uint64_t *first, struct diag *diag) MUST_CHECK;
