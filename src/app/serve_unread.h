/* serve_unread: how many records went into quarantine by reference since the centre started, as the
 * log process counts them: when they are on disk, once, whoever dies.
 *
 *     serve_unread_count(&counts, &frame);              // for each frame that is appended
 *     serve_unread_commit(&page->unread, &counts, committed);
 *     serve_unread_read(&page->unread)                  // anyone */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "event/frame.h"

struct serve_unread_counts {
    uint64_t at; /* frames of the findings below this offset are counted */
    uint64_t undecodable, passed_over;
};

struct serve_unread {
    _Atomic uint64_t times; /* that it was set; the slot in force is times & 1 */
    struct serve_unread_counts slots[2];
};

void serve_unread_count(struct serve_unread_counts *counts, const struct frame *frame);
/* Adds what was counted, which is then 0, and sets the place. */
void serve_unread_commit(
        struct serve_unread *unread, struct serve_unread_counts *counts, uint64_t at);
struct serve_unread_counts serve_unread_read(const struct serve_unread *unread);
