/* api_feed: findings, or what is in quarantine, from a cursor on, of a tenant and those below it,
 * from a level on. A cursor is an offset of the log of findings: exact, and the same for everybody.
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

struct api_feed {
    const char *directory;
    const struct disk *disk;
    char tenant[AUTHORIZE_NAME];
    unsigned level;  /* index of the least one, 0: all */
    bool quarantine; /* instead of findings, what these say */
    struct unread_wanted wanted;
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
void api_feed_fini(struct api_feed *feed);
