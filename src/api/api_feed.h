/* api_feed: findings, what is in quarantine, or records as they were stored, from a cursor on, of a
 * tenant and those below it. A cursor is an offset of the log that they stand in, `findings` or (of
 * records) `log`: exact, and the same for everybody.
 *
 *     struct api_feed feed = {.directory = "DATA/findings", .disk = &disk_real, .next = after};
 *     while ((e = api_feed_next(&feed, committed, &text, &diag)) == OK)
 *         ...                              // feed.next stands behind it
 *     ERR_END: nothing more that is committed; ERR_LIMIT: `budget` is used up, set it anew
 *     api_feed_fini(&feed); */
#pragma once

#include "base/disk.h"
#include "event/unread.h"
#include "net/authorize.h"
#include "wal/reader.h"

enum { API_FEED_LEVELS = 5 };

enum api_feed_kind { API_FEED_FINDINGS, API_FEED_QUARANTINE, API_FEED_RECORDS };

struct api_feed {
    const char *directory;
    const struct disk *disk;
    char tenant[AUTHORIZE_NAME];
    unsigned level; /* index of the least one, 0: all */
    enum api_feed_kind kind;
    struct unread_wanted wanted; /* of findings neither */
    struct slice contains;       /* bytes of the finding or record; empty: all */
    bool counting;               /* nothing is told of what is wanted */
    struct buf text;
    uint64_t next;
    uint64_t budget;     /* findings that may be looked at */
    uint64_t unreadable; /* offsets passed over, as damaged or removed */
    struct wal_reader *reader;
    struct frame frame;
    struct frame_walk walk;
    bool walking;
};

/* API_FEED_LEVELS: there is none of that name. */
unsigned api_feed_level(struct slice name);
enum err api_feed_next(struct api_feed *feed, uint64_t committed, struct slice *finding,
        struct diag *diag) MUST_CHECK;
/* Sets the cursor so that the last `n` come, or as many as there are among the last `span`. */
enum err api_feed_last(struct api_feed *feed, uint64_t committed, uint64_t n, uint64_t span,
        struct diag *diag) MUST_CHECK;
void api_feed_fini(struct api_feed *feed);
