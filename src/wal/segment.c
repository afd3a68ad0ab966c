#include "wal/segment.h"

#include <stdio.h>
#include <string.h>

enum { DIGITS = 20 };

void segment_name(char name[SEGMENT_NAME], uint64_t base, const char *suffix)
{
    snprintf(name, SEGMENT_NAME, "%0*llu%s", DIGITS, (unsigned long long)base, suffix);
}

bool segment_parse_name(const char *name, uint64_t *base)
{
    struct slice text = slice_text(name);
    if (text.size != DIGITS + 4 || !slice_ends(text, SLICE(".seg"))) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        if (!slice_is_digit(name[i]) || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
                __builtin_add_overflow(value, (uint64_t)(name[i] - '0'), &value)) {
            return false;
        }
    }
    *base = value;
    return true;
}

enum err segment_open(struct segment *segment, const struct disk *disk, const char *directory,
        uint64_t base, struct diag *diag)
{
    int file;
    char name[SEGMENT_NAME];
    struct buf path = {0};
    segment_name(name, base, ".seg");
    buf_format(&path, "%s/%s", directory, name);
    buf_byte(&path, '\0');
    enum err e = path.failed ? ERR_MEMORY : disk->open(disk, path.at, &file, diag);
    buf_fini(&path);
    TRY(e);
    *segment = (struct segment){.scan = {.disk = disk, .file = file},
            .base = base,
            .limit = UINT64_MAX,
            .expected = base};
    return OK;
}

void segment_close(struct segment *segment)
{
    scan_fini(&segment->scan);
    segment->scan.disk->close(segment->scan.disk, segment->scan.file);
}

void segment_note_ring(struct segment_ring *ring, const struct frame *frame)
{
    struct slice bytes = frame->attribute[FRAME_RING];
    if (bytes.size == SEGMENT_RING) {
        memcpy(ring->bytes, bytes.at, SEGMENT_RING);
        ring->there = true;
    }
}

static bool take_head(struct segment *segment, const struct frame *frame, struct segment_id *id)
{
    struct slice hex = frame->attribute[FRAME_LOG];
    if (frame->kind != FRAME_HEAD || frame->offset != segment->base ||
            hex.size != sizeof id->hex - 1) {
        return false;
    }
    memcpy(id->hex, hex.at, hex.size);
    id->hex[hex.size] = '\0';
    memcpy(id->mark, frame->attribute[FRAME_MARK].at, sizeof id->mark);
    segment->headed = true;
    segment_note_ring(&segment->ring, frame);
    return true;
}

/* The first frame that can be read stands before all records but its own. */
static enum err learn_from_first(struct segment *segment, struct diag *diag)
{
    struct scan *scan = &segment->scan;
    struct frame frame;
    enum err e;
    do { /* one that has no mark, or may not stand there, says nothing */
        TRY(scan_search(scan, segment->base, UINT64_MAX, diag));
        e = scan_frame(scan, &frame, diag);
        scan->at += e == ERR_SYNTAX;
    } while (e == ERR_SYNTAX);
    TRY(e);
    scan_set_mark(scan, frame.attribute[FRAME_MARK].at);
    return OK;
}

enum err segment_learn(struct segment *segment, struct segment_id *id, struct diag *diag)
{
    struct scan *scan = &segment->scan;
    struct frame frame;
    enum err e = scan_frame(scan, &frame, diag);
    if (e != OK && e != ERR_SYNTAX && e != ERR_END) {
        return e;
    }
    if ((e == OK && take_head(segment, &frame, id)) || id->hex[0]) {
        scan_set_mark(scan, id->mark);
        return OK;
    }
    e = learn_from_first(segment, diag);
    scan->at = 0;
    scan_forget(scan);
    return e == ERR_SYNTAX || e == ERR_END ? OK : e;
}

static bool bare(const struct frame *frame)
{
    return frame->kind == FRAME_HEAD || frame->kind == FRAME_SEAL;
}

/* The next frame, where none that may stand there stands at the place: a search could find that
 * same one, a HEAD that is not in front. */
static enum err search_behind(struct scan *scan, struct diag *diag)
{
    uint64_t at = scan->at;
    TRY(scan_search(scan, 0, UINT64_MAX, diag));
    if (scan->at > at) {
        return OK;
    }
    scan->at++;
    return scan_search(scan, 0, UINT64_MAX, diag);
}

enum err segment_durable(struct segment *segment, uint64_t *durable, struct diag *diag)
{
    struct scan *scan = &segment->scan;
    uint64_t kept = scan->at, most = segment->base;
    struct frame frame;
    enum err e;
    for (;;) {
        e = scan_frame(scan, &frame, diag);
        if (e == OK) {
            most = frame.durable > most ? frame.durable : most;
            scan_pass(scan);
            continue;
        }
        if (e == ERR_SYNTAX || e == ERR_END) {
            e = search_behind(scan, diag);
        }
        if (e != OK) {
            break;
        }
    }
    scan->at = kept;
    scan_forget(scan);
    if (e != ERR_END) {
        return e;
    }
    *durable = most;
    return OK;
}

/* Below it every offset must be here: the next segment's name, the writer or later frames say so.
 */
static enum err must_have(
        struct segment *segment, uint64_t committed, uint64_t *durable, struct diag *diag)
{
    if (segment->limit != UINT64_MAX || committed != SEGMENT_ALL) {
        *durable = segment->limit < committed ? segment->limit : committed;
        return OK;
    }
    return segment_durable(segment, durable, diag);
}

/* To the next frame that goes on at or behind what is expected. ERR_END: none below `durable`. */
static enum err find_next(
        struct segment *segment, uint64_t durable, struct frame *frame, struct diag *diag)
{
    struct scan *scan = &segment->scan;
    uint64_t at = scan->at;
    enum err e;
    for (;;) {
        e = scan_search(scan, segment->expected, durable + 1, diag);
        if (e == OK) {
            e = scan_frame(scan, frame, diag);
        }
        if (e == OK && frame->offset + frame->count <= segment->limit) {
            return OK;
        }
        if (e != OK && e != ERR_SYNTAX) {
            break;
        }
        scan->at++;
    }
    scan->at = at;
    scan_forget(scan);
    return e;
}

/* No frame stands here that counts. OK: one further on goes on without a gap. */
static enum err pass_gap(struct segment *segment, uint64_t committed, struct diag *diag)
{
    uint64_t durable, at = segment->scan.at;
    TRY(must_have(segment, committed, &durable, diag));
    if (durable <= segment->expected) {
        return ERR_END;
    }
    struct frame frame;
    enum err e = find_next(segment, durable, &frame, diag);
    if (e != OK && e != ERR_END) {
        return e;
    }
    uint64_t next = e == OK ? frame.offset : durable;
    segment->strange += segment->scan.at - at;
    if (next == segment->expected) {
        return OK;
    }
    segment->lost_from = segment->expected;
    segment->expected = next;
    return diag_say(diag, ERR_SYNTAX, "offsets %llu to %llu cannot be read",
            (unsigned long long)segment->lost_from, (unsigned long long)next - 1);
}

/* Does the frame at the place count? One that reaches over the next segment's begin does not. */
static bool fits(struct segment *segment, const struct frame *frame)
{
    uint64_t end = frame->offset + frame->count;
    return frame->offset == segment->expected && end <= segment->limit;
}

enum err segment_next(
        struct segment *segment, uint64_t committed, struct frame *frame, struct diag *diag)
{
    struct scan *scan = &segment->scan;
    for (;;) {
        uint64_t most = committed < segment->limit ? committed : segment->limit;
        struct frame found;
        enum err e = scan_frame(scan, &found, diag);
        if (e == OK && fits(segment, &found)) {
            if (found.offset + found.count > most) {
                return ERR_END;
            }
            segment->expected += found.count;
            segment->sealed = found.kind == FRAME_SEAL;
            segment->passed = scan_bytes(scan);
            scan_pass(scan);
            if (!bare(&found)) {
                *frame = found;
                return OK;
            }
            continue;
        }
        if (e != OK && e != ERR_SYNTAX && e != ERR_END) {
            return e;
        }
        if (committed != SEGMENT_ALL && (segment->expected >= most || !segment->certain)) {
            return ERR_END;
        }
        TRY(pass_gap(segment, committed, diag));
    }
}
