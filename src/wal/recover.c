#include "wal/recover.h"

#include <string.h>

/* The id from the last HEAD that can be read. */
static enum err learn(
        const struct disk *disk, const char *directory, struct recover *found, struct diag *diag)
{
    for (size_t i = found->names.count; i-- > 0 && !found->log.hex[0];) {
        struct segment segment;
        TRY(segment_open(&segment, disk, directory, found->names.at[i], diag));
        enum err e = segment_learn(&segment, &found->log, diag);
        segment_close(&segment);
        TRY(e);
    }
    return OK;
}

static enum err take_frame(
        struct recover *found, const struct segment *segment, const struct frame *frame)
{
    segment_note_ring(&found->tail_ring, frame);
    if (frame->offset + frame->count <= found->base) {
        return OK;
    }
    if (found->tail.size == 0) {
        found->base = frame->offset;
    }
    buf_add(&found->tail, segment->passed);
    return found->tail.failed ? ERR_MEMORY : OK;
}

static enum err read_frames(struct recover *found, struct segment *segment, struct diag *diag)
{
    for (;;) {
        struct frame frame;
        enum err e = segment_next(segment, SEGMENT_ALL, &frame, diag);
        if (e == ERR_SYNTAX) {
            found->damaged += segment->expected - segment->lost_from;
            continue;
        }
        if (e == ERR_END) {
            break;
        }
        TRY(e);
        if (found->tail.size == 0 && frame.offset + frame.count <= found->base) {
            segment_note_ring(&found->ring, &frame);
        }
        TRY(take_frame(found, segment, &frame));
    }
    found->next = segment->expected;
    if (found->tail.size == 0) {
        found->base = found->next;
    }
    return OK;
}

static enum err read_last(struct recover *found, struct segment *segment, struct diag *diag)
{
    struct segment_id none = {0};
    TRY(segment_learn(segment, found->made ? &none : &found->log, diag));
    if (found->made && segment->scan.marked) { /* its frames are kept as they are */
        memcpy(found->log.mark, segment->scan.mark, sizeof found->log.mark);
    }
    found->ring = segment->ring;
    found->tail_ring = segment->ring;
    TRY(segment_durable(segment, &found->base, diag));
    TRY(read_frames(found, segment, diag));
    uint64_t size;
    TRY(segment->scan.disk->size(segment->scan.disk, segment->scan.file, &size, diag));
    found->torn_bytes = size > segment->scan.at ? size - segment->scan.at : 0;
    return OK;
}

enum err recover_read(
        const struct disk *disk, const char *directory, struct recover *found, struct diag *diag)
{
    TRY(names_list(&found->names, disk, directory, diag));
    TRY(learn(disk, directory, found, diag));
    found->made = !found->log.hex[0];
    if (found->made) {
        found->log = found->fresh;
    }
    if (found->names.count == 0) {
        return OK;
    }
    struct segment segment;
    uint64_t last = found->names.at[found->names.count - 1];
    TRY(segment_open(&segment, disk, directory, last, diag));
    enum err e = read_last(found, &segment, diag);
    segment_close(&segment);
    return e;
}

static enum err remove_at(
        const struct disk *disk, const char *directory, const char *name, struct diag *diag)
{
    struct buf path = {0};
    buf_format(&path, "%s/%s", directory, name);
    buf_byte(&path, '\0');
    enum err e = path.failed ? ERR_MEMORY : disk->remove(disk, path.at, diag);
    buf_fini(&path);
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err recover_remove_unfinished(
        const struct disk *disk, const char *directory, struct diag *diag)
{
    struct arena arena;
    struct disk_names list;
    arena_init(&arena, NAMES_BYTES);
    enum err e = disk->list(disk, directory, &arena, &list, diag);
    for (size_t i = 0; e == OK && i < list.count; i++) {
        if (slice_ends(slice_text(list.at[i]), SLICE(".new"))) {
            e = remove_at(disk, directory, list.at[i], diag);
        }
    }
    arena_fini(&arena);
    return e;
}

void recover_fini(struct recover *found)
{
    names_fini(&found->names);
    buf_fini(&found->tail);
}
