/* archive_feed: an archive's records as the blocks of a feed, for what judges files.
 *
 *     TRY(archive_feed_open(input, &archive, diag));             // archive->inputs: what rows name
 *     feed.other = archive_feed_next; feed.context = archive;
 *     feed_next(&feed, &block)
 *     archive_feed_free(archive); */
#pragma once

#include "app/feed.h"
#include "app/hunt_archive.h"
#include "base/intern.h"

enum { ARCHIVE_FEED_SOURCES = 1 << 20 };

struct archive_feed {
    struct hunt_archive archive;
    struct inputs *inputs; /* by number, as blocks name them; grows while it is read */
    size_t room;
    struct intern names, names_json;
    bool begun;
};

enum err archive_feed_open(
        const struct hunt_input *input, struct archive_feed **out, struct diag *diag) MUST_CHECK;
/* A feed_other. */
bool archive_feed_next(struct feed *feed, struct feed_block *block);
void archive_feed_free(struct archive_feed *archive);
