#include "wal/wal.h"

#include <string.h>

#include "base/memory.h"
#include "base/point.h"
#include "base/random.h"
#include "wal/names.h"
#include "wal/recover.h"
#include "wal/segment.h"

enum { SEGMENT_BYTES = 256 << 20, NO_FILE = -1, ID_BYTES = 16 };

struct wal {
    const struct disk *disk;
    struct wal_options options;
    struct wal_found found;
    char *directory;
    int lock;
    int file; /* of the last segment, or NO_FILE: the next commit begins one */
    uint64_t size;
    struct names names; /* of the segments, the last one included */
    char mark[FRAME_MARK_SIZE];
    struct buf waiting; /* frames behind `committed` */
    uint64_t next, committed;
    int64_t oldest_ns, newest_ns; /* receipt times in the segment */
    bool dated;                   /* they are set */
    bool unsynced_removal;
    struct segment_ring ring, waiting_ring;
    uint64_t failures;
};

static enum err path_of(const struct wal *wal, uint64_t base, const char *suffix, struct buf *path)
{
    char name[SEGMENT_NAME];
    segment_name(name, base, suffix);
    buf_format(path, "%s/%s", wal->directory, name);
    buf_byte(path, '\0');
    return path->failed ? ERR_MEMORY : OK;
}

static void close_file(struct wal *wal)
{
    if (wal->file != NO_FILE) {
        wal->disk->close(wal->disk, wal->file);
        wal->file = NO_FILE;
    }
}

/* All that waited is on disk. */
static void committed(struct wal *wal)
{
    wal->committed = wal->next;
    wal->ring = wal->waiting_ring;
    buf_clear(&wal->waiting);
    if (wal->options.committed) {
        atomic_store_explicit(wal->options.committed, wal->committed, memory_order_release);
    }
}

/* ---- segments ----------------------------------------------------------------------------- */

static enum err head_frame(const struct wal *wal, struct buf *out, struct diag *diag)
{
    struct frame head = {.kind = FRAME_HEAD, .offset = wal->committed, .durable = wal->committed};
    head.receipt_ns = wal->newest_ns;
    head.attribute[FRAME_MARK] = slice_of(wal->mark, sizeof wal->mark);
    head.attribute[FRAME_LOG] = slice_text(wal->found.log);
    if (wal->ring.there) {
        head.attribute[FRAME_RING] = slice_of(wal->ring.bytes, sizeof wal->ring.bytes);
    }
    return frame_write(&head, out, diag);
}

/* HEAD and what waits, on disk in a file that has no segment's name yet. */
static enum err fill_file(struct wal *wal, int file, uint64_t *size, struct diag *diag)
{
    const struct disk *disk = wal->disk;
    struct buf head = {0};
    enum err e = head_frame(wal, &head, diag);
    if (e == OK) {
        e = disk->write(disk, file, 0, buf_slice(&head), diag);
    }
    if (e == OK && wal->waiting.size) {
        e = disk->write(disk, file, head.size, buf_slice(&wal->waiting), diag);
    }
    if (e == OK) {
        e = disk->sync(disk, file, diag);
    }
    *size = head.size + wal->waiting.size;
    buf_fini(&head);
    return e;
}

static enum err make_file(
        struct wal *wal, const char *path, int *file, uint64_t *size, struct diag *diag)
{
    const struct disk *disk = wal->disk;
    enum err e = disk->remove(disk, path, diag); /* of an attempt that failed */
    if (e != OK && e != ERR_NOT_FOUND) {
        return e;
    }
    TRY(disk->create(disk, path, file, diag));
    e = fill_file(wal, *file, size, diag);
    if (e != OK) {
        disk->close(disk, *file);
    }
    return e;
}

/* A new segment from `committed` on, with all that waits. It is complete and on disk before it gets
 * its name. One of that name holds nothing that was committed: it is replaced. */
static enum err publish(struct wal *wal, struct buf *made, struct buf *named, struct diag *diag)
{
    const struct disk *disk = wal->disk;
    TRY(path_of(wal, wal->committed, ".new", made));
    TRY(path_of(wal, wal->committed, ".seg", named));
    struct names *names = &wal->names;
    if (!memory_grow(&names->at, &names->room, names->count + 1, sizeof *names->at)) {
        return ERR_MEMORY;
    }
    int file;
    uint64_t size;
    TRY(make_file(wal, made->at, &file, &size, diag));
    point_pass("segment.made");
    enum err e = disk->rename(disk, made->at, named->at, diag);
    point_pass("segment.named");
    if (e == OK) {
        e = disk->sync_directory(disk, wal->directory, diag);
    }
    point_pass("segment.published");
    if (e != OK) {
        disk->close(disk, file);
        return e;
    }
    if (names->count == 0 || names->at[names->count - 1] != wal->committed) {
        names->at[names->count++] = wal->committed;
    }
    wal->file = file;
    wal->size = size;
    wal->unsynced_removal = false;
    wal->dated = wal->waiting.size > 0;
    wal->oldest_ns = wal->newest_ns;
    committed(wal);
    return OK;
}

static enum err begin_segment(struct wal *wal, struct diag *diag)
{
    struct buf made = {0}, named = {0};
    enum err e = publish(wal, &made, &named, diag);
    buf_fini(&made);
    buf_fini(&named);
    return e;
}

/* The end of the segment; where that fails it ends without: all in it is on disk. */
static void seal(struct wal *wal)
{
    struct buf out = {0};
    struct frame frame = {.kind = FRAME_SEAL, .offset = wal->committed, .durable = wal->committed};
    frame.receipt_ns = wal->newest_ns;
    frame.attribute[FRAME_MARK] = slice_of(wal->mark, sizeof wal->mark);
    enum err e = frame_write(&frame, &out, NULL);
    point_pass("seal.before_write");
    if (e == OK) {
        e = wal->disk->write(wal->disk, wal->file, wal->size, buf_slice(&out), NULL);
    }
    point_pass("seal.before_sync");
    if (e == OK) {
        e = wal->disk->sync(wal->disk, wal->file, NULL);
    }
    point_pass("seal.done");
    wal->failures += e != OK;
    buf_fini(&out);
    close_file(wal);
}

static bool finished(const struct wal *wal)
{
    uint64_t most = wal->options.segment_bytes ? wal->options.segment_bytes : SEGMENT_BYTES;
    int64_t age;
    bool old = wal->options.segment_ns > 0 && wal->dated &&
               !__builtin_sub_overflow(wal->newest_ns, wal->oldest_ns, &age) &&
               age >= wal->options.segment_ns;
    return old || wal->size >= most;
}

/* ---- opening ------------------------------------------------------------------------------ */

static enum err new_id(const struct wal *wal, struct segment_id *id, struct diag *diag)
{
    static const char hex[] = "0123456789abcdef";
    char bytes[ID_BYTES + FRAME_MARK_SIZE];
    TRY((wal->options.random ? wal->options.random : random_fill)(bytes, sizeof bytes, diag));
    for (size_t i = 0; i < ID_BYTES; i++) {
        id->hex[2 * i] = hex[(unsigned char)bytes[i] >> 4];
        id->hex[2 * i + 1] = hex[(unsigned char)bytes[i] & 15];
    }
    memcpy(id->mark, bytes + ID_BYTES, sizeof id->mark);
    return OK;
}

static void tell_found(struct wal *wal, const struct recover *recover)
{
    struct wal_found *found = &wal->found;
    found->first = wal->names.count ? wal->names.at[0] : 0;
    found->next = recover->next;
    found->segments = wal->names.count;
    found->again = recover->next - recover->base;
    found->torn_bytes = recover->torn_bytes;
    found->damaged = recover->damaged;
    found->has_ring = recover->tail_ring.there;
    if (found->has_ring) {
        memcpy(found->ring_id, recover->tail_ring.bytes, sizeof found->ring_id);
        found->ring_position = frame_get64(recover->tail_ring.bytes + sizeof found->ring_id);
    }
}

/* Takes over what was found: names and tail are the wal's from here on. */
static enum err take_over(struct wal *wal, struct recover *recover, struct diag *diag)
{
    wal->names = recover->names;
    wal->waiting = recover->tail;
    recover->names = (struct names){0};
    recover->tail = (struct buf){0};
    wal->committed = recover->base;
    wal->next = recover->next;
    wal->ring = recover->ring;
    wal->waiting_ring = recover->tail_ring;
    memcpy(wal->found.log, recover->log.hex, sizeof wal->found.log);
    wal->found.made = recover->made;
    memcpy(wal->mark, recover->log.mark, sizeof wal->mark);
    tell_found(wal, recover);
    TRY(recover_remove_unfinished(wal->disk, wal->directory, diag));
    return begin_segment(wal, diag);
}

/* The directory and its own name on disk, held by this process. */
static enum err hold_directory(struct wal *wal, struct diag *diag)
{
    const struct disk *disk = wal->disk;
    struct slice path = slice_text(wal->directory);
    TRY(disk->make_directory(disk, wal->directory, diag));
    size_t slash = path.size;
    while (slash > 0 && path.at[slash - 1] != '/') {
        slash--;
    }
    struct buf above = {0};
    buf_add(&above, slash ? slice_of(path.at, slash > 1 ? slash - 1 : 1) : SLICE("."));
    buf_byte(&above, '\0');
    enum err e = above.failed ? ERR_MEMORY : disk->sync_directory(disk, above.at, diag);
    buf_clear(&above);
    buf_format(&above, "%s/lock", wal->directory);
    buf_byte(&above, '\0');
    if (e == OK) {
        e = above.failed ? ERR_MEMORY : disk->lock(disk, above.at, &wal->lock, diag);
    }
    buf_fini(&above);
    return e;
}

static enum err start(struct wal *wal, const char *directory, struct diag *diag)
{
    size_t size = strlen(directory) + 1;
    wal->directory = memory_alloc(size);
    if (!wal->directory) {
        return ERR_MEMORY;
    }
    memcpy(wal->directory, directory, size);
    TRY(hold_directory(wal, diag));
    struct recover recover = {0};
    TRY(new_id(wal, &recover.fresh, diag));
    point_pass("recover.begin");
    enum err e = recover_read(wal->disk, directory, &recover, diag);
    point_pass("recover.read");
    if (e == OK) {
        e = take_over(wal, &recover, diag);
    }
    point_pass("recover.end");
    recover_fini(&recover);
    return e;
}

static void free_wal(struct wal *wal)
{
    close_file(wal);
    if (wal->lock != NO_FILE) {
        wal->disk->close(wal->disk, wal->lock);
    }
    names_fini(&wal->names);
    buf_fini(&wal->waiting);
    memory_free(wal->directory);
    memory_free(wal);
}

enum err wal_open(const char *directory, const struct wal_options *options, struct wal **out,
        struct diag *diag)
{
    struct wal *wal = memory_alloc(sizeof *wal);
    if (!wal) {
        return ERR_MEMORY;
    }
    wal->disk = options->disk;
    wal->options = *options;
    wal->lock = NO_FILE;
    wal->file = NO_FILE;
    enum err e = start(wal, directory, diag);
    if (e != OK) {
        free_wal(wal);
        return e;
    }
    *out = wal;
    return OK;
}

void wal_close(struct wal *wal)
{
    if (!wal) {
        return;
    }
    if (wal->file != NO_FILE && wal->waiting.size == 0) {
        seal(wal);
    }
    free_wal(wal);
}

/* ---- appending ---------------------------------------------------------------------------- */

static enum err check_room(const struct wal *wal, struct diag *diag)
{
    uint64_t room;
    if (wal->options.reserve_bytes == 0 || wal->waiting.size > 0) {
        return OK; /* asked once for each commit */
    }
    TRY(wal->disk->room(wal->disk, wal->directory, &room, diag));
    if (room < wal->options.reserve_bytes) {
        return diag_say(diag, ERR_LIMIT, "%s: %llu bytes are free, %llu are kept in reserve",
                wal->directory, (unsigned long long)room,
                (unsigned long long)wal->options.reserve_bytes);
    }
    return OK;
}

static void note_receipt(struct wal *wal, int64_t receipt_ns)
{
    wal->newest_ns = receipt_ns;
    if (!wal->dated) {
        wal->oldest_ns = receipt_ns;
        wal->dated = true;
    }
}

enum err wal_append(struct wal *wal, struct frame *frame, struct diag *diag)
{
    uint64_t next;
    struct frame whole = *frame;
    if (frame->kind == FRAME_HEAD || frame->kind == FRAME_SEAL) {
        return diag_say(diag, ERR_USAGE, "the log writes its own HEAD and SEAL");
    }
    if (whole.count == 0) {
        frame_take_empty(&whole);
    }
    if (__builtin_add_overflow(wal->next, (uint64_t)whole.count, &next)) {
        return diag_say(diag, ERR_LIMIT, "no offsets are left");
    }
    TRY(check_room(wal, diag));
    whole.offset = wal->next;
    whole.durable = wal->committed;
    whole.attribute[FRAME_MARK] = slice_of(wal->mark, sizeof wal->mark);
    size_t before = wal->waiting.size;
    enum err e = frame_write(&whole, &wal->waiting, diag);
    wal->waiting.failed = false; /* refused once, not for ever */
    if (e == OK && wal->waiting.size > WAL_WAITING) {
        wal->waiting.size = before;
        e = diag_say(diag, ERR_LIMIT, "more than %d bytes wait for the disk", (int)WAL_WAITING);
    }
    if (e != OK) {
        return e;
    }
    wal->next = next;
    note_receipt(wal, whole.receipt_ns);
    segment_note_ring(&wal->waiting_ring, &whole);
    *frame = whole;
    return OK;
}

enum err wal_commit(struct wal *wal, struct diag *diag)
{
    const struct disk *disk = wal->disk;
    if (wal->waiting.size == 0) {
        return OK;
    }
    if (wal->file != NO_FILE && finished(wal)) {
        seal(wal);
    }
    if (wal->file == NO_FILE) {
        return begin_segment(wal, diag);
    }
    point_pass("commit.before_write");
    enum err e = disk->write(disk, wal->file, wal->size, buf_slice(&wal->waiting), diag);
    point_pass("commit.before_sync");
    if (e == ERR_LIMIT) {
        return e; /* the same bytes go to the same place later */
    }
    if (e == OK) {
        e = disk->sync(disk, wal->file, diag);
    }
    point_pass("commit.after_sync");
    if (e == OK) {
        wal->size += wal->waiting.size;
        committed(wal);
        point_pass("commit.published");
        return OK;
    }
    /* Nothing is known of what this file holds behind what was committed: never again to it. */
    wal->failures++;
    close_file(wal);
    return begin_segment(wal, diag);
}

/* ---- the rest ----------------------------------------------------------------------------- */

const struct wal_found *wal_found(const struct wal *wal)
{
    return &wal->found;
}

uint64_t wal_committed(const struct wal *wal)
{
    return wal->committed;
}

uint64_t wal_next(const struct wal *wal)
{
    return wal->next;
}

uint64_t wal_waiting(const struct wal *wal)
{
    return wal->waiting.size;
}

uint64_t wal_failures(const struct wal *wal)
{
    return wal->failures;
}

/* The name is gone from the disk before the next one goes: what is left has no hole. */
static enum err remove_first(struct wal *wal, struct diag *diag)
{
    const struct disk *disk = wal->disk;
    struct names *names = &wal->names;
    struct buf path = {0};
    enum err e = path_of(wal, names->at[0], ".seg", &path);
    point_pass("remove.before");
    if (e == OK) {
        e = disk->remove(disk, path.at, diag);
    }
    point_pass("remove.after");
    buf_fini(&path);
    if (e != OK && e != ERR_NOT_FOUND) {
        return e;
    }
    names->count--;
    memmove(names->at, names->at + 1, names->count * sizeof *names->at);
    wal->unsynced_removal = true;
    return OK;
}

static enum err sync_removal(struct wal *wal, struct diag *diag)
{
    if (wal->unsynced_removal) {
        TRY(wal->disk->sync_directory(wal->disk, wal->directory, diag));
        wal->unsynced_removal = false;
    }
    return OK;
}

enum err wal_remove(struct wal *wal, uint64_t below, uint64_t *first, struct diag *diag)
{
    const struct names *names = &wal->names;
    enum err e = sync_removal(wal, diag);
    while (e == OK && names->count > 1 && names->at[1] <= below && names->at[1] <= wal->committed) {
        e = remove_first(wal, diag);
        if (e == OK) {
            e = sync_removal(wal, diag);
        }
    }
    *first = names->at[0];
    return e;
}
