/* unread: the quarantine by reference: records of the log that were not judged, as frames beside
 * the findings. A frame is about records of one frame of the log, that one reason holds up:
 * FRAME_REASON is its class, a record of it is an offset and words. What intake rejected is there,
 * too, so that all can be searched in one place; the bytes stay where they are, in the log.
 *
 *     unread_add(&records, 4711, SLICE("no decoder knows it"));
 *     frame.kind = FRAME_UNREAD, frame.attribute[FRAME_REASON] = SLICE(UNREAD_UNDECODABLE);
 *
 *     if (unread_read(walk.record, &unread) && unread_is(&frame, &unread, &wanted))
 *         unread_json(&frame, &unread, &out);
 *     // {"offset":4711,"received":...,"tenant":...,"source":...,"reason":"undecodable: no ..."} */
#pragma once

#include <stdbool.h>

#include "event/frame.h"

#define UNREAD_UNDECODABLE "undecodable" /* no decoder could read it */
#define UNREAD_PASSED_OVER "passed_over" /* judges died of it */

enum { UNREAD_WORDS = 200 }; /* bytes of the words that are kept */

struct unread {
    uint64_t offset; /* in the log */
    struct slice words;
};

/* What is searched; empty: all. */
struct unread_wanted {
    struct slice reason; /* how "class: words" begins */
    struct slice source; /* it, or what stands before a '/' in it */
};

void unread_add(struct frame_records *records, uint64_t offset, struct slice words);
bool unread_read(struct slice record, struct unread *out);
bool unread_is(
        const struct frame *frame, const struct unread *unread, const struct unread_wanted *wanted);
/* "class: words" */
void unread_reason(const struct frame *frame, const struct unread *unread, struct buf *out);
void unread_json(const struct frame *frame, const struct unread *unread, struct buf *out);
