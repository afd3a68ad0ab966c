#include "support/pump.h"

#include <stdio.h>

enum { WINDOW = 256 << 10, BEHIND = 64 };

enum err pump_init(struct pump *pump, struct engine *engine, const char *format, struct diag *diag)
{
    const struct decode_limits limits = DECODE_LIMITS;
    *pump = (struct pump){.engine = engine, .window = WINDOW};
    for (size_t i = 0; i < decoders_count; i++) {
        if (slice_equal(slice_text(decoders[i]->name), slice_text(format))) {
            pump->decoder = decoders[i];
        }
    }
    if (!pump->decoder) {
        return diag_say(diag, ERR_NOT_FOUND, "no decoder named %s", format);
    }
    enum err e = event_init(&pump->event, engine_field_count(engine));
    if (e == OK) {
        e = judge_new(engine, &pump->judge);
    }
    if (e == OK) {
        e = pump->decoder->reader_new(engine_paths(engine), &limits, &pump->reader);
    }
    if (e != OK) {
        pump_fini(pump);
    }
    return e;
}

void pump_fini(struct pump *pump)
{
    if (pump->reader) {
        pump->decoder->reader_free(pump->reader);
    }
    judge_free(pump->judge);
    event_fini(&pump->event);
    buf_fini(&pump->block);
    buf_fini(&pump->header);
    buf_fini(&pump->cutter.header);
}

static void reject(struct pump *pump, const struct diag *why)
{
    pump->rejected++;
    snprintf(pump->last_reason, sizeof pump->last_reason, "%s", why->words);
}

static enum err read_block(struct pump *pump, pump_event *visit, void *context, struct diag *diag)
{
    struct slice block = slice_of(pump->block.at, pump->block.size - BEHIND);
    pump->decoder->begin(pump->reader, block, buf_slice(&pump->header));
    for (;;) {
        struct diag why = {0};
        enum err e = pump->decoder->next(pump->reader, &pump->event, &why);
        if (e == ERR_END) {
            return OK;
        }
        if (e == ERR_MEMORY) {
            return diag_say(diag, e, "the decoder got no memory");
        }
        pump->ordinal++;
        if (e != OK || pump->event.truncated) {
            reject(pump, &why);
            continue;
        }
        const struct hit *hits = NULL;
        size_t count = 0;
        TRY(judge_event(pump->judge, &pump->event, &hits, &count, diag));
        TRY(visit(context, pump, hits, count));
    }
}

/* Bytes behind the block that would be wrong to read as part of it. */
static enum err copy_block(struct pump *pump, struct slice block)
{
    buf_clear(&pump->block);
    buf_add(&pump->block, block);
    for (int i = 0; i < BEHIND; i++) {
        buf_byte(&pump->block, "\"\\}]"[i & 3]);
    }
    return pump->block.failed ? ERR_MEMORY : OK;
}

enum err pump_bytes(
        struct pump *pump, struct slice bytes, pump_event *visit, void *context, struct diag *diag)
{
    size_t window = pump->window;
    size_t at = 0;
    pump->ordinal = 0;
    buf_clear(&pump->cutter.header);
    pump->cutter = (struct cutter){.limits = DECODE_LIMITS, .header = pump->cutter.header};
    while (at < bytes.size) {
        size_t offered = bytes.size - at < window ? bytes.size - at : window;
        bool last = offered == bytes.size - at;
        struct cut cut = {0};
        struct diag why = {0};
        struct slice piece = slice_of(bytes.at + at, offered);
        buf_clear(&pump->header);
        buf_add(&pump->header, buf_slice(&pump->cutter.header));
        TRY(pump->decoder->cut(&pump->cutter, piece, last, &cut, &why));
        if (pump->header.failed || pump->cutter.header.failed) {
            return ERR_MEMORY;
        }
        for (uint64_t i = 0; i < cut.rejected; i++) {
            pump->ordinal++;
            reject(pump, &why);
        }
        if (cut.skip + cut.size == 0) {
            if (last) {
                return diag_say(
                        diag, ERR_SYNTAX, "%zu bytes at the end were not consumed", offered);
            }
            window *= 2;
            continue;
        }
        if (cut.size) {
            TRY(copy_block(pump, slice_of(bytes.at + at + cut.skip, cut.size)));
            TRY(read_block(pump, visit, context, diag));
        }
        at += cut.skip + cut.size;
        pump->cutter.offset += cut.skip + cut.size;
        window = pump->window;
    }
    return OK;
}
