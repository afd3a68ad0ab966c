#include "api/api_feed.h"

#include "api/api_record.h"
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
    struct unread unread = {.offset = feed->frame.offset + feed->walk.index};
    buf_clear(&feed->text);
    if (feed->contains.size > 0 && slice_find(record, feed->contains) == SIZE_MAX) {
        return false;
    }
    if (feed->kind == API_FEED_FINDINGS) {
        *text = record; /* an empty one stands for "judged, and nothing found" */
        return record.size > 0 && is_of_level(feed, record);
    }
    if ((feed->kind == API_FEED_QUARANTINE && !unread_read(record, &unread)) ||
            !unread_is(&feed->frame, &unread, &feed->wanted)) {
        return false;
    }
    if (feed->counting) {
        return true;
    }
    if (feed->kind == API_FEED_RECORDS) {
        api_record_json(&feed->frame, unread.offset, record, &feed->text);
    } else {
        unread_json(&feed->frame, &unread, &feed->text);
    }
    *text = buf_slice(&feed->text);
    return !feed->text.failed;
}

/* The next of the frame that is wanted; ERR_END: no more in it. */
static enum err walk(struct api_feed *feed, struct slice *finding)
{
    static const enum frame_kind kinds[] = {FRAME_FINDINGS, FRAME_UNREAD, FRAME_RECORDS};
    const struct frame *frame = &feed->frame;
    uint64_t end = frame->offset + frame->count;
    if (frame->kind != kinds[feed->kind] ||
            !authorize_covers(slice_text(feed->tenant), frame->attribute[FRAME_TENANT])) {
        uint64_t passed = end > feed->next ? end - feed->next : 0;
        feed->next += passed;
        feed->budget -= passed < feed->budget ? passed : feed->budget;
        return feed->budget > 0 ? ERR_END : ERR_LIMIT;
    }
    while (feed->budget > 0 && frame_next(frame, &feed->walk)) {
        uint64_t offset = frame->offset + feed->walk.index;
        if (offset < feed->next) {
            continue; /* of a frame that began before the cursor */
        }
        feed->next = offset + 1;
        feed->budget--;
        if (take(feed, feed->walk.record, finding)) {
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

static void rewind_to(struct api_feed *feed, uint64_t offset)
{
    reader_close(feed->reader);
    feed->reader = NULL;
    feed->walking = false;
    feed->unreadable = 0;
    feed->next = offset;
    feed->budget = UINT64_MAX;
}

/* Passes over up to `most`; *count: how many there were. */
static enum err pass(struct api_feed *feed, uint64_t committed, uint64_t most, uint64_t *count,
        struct diag *diag)
{
    struct slice text;
    enum err e = OK;
    for (*count = 0; *count < most; ++*count) {
        e = api_feed_next(feed, committed, &text, diag);
        if (e != OK) {
            break;
        }
    }
    return e == ERR_END ? OK : e;
}

/* Looks back further and further, so that usually little is read. */
enum err api_feed_last(
        struct api_feed *feed, uint64_t committed, uint64_t n, uint64_t span, struct diag *diag)
{
    enum { FIRST = 1000, STEP = 8 };
    uint64_t from, count = 0, skipped, far = n < FIRST ? FIRST : n;
    enum err e = OK;
    feed->counting = true;
    for (;; far *= STEP) {
        far = far < span ? far : span;
        from = committed > far ? committed - far : 0;
        rewind_to(feed, n > 0 ? from : committed);
        e = pass(feed, committed, UINT64_MAX, &count, diag);
        if (e != OK || count >= n || from == 0 || far == span) {
            break;
        }
    }
    if (e == OK && n > 0) {
        rewind_to(feed, from);
        e = pass(feed, committed, count > n ? count - n : 0, &skipped, diag);
    }
    feed->counting = false;
    return e;
}

void api_feed_fini(struct api_feed *feed)
{
    reader_close(feed->reader);
    buf_fini(&feed->text);
    feed->reader = NULL;
    feed->walking = false;
}
