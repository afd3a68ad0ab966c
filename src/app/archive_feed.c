#include "app/archive_feed.h"

#include <string.h>

#include "base/memory.h"
#include "cli/visible.h"

enum err archive_feed_open(
        const struct hunt_input *input, struct archive_feed **out, struct diag *diag)
{
    struct archive_feed *a = memory_alloc(sizeof *a);
    if (!a) {
        return diag_say(diag, ERR_MEMORY, "no memory to read an archive");
    }
    intern_init(&a->names, ARCHIVE_FEED_SOURCES);
    intern_init(&a->names_json, ARCHIVE_FEED_SOURCES);
    enum err e = hunt_archive_open(&a->archive, input, diag);
    e = e == OK ? inputs_new(&a->inputs) : e;
    e = e == OK ? inputs_finish(a->inputs) : e;
    if (e != OK) {
        archive_feed_free(a);
        return e;
    }
    a->inputs->unknown = true; /* how many bytes of records it has */
    hunt_archive_begin(&a->archive);
    *out = a;
    return OK;
}

void archive_feed_free(struct archive_feed *a)
{
    if (a) {
        hunt_archive_fini(&a->archive);
        inputs_free(a->inputs);
        intern_fini(&a->names);
        intern_fini(&a->names_json);
        memory_free(a);
    }
}

/* The source as an input with a number, and as JSON shows it. */
static enum err name_source(struct archive_feed *a, struct slice source, struct feed_block *block)
{
    struct buf json = {0};
    bool fresh;
    uint32_t number;
    TRY(intern_put(&a->names, source, &block->file_number, &fresh));
    block->file = intern_text(&a->names, block->file_number);
    buf_json(&json, source);
    enum err e =
            json.failed ? ERR_MEMORY : intern_put(&a->names_json, buf_slice(&json), &number, NULL);
    buf_fini(&json);
    TRY(e);
    block->file_json = intern_text(&a->names_json, number);
    if (!fresh) {
        return OK;
    }
    struct inputs *inputs = a->inputs;
    if (!memory_grow(&inputs->files, &a->room, inputs->count + 1, sizeof *inputs->files)) {
        return ERR_MEMORY;
    }
    inputs->files[inputs->count++] = (struct input){.path = block->file, .fd = -1};
    return OK;
}

static void add_notes(struct archive_feed *a, struct feed_block *block)
{
    struct slice notes = buf_slice(&a->archive.notes);
    while (notes.size > 0) {
        buf_add(&block->notes, SLICE("merlon: "));
        visible_add(&block->notes, slice_cut(&notes, '\n'), VISIBLE_ANY);
        buf_byte(&block->notes, '\n');
    }
    buf_clear(&a->archive.notes);
}

static enum err fill(struct archive_feed *a, struct feed *feed, struct feed_block *block)
{
    const struct hunt_input *r = a->archive.input;
    struct hunt_archive_piece piece;
    struct diag ignored = {0};
    TRY(hunt_archive_next(&a->archive, &piece, &ignored));
    TRY(name_source(a, piece.source, block));
    if (!piece.decoder) {
        buf_format(&a->archive.notes, "%.*s: records from %llu on: no decoder knows them\n",
                SLICE_ARG(piece.source), (unsigned long long)piece.first);
        feed->counts.rejected += piece.count;
        return OK;
    }
    block->decoder = piece.decoder;
    block->first = piece.first;
    block->place.written_ns = piece.received_ns;
    block->from = r->from.timed ? 0 : r->from.offset;
    block->to = r->to.timed ? UINT64_MAX : r->to.offset;
    buf_clear(&block->header);
    buf_add(&block->header, piece.header);
    feed->consumed += piece.bytes.size;
    if (block->header.failed || !feed_room(block, piece.bytes.size)) {
        return ERR_MEMORY;
    }
    memcpy(block->bytes, piece.bytes.at, piece.bytes.size);
    block->records = slice_of(block->bytes, piece.bytes.size);
    return OK;
}

bool archive_feed_next(struct feed *feed, struct feed_block *block)
{
    struct archive_feed *a = feed->context;
    if (atomic_load_explicit(feed->stop, memory_order_relaxed)) {
        return false;
    }
    enum err e = fill(a, feed, block);
    add_notes(a, block);
    feed->counts.files = a->archive.files;
    feed->counts.unreadable = a->archive.unread;
    feed->no_memory |= e != OK && e != ERR_END;
    return e == OK || block->notes.size > 0;
}
