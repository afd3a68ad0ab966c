/* recover: what a log's directory holds when a writer begins: where the log goes on, and what of
 * the last segment must be written again because no frame says that it was on disk.
 *
 *     struct recover found = {.fresh = id};
 *     TRY(recover_read(disk, "data/log", &found, diag));
 *     ... found.base: the new segment's name; found.tail: frames that it begins with
 *     recover_fini(&found); */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/disk.h"
#include "wal/names.h"
#include "wal/segment.h"

struct recover {
    struct names names;
    struct segment_id fresh; /* given by the caller: what the log is where that cannot be found */
    struct segment_id log;
    bool made;     /* it is the fresh one */
    uint64_t base; /* all offsets below were durable, or are damaged */
    uint64_t next; /* what comes behind the tail */
    struct buf tail;
    struct segment_ring ring;      /* below base */
    struct segment_ring tail_ring; /* in the tail, or as in ring */
    uint64_t damaged, torn_bytes;
};

/* ERR_NOT_FOUND: no such directory. Owner of what is in *found, on failure too: the caller. */
enum err recover_read(const struct disk *disk, const char *directory, struct recover *found,
        struct diag *diag) MUST_CHECK;
/* Files that were to become segments are none, and nothing in them was acknowledged. */
enum err recover_remove_unfinished(
        const struct disk *disk, const char *directory, struct diag *diag) MUST_CHECK;
void recover_fini(struct recover *found);
