#include "app/feed.h"

#include "base/memory.h"
#include "cli/formats.h"
#include "cli/visible.h"

enum { FEED_TEXTS = 1 << 30 };

void feed_init(struct feed *feed)
{
    arena_init(&feed->texts, FEED_TEXTS);
    pthread_mutex_init(&feed->mutex, NULL);
}

void feed_fini(struct feed *feed)
{
    stream_close(feed->stream);
    buf_fini(&feed->tail);
    arena_fini(&feed->texts);
    buf_fini(&feed->names);
    buf_fini(&feed->cutter.header);
    pthread_mutex_destroy(&feed->mutex);
}

void feed_block_fini(struct feed_block *block)
{
    memory_free(block->bytes);
    buf_fini(&block->notes);
    buf_fini(&block->header);
}

/* A line on stderr about the current file; `record` 0: about the file as a whole. */
static void note(
        struct feed *feed, struct feed_block *block, uint64_t record, const struct diag *diag)
{
    struct buf *notes = &block->notes;
    buf_add(notes, SLICE("merlon: "));
    visible_add(notes, feed->input->path, VISIBLE_ANY);
    if (record > 0) {
        buf_format(notes, ": record %llu", (unsigned long long)record);
    }
    buf_add(notes, SLICE(": "));
    visible_add(notes, slice_text(diag->words), VISIBLE_ANY);
    buf_byte(notes, '\n');
}

static void unreadable(struct feed *feed, struct feed_block *block, const struct diag *diag)
{
    note(feed, block, 0, diag);
    feed->counts.unreadable++;
}

static void close_file(struct feed *feed)
{
    feed->consumed_before += feed->input->size;
    atomic_store_explicit(&feed->consumed, feed->consumed_before, memory_order_relaxed);
    stream_close(feed->stream);
    feed->stream = NULL;
    buf_clear(&feed->tail);
}

bool feed_room(struct feed_block *block, size_t size)
{
    if (size + FEED_BEHIND <= block->room) {
        return true;
    }
    char *bytes = memory_resize(block->bytes, size + FEED_BEHIND);
    if (!bytes) {
        return false;
    }
    block->bytes = bytes;
    block->room = size + FEED_BEHIND;
    return true;
}

/* Reads until `want` bytes are in the block or the stream ends. An error ends it too: what came
 * before is judged. */
static void fill(struct feed *feed, struct feed_block *block, size_t *have, size_t want)
{
    struct diag diag = {0};
    if (feed->ended || *have >= want) {
        return;
    }
    struct unpack_room room = {block->bytes, want, *have};
    enum err e = stream_read(feed->stream, &room, &diag);
    *have = room.used;
    if (e != OK) {
        feed->ended = true;
    }
    if (e != OK && e != ERR_END) {
        unreadable(feed, block, &diag);
    }
    uint64_t consumed = feed->consumed_before + stream_consumed(feed->stream);
    atomic_store_explicit(&feed->consumed, consumed, memory_order_relaxed);
}

/* Finds the file's decoder by its first bytes, which become the tail; false: not one of ours. */
static bool look(struct feed *feed, struct feed_block *block)
{
    size_t have = 0;
    fill(feed, block, &have, FORMATS_HEAD);
    struct slice head = slice_of(block->bytes, have);
    buf_add(&feed->tail, head);
    feed->no_memory |= feed->tail.failed || !feed->file_json.at;
    feed->decoder = feed->forced ? feed->forced : formats_recognise(head, feed->ended);
    if (feed->decoder || have == 0) {
        return have > 0;
    }
    if (feed->input->named) {
        struct diag diag;
        diag_say(&diag, ERR_SYNTAX, "no format that is known (--format says which it is)");
        unreadable(feed, block, &diag);
    } else {
        feed->counts.skipped++;
    }
    return false;
}

/* Opens the next file that can be read; false: there is none. */
static bool open_next(struct feed *feed, struct feed_block *block)
{
    while (feed->next_file < feed->inputs->count) {
        struct diag diag = {0};
        feed->input = &feed->inputs->files[feed->next_file++];
        enum err e = stream_open(feed->input, feed->stop, &feed->stream, &diag);
        if (e != OK) {
            feed->stream = NULL;
            unreadable(feed, block, &diag);
            continue;
        }
        feed->ended = false;
        feed->ordinal = 0;
        buf_clear(&feed->cutter.header);
        feed->cutter = (struct cutter){.limits = feed->limits, .header = feed->cutter.header};
        buf_clear(&feed->names);
        buf_json(&feed->names, feed->input->path);
        feed->file_json = arena_copy(&feed->texts, buf_slice(&feed->names));
        uint64_t problems = feed->counts.unreadable;
        if (look(feed, block)) {
            feed->counts.files++;
            return true;
        }
        /* An empty file was read whole. */
        feed->counts.files += feed->tail.size == 0 && feed->counts.unreadable == problems;
        close_file(feed);
    }
    return false;
}

/* What a cut said: records passed over are named, and counted. */
static void take_cut(
        struct feed *feed, struct feed_block *block, const struct cut *cut, const struct diag *diag)
{
    if (cut->rejected > 0) {
        note(feed, block, feed->ordinal + 1, diag);
        feed->counts.rejected += cut->rejected;
    } else if (cut->said) {
        note(feed, block, 0, diag);
    }
    feed->ordinal += cut->rejected;
    block->first = feed->ordinal + 1;
    feed->ordinal += cut->records;
    feed->cutter.offset += cut->skip + cut->size;
}

/* Cuts records off the front of the block's bytes; reads on until there are some. OK: a block;
 * ERR_END: the file gives no more. */
static enum err cut_block(struct feed *feed, struct feed_block *block, size_t *have)
{
    size_t most = feed->limits.record_bytes + FEED_SLACK;
    size_t want = *have > FEED_BLOCK ? *have : FEED_BLOCK;
    buf_clear(&block->header);
    buf_add(&block->header, buf_slice(&feed->cutter.header));
    for (;;) {
        want = want > most && most > FEED_BLOCK ? most : want;
        if (!feed_room(block, want > *have ? want : *have)) {
            struct diag diag;
            diag_say(&diag, ERR_MEMORY, "no memory for a block of %zu bytes", want);
            unreadable(feed, block, &diag);
            return ERR_END;
        }
        fill(feed, block, have, want);
        struct cut cut = {0};
        struct diag diag = {0};
        struct slice bytes = slice_of(block->bytes, *have);
        enum err e = feed->decoder->cut(&feed->cutter, bytes, feed->ended, &cut, &diag);
        if (e != OK) {
            unreadable(feed, block, &diag);
            return ERR_END;
        }
        if (cut.skip + cut.size > 0) {
            take_cut(feed, block, &cut, &diag);
            block->records = slice_of(block->bytes + cut.skip, cut.size);
            block->cutter = feed->cutter;
            block->cutter.header = (struct buf){0};
            return OK;
        }
        if (feed->ended) {
            return ERR_END;
        }
        if (*have >= most && *have >= FEED_BLOCK) {
            diag_say(&diag, ERR_LIMIT, "no end of a record within %zu bytes", most);
            unreadable(feed, block, &diag);
            return ERR_END;
        }
        want *= 2;
    }
}

/* The next block of the open file; false: the file is done (and closed). */
static bool next_of_file(struct feed *feed, struct feed_block *block)
{
    size_t have = feed->tail.size;
    if (!feed_room(block, have > FEED_BLOCK ? have : FEED_BLOCK)) {
        feed->no_memory = true;
        return false;
    }
    if (have > 0) {
        memcpy(block->bytes, feed->tail.at, have);
    }
    buf_clear(&feed->tail);
    if (cut_block(feed, block, &have) != OK) {
        close_file(feed);
        return false;
    }
    size_t used = (size_t)(block->records.at + block->records.size - block->bytes);
    buf_add(&feed->tail, slice_of(block->bytes + used, have - used));
    block->decoder = feed->decoder;
    block->file = feed->input->path;
    block->file_json = feed->file_json;
    block->place.written_ns = feed->input->written_ns;
    block->file_number = (uint32_t)(feed->input - feed->inputs->files);
    feed->no_memory |= feed->tail.failed || feed->cutter.header.failed || block->header.failed;
    if (feed->ended && feed->tail.size == 0) {
        close_file(feed);
    }
    return true;
}

static bool next_locked(struct feed *feed, struct feed_block *block)
{
    while (!feed->no_memory && !atomic_load_explicit(feed->stop, memory_order_relaxed)) {
        if (!feed->stream && !open_next(feed, block)) {
            break;
        }
        if (next_of_file(feed, block)) {
            return true;
        }
        if (block->notes.size > 0) {
            return true; /* said at once, not when the next file gives records */
        }
    }
    return block->notes.size > 0;
}

bool feed_next(struct feed *feed, struct feed_block *block)
{
    if (block->room > FEED_KEPT) {
        memory_free(block->bytes);
        block->bytes = NULL;
        block->room = 0;
    }
    block->decoder = NULL;
    block->records = (struct slice){0};
    block->from = 0;
    block->to = UINT64_MAX;
    buf_clear(&block->notes);
    pthread_mutex_lock(&feed->mutex);
    feed->no_memory |= !feed_room(block, FEED_BLOCK);
    bool more =
            !feed->no_memory && (feed->other ? feed->other(feed, block) : next_locked(feed, block));
    if (more) {
        block->sequence = feed->sequence++;
    }
    pthread_mutex_unlock(&feed->mutex);
    return more;
}
