#include "app/live_restore.h"

#include "app/live_swaps.h"
#include "base/buf.h"
#include "cli/verb.h"
#include "wal/names.h"
#include "wal/reader.h"

/* What was read of a result and waits for its last part. */
struct pending {
    struct buf frames;
    uint64_t of; /* the result goes up to this offset */
    struct live_swaps swaps;
};

static uint64_t number_of(const struct frame *frame, enum frame_tag tag)
{
    struct slice value = frame->attribute[tag];
    return value.size >= 8 ? frame_get64(value.at) : 0;
}

static enum err keep(struct pending *p, const struct frame *frame)
{
    uint64_t of = number_of(frame, FRAME_PART);
    if (of != p->of) {
        buf_clear(&p->frames);
    }
    p->of = of;
    return frame_write(frame, &p->frames, NULL);
}

/* As when they were judged: time goes on where a result is whole. */
enum err live_restore_frames(struct live *live, struct slice frames)
{
    struct frame frame;
    size_t size;
    uint64_t of = 0;
    int64_t receipt_ns = LIVE_NONE;
    while (frames.size > 0 && frame_read(frames, &frame, &size, NULL) == OK) {
        if (receipt_ns == LIVE_NONE || number_of(&frame, FRAME_PART) != of) {
            TRY(receipt_ns == LIVE_NONE ? OK : live_advance(live, receipt_ns));
            live_begin(live, frame.receipt_ns);
        }
        of = number_of(&frame, FRAME_PART);
        receipt_ns = frame.receipt_ns;
        TRY(live_take(live, &frame));
        frames = slice_from(frames, size);
    }
    return receipt_ns == LIVE_NONE ? OK : live_advance(live, receipt_ns);
}

/* ERR_END: what comes is judged again. */
static enum err read_one(
        struct live *live, struct pending *p, const struct frame *frame, uint64_t most)
{
    if (frame->kind == FRAME_MATCHES) {
        return keep(p, frame);
    }
    if (frame->kind != FRAME_FINDINGS || frame->attribute[FRAME_PART].at) {
        return OK;
    }
    uint64_t through = number_of(frame, FRAME_THROUGH);
    if (through > most) {
        return ERR_END;
    }
    if (through > p->of) {
        buf_clear(&p->frames); /* nobody stood by it */
    } else if (through == p->of) {
        TRY(live_restore_frames(live, buf_slice(&p->frames)));
        buf_clear(&p->frames);
    }
    if (live_swaps_note(&p->swaps, frame->attribute[FRAME_RULESET], 0)) {
        return OK; /* it says when the rules changed, and that is no time of records */
    }
    if (frame->attribute[FRAME_CLOCK].size == 8) {
        int64_t now = (int64_t)number_of(frame, FRAME_CLOCK);
        live_begin(live, now);
        return live_advance(live, now);
    }
    return OK;
}

/* ---- where to begin ---------------------------------------------------------------------------
 */

/* The first time of the log that a segment tells; INT64_MAX: none. */
static enum err first_time(
        const struct live_span *span, uint64_t base, int64_t *ns, struct diag *diag)
{
    struct wal_reader *reader;
    struct frame frame;
    *ns = INT64_MAX;
    TRY(reader_open(span->directory, &disk_real, base, &reader, diag));
    enum err e;
    while ((e = reader_next(reader, span->committed, &frame, diag)) == OK || e == ERR_SYNTAX) {
        if (e == OK && frame.kind == FRAME_MATCHES) {
            *ns = frame.receipt_ns;
            break;
        }
        if (e == OK && frame.kind == FRAME_FINDINGS && frame.attribute[FRAME_CLOCK].size == 8) {
            *ns = (int64_t)number_of(&frame, FRAME_CLOCK);
            break;
        }
    }
    reader_close(reader);
    return e == ERR_END ? OK : e;
}

/* Segment by segment back to one that begins before all that matters: now, and when it was last
 * judged, however long ago that is, for what waited then has not fired yet. */
static enum err find_begin(
        const struct live *live, const struct live_span *span, uint64_t *begin, struct diag *diag)
{
    int64_t since = span->since_ns;
    bool newest = true;
    struct names names = {0};
    enum err e = names_list(&names, &disk_real, span->directory, diag);
    *begin = 0;
    for (size_t i = names.count; e == OK && i-- > 0;) {
        int64_t ns;
        e = first_time(span, names.at[i], &ns, diag);
        if (e == OK && newest && ns != INT64_MAX) {
            int64_t then = live_since(live, ns);
            since = then < since ? then : since;
            newest = false;
        }
        if (e == OK && ns < since) {
            *begin = names.at[i];
            break;
        }
    }
    names_fini(&names);
    return e;
}

/* The first result by another set than the one before says from when on it was in force. */
static enum err find_swaps(
        const struct live_span *span, uint64_t begin, struct live_swaps *swaps, struct diag *diag)
{
    struct wal_reader *reader;
    struct frame frame;
    TRY(reader_open(span->directory, &disk_real, begin, &reader, diag));
    enum err e;
    while ((e = reader_next(reader, span->committed, &frame, diag)) == OK || e == ERR_SYNTAX) {
        if (e != OK || frame.kind != FRAME_FINDINGS || frame.attribute[FRAME_PART].at) {
            continue;
        }
        if (number_of(&frame, FRAME_THROUGH) > span->most) {
            break;
        }
        bool timed = frame.attribute[FRAME_CLOCK].size == 8;
        live_swaps_note(swaps, frame.attribute[FRAME_RULESET],
                timed ? (int64_t)number_of(&frame, FRAME_CLOCK) : frame.receipt_ns);
    }
    reader_close(reader);
    return e == ERR_END ? OK : e;
}

static enum err tell_swaps(
        struct live *live, const struct live_span *span, uint64_t begin, struct diag *diag)
{
    struct live_swaps swaps = {0};
    TRY(find_swaps(span, begin, &swaps, diag));
    return live_swaps_tell(&swaps, live, span->rulesets, diag);
}

enum err live_restore(struct live *live, const struct live_span *span, struct diag *diag)
{
    struct wal_reader *reader;
    struct pending pending = {0};
    struct frame frame;
    uint64_t begin;
    enum err e = find_begin(live, span, &begin, diag);
    e = e == OK ? tell_swaps(live, span, begin, diag) : e;
    e = e == OK ? reader_open(span->directory, &disk_real, begin, &reader, diag) : e;
    if (e != OK) {
        return e == ERR_NOT_FOUND ? OK : e;
    }
    live_mute(live, true);
    while ((e = reader_next(reader, span->committed, &frame, diag)) == OK || e == ERR_SYNTAX) {
        if (e == ERR_SYNTAX) {
            verb_say("findings: %s", diag->words);
            continue;
        }
        e = read_one(live, &pending, &frame, span->most);
        if (e != OK) {
            break;
        }
    }
    live_mute(live, false);
    buf_fini(&pending.frames);
    reader_close(reader);
    return e == ERR_END ? OK : e;
}
