/* harbour: an intake and who takes from it, for tests of listeners.
 *
 *     struct harbour h;
 *     assert_true(harbour_init(&h, 1 << 20));
 *     ... a listener puts into &h.intake ...
 *     harbour_take(&h);            // h.seen: "SOURCE|RECORD\n" each, "!SOURCE|REASON|BYTES\n"
 *     harbour_fini(&h);
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "source/intake.h"

struct harbour {
    struct channel *channel;
    struct counts *counts;
    struct intake intake;
    struct buf copy;
    struct buf seen;
    struct buf keys; /* of the frames with one, a line each: "KEY COUNT\n" */
    uint64_t records;
    uint64_t frames;
    bool quiet; /* only count */
};

bool harbour_init(struct harbour *h, size_t channel_bytes);
void harbour_fini(struct harbour *h);
/* Takes and finishes all that was put. false: something that is no frame. */
bool harbour_take(struct harbour *h);
/* The text seen so far, as a string. */
const char *harbour_seen(struct harbour *h);
const struct counts_source *harbour_counts(struct harbour *h, const char *source);
