#include "api/api_feed.h"

#include "base/json_text.h"

/* Sigma's, the least first. */
static const char *const levels[API_FEED_LEVELS] = {
        "informational", "low", "medium", "high", "critical"};

unsigned api_feed_level(struct slice name)
{
    unsigned i = 0;
    while (i < API_FEED_LEVELS && !slice_equal(name, slice_text(levels[i]))) {
        i++;
    }
    return i;
}

/* A rule without a level is of none: `level` leaves it out. What cannot be read is shown. */
static bool is_of_level(const struct api_feed *feed, struct slice finding)
{
    if (feed->level == 0 || json_text_check_whole(finding, JSON_TEXT_DEPTH, NULL) != OK) {
        return true;
    }
    struct slice level = json_text_get(json_text_get(finding, SLICE("rule")), SLICE("level"));
    if (!json_text_is_string(level)) {
        return false;
    }
    unsigned rank = api_feed_level(slice_of(level.at + 1, level.size - 2));
    return rank < API_FEED_LEVELS && rank >= feed->level;
}

/* Whether the record is wanted; *text is what is told of it. */
static bool take(struct api_feed *feed, struct slice record, struct slice *text)
{
    struct unread unread;
    if (!feed->quarantine) {
        *text = record; /* an empty one stands for "judged, and nothing found" */
        return record.size > 0 && is_of_level(feed, record);
    }
    if (!unread_read(record, &unread) || !unread_is(&feed->frame, &unread, &feed->wanted)) {
        return false;
    }
    buf_clear(&feed->text);
    unread_json(&feed->frame, &unread, &feed->text);
    *text = buf_slice(&feed->text);
    return !feed->text.failed;
}

/* The next of the frame that is wanted; ERR_END: no more in it. */
static enum err walk(struct api_feed *feed, struct slice *finding)
{
    const struct frame *frame = &feed->frame;
    bool ours = frame->kind == (feed->quarantine ? FRAME_UNREAD : FRAME_FINDINGS) &&
                authorize_covers(slice_text(feed->tenant), frame->attribute[FRAME_TENANT]);
    while (feed->budget > 0 && frame_next(frame, &feed->walk)) {
        uint64_t offset = frame->offset + feed->walk.index;
        if (offset < feed->next) {
            continue; /* of a frame that began before the cursor */
        }
        feed->next = offset + 1;
        feed->budget--;
        if (ours && take(feed, feed->walk.record, finding)) {
            return OK;
        }
    }
    return feed->budget > 0 ? ERR_END : ERR_LIMIT;
}

static enum err next_frame(struct api_feed *feed, uint64_t committed, struct diag *diag)
{
    if (!feed->reader) {
        TRY(reader_open(feed->directory, feed->disk, feed->next, &feed->reader, diag));
        uint64_t first = reader_first(feed->reader);
        if (first > feed->next) { /* removed by retention */
            feed->unreadable += first - feed->next;
            feed->next = first;
        }
    }
    enum err e = reader_next(feed->reader, committed, &feed->frame, diag);
    if (e == ERR_SYNTAX) {
        const struct reader_damage *damage = reader_damage(feed->reader);
        feed->unreadable += damage->to - damage->from;
        feed->next = damage->to > feed->next ? damage->to : feed->next;
        return OK;
    }
    TRY(e);
    feed->walk = (struct frame_walk){0};
    feed->walking = true;
    return OK;
}

enum err api_feed_next(
        struct api_feed *feed, uint64_t committed, struct slice *finding, struct diag *diag)
{
    for (;;) {
        if (feed->walking) {
            enum err e = walk(feed, finding);
            if (e != ERR_END) {
                return e;
            }
            feed->walking = false;
        }
        if (feed->next >= committed) {
            return ERR_END;
        }
        TRY(next_frame(feed, committed, diag));
    }
}

void api_feed_fini(struct api_feed *feed)
{
    reader_close(feed->reader);
    buf_fini(&feed->text);
    feed->reader = NULL;
    feed->walking = false;
}
