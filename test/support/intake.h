/* intake: bytes through a decoder and a judge, as the program does it, one event at a time.
 *
 *     struct intake intake;
 *     TRY(intake_init(&intake, engine, "json", diag));
 *     TRY(intake_bytes(&intake, bytes, on_event, context, diag));
 *     intake_fini(&intake);
 *
 * Offers the decoder windows of intake.window bytes and copies each block to where the bytes behind
 * it are of any content. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "detect/engine.h"
#include "detect/judge.h"
#include "event/decoder.h"

struct intake {
    struct engine *engine;
    const struct decoder *decoder;
    struct reader *reader;
    struct judge *judge;
    struct event event;
    struct cutter cutter;
    struct buf block;
    struct buf header;            /* in force where it begins */
    size_t window;                /* bytes offered at first; may be set after intake_init */
    uint64_t ordinal;             /* of the record last read, in its stream */
    uint64_t rejected;            /* records, over all intake_bytes */
    char last_reason[DIAG_WORDS]; /* of the last of them */
};

/* What came of one record, while intake->event holds it. hits: rules that fired, in order. */
typedef enum err intake_event(
        void *context, struct intake *intake, const struct hit *hits, size_t count);

enum err intake_init(struct intake *intake, struct engine *engine, const char *format,
        struct diag *diag) MUST_CHECK;
void intake_fini(struct intake *intake);
/* A stream from its start to its end. Stops at the first failure of `visit`. */
enum err intake_bytes(struct intake *intake, struct slice bytes, intake_event *visit, void *context,
        struct diag *diag) MUST_CHECK;
