/* scan: frames of one file, read piece by piece. Says what stands at a place; which frames count is
 * for segment.h.
 *
 *     struct scan scan = {.disk = disk, .file = file};
 *     while ((e = scan_frame(&scan, &frame, diag)) == OK) {
 *         ...
 *         scan_pass(&scan);                      // to the next
 *     }
 *     e == ERR_END, ERR_SYNTAX: no whole frame stands at scan.at
 *     scan_search(&scan, &search, diag)          // to one further on
 *     scan_fini(&scan); */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/disk.h"
#include "event/frame.h"

struct scan {
    const struct disk *disk;    /* borrowed */
    int file;                   /* borrowed */
    char mark[FRAME_MARK_SIZE]; /* that frames must have, where it is known */
    bool marked;
    uint64_t at;      /* where the next frame is looked for */
    size_t size;      /* of the frame that was found there */
    struct buf bytes; /* of the file, from `start` on */
    uint64_t start;
};

/* The frame at scan->at; its slices are valid until the next call. ERR_END: the file ends in it or
 * before it, ERR_SYNTAX: something else stands there. What is in memory is not asked for again:
 * where a file grows, scan_forget first. A HEAD is one at the front alone. */
enum err scan_frame(struct scan *scan, struct frame *frame, struct diag *diag) MUST_CHECK;
/* The bytes of the frame that scan_frame gave. */
struct slice scan_bytes(const struct scan *scan);
void scan_pass(struct scan *scan);
/* To the next place, this one included, where a frame stands whose offset is in [least, below).
 * ERR_END: there is none, the place is as it was. */
enum err scan_search(
        struct scan *scan, uint64_t least, uint64_t below, struct diag *diag) MUST_CHECK;
void scan_set_mark(struct scan *scan, const char *mark);
void scan_forget(struct scan *scan);
void scan_fini(struct scan *scan);
