/* pump: bytes through a decoder and a judge, as the program does it, one event at a time.
 *
 *     struct pump pump;
 *     TRY(pump_init(&pump, engine, "json", diag));
 *     TRY(pump_bytes(&pump, bytes, on_event, context, diag));
 *     pump_fini(&pump);
 *
 * Offers the decoder windows of pump.window bytes and copies each block to where the bytes behind
 * it are of any content. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "detect/engine.h"
#include "detect/judge.h"
#include "event/decoder.h"

struct pump {
    struct engine *engine;
    const struct decoder *decoder;
    struct reader *reader;
    struct judge *judge;
    struct event event;
    struct cutter cutter;
    struct buf block;
    struct buf header;            /* in force where it begins */
    size_t window;                /* bytes offered at first; may be set after pump_init */
    uint64_t ordinal;             /* of the record last read, in its stream */
    uint64_t rejected;            /* records, over all pump_bytes */
    char last_reason[DIAG_WORDS]; /* of the last of them */
};

/* What came of one record, while pump->event holds it. hits: rules that fired, in order. */
typedef enum err pump_event(void *context, struct pump *pump, const struct hit *hits, size_t count);

enum err pump_init(
        struct pump *pump, struct engine *engine, const char *format, struct diag *diag) MUST_CHECK;
void pump_fini(struct pump *pump);
/* A stream from its start to its end. Stops at the first failure of `visit`. */
enum err pump_bytes(struct pump *pump, struct slice bytes, pump_event *visit, void *context,
        struct diag *diag) MUST_CHECK;
