/* evtx: Windows event logs (.evtx files, and bare chunks cut out of them) as a decoder.
 *
 *     extern const struct decoder evtx_decoder;      // a row of decode/decoders.c
 *
 * A file is a header of 4 KiB and chunks of 64 KiB; a chunk is complete in itself: strings,
 * templates, records. Blocks are chunks, so a file is read by several threads. Which records a
 * damaged chunk still has: decode/evtx_scan.h; the JSON that a record is: decode/evtx_shape.h;
 * doc/evtx.md has the whole. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "event/decoder.h"
#include "event/event.h"

extern const struct decoder evtx_decoder;

/* Something that cost no record is wrong with a chunk read so far, and was not told yet: a checksum
 * that does not agree, a header that promises more records than there are. Call it after next() has
 * returned ERR_END. */
bool evtx_warning(struct reader *reader, struct diag *diag);

/* What event->form->write_json adds, always by way of the tree: for tests. */
void evtx_write_tree(const struct event *event, struct buf *out);

/* What a reader has done so far, for measuring. */
struct evtx_counts {
    uint64_t records;
    uint64_t slow;     /* read through a tree, not by a plan */
    uint64_t compiled; /* templates */
};
struct evtx_counts evtx_counts(const struct reader *reader);
