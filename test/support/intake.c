#include "support/intake.h"

#include <stdio.h>

enum { WINDOW = 256 << 10, BEHIND = 64 };

enum err intake_init(
        struct intake *intake, struct engine *engine, const char *format, struct diag *diag)
{
    const struct decode_limits limits = DECODE_LIMITS;
    *intake = (struct intake){.engine = engine, .window = WINDOW};
    for (size_t i = 0; i < decoders_count; i++) {
        if (slice_equal(slice_text(decoders[i]->name), slice_text(format))) {
            intake->decoder = decoders[i];
        }
    }
    if (!intake->decoder) {
        return diag_say(diag, ERR_NOT_FOUND, "no decoder named %s", format);
    }
    enum err e = event_init(&intake->event, engine_field_count(engine));
    if (e == OK) {
        e = judge_new(engine, &intake->judge);
    }
    if (e == OK) {
        e = intake->decoder->reader_new(engine_paths(engine), &limits, &intake->reader);
    }
    if (e != OK) {
        intake_fini(intake);
    }
    return e;
}

void intake_fini(struct intake *intake)
{
    if (intake->reader) {
        intake->decoder->reader_free(intake->reader);
    }
    judge_free(intake->judge);
    event_fini(&intake->event);
    buf_fini(&intake->block);
    buf_fini(&intake->header);
    buf_fini(&intake->cutter.header);
}

static void reject(struct intake *intake, const struct diag *why)
{
    intake->rejected++;
    snprintf(intake->last_reason, sizeof intake->last_reason, "%s", why->words);
}

static enum err read_block(
        struct intake *intake, intake_event *visit, void *context, struct diag *diag)
{
    struct slice block = slice_of(intake->block.at, intake->block.size - BEHIND);
    intake->decoder->begin(intake->reader, block, buf_slice(&intake->header));
    for (;;) {
        struct diag why = {0};
        enum err e = intake->decoder->next(intake->reader, &intake->event, &why);
        if (e == ERR_END) {
            return OK;
        }
        if (e == ERR_MEMORY) {
            return diag_say(diag, e, "the decoder got no memory");
        }
        intake->ordinal++;
        if (e != OK || intake->event.truncated) {
            reject(intake, &why);
            continue;
        }
        const struct hit *hits = NULL;
        size_t count = 0;
        TRY(judge_event(intake->judge, &intake->event, &hits, &count, diag));
        TRY(visit(context, intake, hits, count));
    }
}

/* Bytes behind the block that would be wrong to read as part of it. */
static enum err copy_block(struct intake *intake, struct slice block)
{
    buf_clear(&intake->block);
    buf_add(&intake->block, block);
    for (int i = 0; i < BEHIND; i++) {
        buf_byte(&intake->block, "\"\\}]"[i & 3]);
    }
    return intake->block.failed ? ERR_MEMORY : OK;
}

enum err intake_bytes(struct intake *intake, struct slice bytes, intake_event *visit, void *context,
        struct diag *diag)
{
    size_t window = intake->window;
    size_t at = 0;
    intake->ordinal = 0;
    buf_clear(&intake->cutter.header);
    intake->cutter = (struct cutter){.limits = DECODE_LIMITS, .header = intake->cutter.header};
    while (at < bytes.size) {
        size_t offered = bytes.size - at < window ? bytes.size - at : window;
        bool last = offered == bytes.size - at;
        struct cut cut = {0};
        struct diag why = {0};
        struct slice piece = slice_of(bytes.at + at, offered);
        buf_clear(&intake->header);
        buf_add(&intake->header, buf_slice(&intake->cutter.header));
        TRY(intake->decoder->cut(&intake->cutter, piece, last, &cut, &why));
        if (intake->header.failed || intake->cutter.header.failed) {
            return ERR_MEMORY;
        }
        for (uint64_t i = 0; i < cut.rejected; i++) {
            intake->ordinal++;
            reject(intake, &why);
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
            TRY(copy_block(intake, slice_of(bytes.at + at + cut.skip, cut.size)));
            TRY(read_block(intake, visit, context, diag));
        }
        at += cut.skip + cut.size;
        intake->cutter.offset += cut.skip + cut.size;
        window = intake->window;
    }
    return OK;
}
