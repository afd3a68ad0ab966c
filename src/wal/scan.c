#include "wal/scan.h"

enum { PIECE = 256 << 10, KEEP = 4 << 20 };

static struct slice here(const struct scan *scan)
{
    struct slice none = {0};
    return scan->bytes.at ? slice_from(buf_slice(&scan->bytes), (size_t)(scan->at - scan->start))
                          : none;
}

/* What stands before the place is not needed any more. */
static void drop_passed(struct scan *scan)
{
    struct slice rest = here(scan);
    if (rest.size == 0 && scan->bytes.room > KEEP) {
        buf_fini(&scan->bytes);
    } else if (rest.size && scan->at > scan->start) {
        memmove(scan->bytes.at, rest.at, rest.size);
    }
    scan->bytes.size = rest.size;
    scan->start = scan->at;
}

/* At least `want` bytes from the place on, or all that the file has. */
static enum err fill(struct scan *scan, size_t want, struct diag *diag)
{
    struct slice rest = here(scan);
    if (rest.size >= want) {
        return OK;
    }
    drop_passed(scan);
    size_t more = want - rest.size > PIECE ? want - rest.size : PIECE;
    char *to = buf_reserve(&scan->bytes, more);
    if (!to) {
        scan->bytes.failed = false;
        return diag_say(diag, ERR_MEMORY, "no memory to read %zu bytes of the log", more);
    }
    struct disk_read read = {.to = to, .size = more};
    uint64_t at = scan->start + scan->bytes.size;
    TRY(scan->disk->read(scan->disk, scan->file, at, &read, diag));
    scan->bytes.size += read.got;
    return OK;
}

/* The sum is right; is it a frame of this log, and where it may stand? */
static enum err check(const struct scan *scan, const struct frame *frame, struct diag *diag)
{
    struct slice mark = frame->attribute[FRAME_MARK];
    if (mark.size != FRAME_MARK_SIZE ||
            (scan->marked && !slice_equal(mark, slice_of(scan->mark, sizeof scan->mark)))) {
        return diag_say(diag, ERR_SYNTAX, "no frame: its mark is not that of this log");
    }
    if (frame->kind == FRAME_HEAD && scan->at > 0) {
        return diag_say(diag, ERR_SYNTAX, "no frame: a HEAD that does not stand in front");
    }
    return OK;
}

enum err scan_frame(struct scan *scan, struct frame *frame, struct diag *diag)
{
    struct frame found;
    TRY(fill(scan, FRAME_FIXED, diag));
    TRY(fill(scan, frame_size(here(scan)), diag));
    TRY(frame_read(here(scan), &found, &scan->size, diag));
    TRY(check(scan, &found, diag));
    *frame = found;
    return OK;
}

struct slice scan_bytes(const struct scan *scan)
{
    return slice_of(here(scan).at, scan->size);
}

void scan_pass(struct scan *scan)
{
    scan->at += scan->size;
    scan->size = 0;
}

static enum err search_on(struct scan *scan, const struct frame_search *search, struct diag *diag)
{
    uint64_t size;
    TRY(scan->disk->size(scan->disk, scan->file, &size, diag));
    for (;;) {
        /* A frame that begins in the first half stands here whole. */
        uint64_t left = size > scan->at ? size - scan->at : 0;
        TRY(fill(scan, left < 2 * FRAME_LIMIT ? (size_t)left : 2 * (size_t)FRAME_LIMIT, diag));
        struct slice bytes = here(scan);
        size_t at = bytes.size ? frame_search(bytes, 0, search) : 0;
        if (at < bytes.size) {
            scan->at += at;
            return OK;
        }
        if (bytes.size < 2 * (size_t)FRAME_LIMIT) {
            return ERR_END;
        }
        scan->at += FRAME_LIMIT;
    }
}

enum err scan_search(struct scan *scan, uint64_t least, uint64_t below, struct diag *diag)
{
    uint64_t at = scan->at;
    struct frame_search search = {.least = least, .below = below};
    if (scan->marked) {
        search.mark = slice_of(scan->mark, sizeof scan->mark);
    }
    enum err e = search_on(scan, &search, diag);
    if (e != OK) {
        scan->at = at;
        scan_forget(scan);
    }
    return e;
}

void scan_set_mark(struct scan *scan, const char *mark)
{
    memcpy(scan->mark, mark, sizeof scan->mark);
    scan->marked = true;
}

void scan_forget(struct scan *scan)
{
    buf_clear(&scan->bytes);
    scan->start = scan->at;
    if (scan->bytes.room > KEEP) {
        buf_fini(&scan->bytes);
    }
}

void scan_fini(struct scan *scan)
{
    buf_fini(&scan->bytes);
}
