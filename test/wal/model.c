#include "wal/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_BIT = 1, LARGE = 70000 };

static void *more(void *array, size_t *room, size_t need, size_t size)
{
    if (need > *room) {
        *room = need * 2;
        array = realloc(array, *room * size);
        if (!array) {
            abort();
        }
    }
    return array;
}

__attribute__((format(printf, 2, 3))) static bool wrong(char *words, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(words, MODEL_WORDS, format, args);
    va_end(args);
    return false;
}

/* ---- content ------------------------------------------------------------------------------ */

/* Bytes that look like a frame, with a right sum, for an offset that could be next. */
static void forge(struct buf *out, uint64_t offset, struct dice *dice)
{
    char mark[FRAME_MARK_SIZE];
    struct frame frame = {.kind = FRAME_RECORDS,
            .offset = offset + dice_below(dice, 8),
            .durable = dice_one_in(dice, 2) ? offset : 0};
    frame_take_empty(&frame);
    frame_put64(mark, dice_next(dice));
    frame.attribute[FRAME_MARK] = slice_of(mark, sizeof mark);
    if (dice_one_in(dice, 4)) {
        frame.attribute[FRAME_MARK] = (struct slice){0};
    }
    if (frame_write(&frame, out, NULL) != OK) {
        out->failed = true;
    }
}

static void content(uint64_t salt, uint64_t offset, struct buf *out)
{
    struct dice dice = dice_of(salt * 31 + offset);
    buf_clear(out);
    if (salt & TICK_BIT) {
        return;
    }
    uint32_t choice = dice_below(&dice, 200);
    size_t size = choice == 0   ? LARGE
                  : choice < 10 ? 500 + dice_below(&dice, 9000)
                  : choice < 40 ? dice_below(&dice, 4)
                                : dice_below(&dice, 300);
    if (dice_one_in(&dice, 20)) {
        forge(out, offset, &dice);
        return;
    }
    char *to = buf_reserve(out, size);
    for (size_t i = 0; to && i < size; i++) {
        to[i] = (char)(' ' + dice_below(&dice, 94));
    }
    out->size += to ? size : 0;
    if (to && size > 8 && dice_one_in(&dice, 10)) {
        memcpy(out->at + size / 2, "\nMLF1", 4 + (size & 1));
    }
}

static void source_of(uint64_t salt, char source[32])
{
    snprintf(source, 32, "syslog-tcp/%08x", (unsigned)(salt >> 32));
}

/* ---- eras --------------------------------------------------------------------------------- */

static struct model_era *last(const struct model *model)
{
    return &model->eras[model->count - 1];
}

static struct model_era *add_era(struct model *model, uint64_t start)
{
    model->eras = more(model->eras, &model->room, model->count + 1, sizeof *model->eras);
    struct model_era *era = &model->eras[model->count++];
    *era = (struct model_era){.start = start};
    return era;
}

static void add_mark(struct model_era *era, uint64_t point, uint64_t fixed, uint64_t removed)
{
    era->marks = more(era->marks, &era->marks_room, era->count + 1, sizeof *era->marks);
    era->marks[era->count++] = (struct model_mark){point, fixed, removed};
}

void model_init(struct model *model)
{
    *model = (struct model){0};
    add_mark(add_era(model, 0), 0, 0, 0);
}

void model_fini(struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        free(model->eras[i].salts);
        free(model->eras[i].marks);
    }
    free(model->eras);
}

static void take_salts(struct model_era *era, const uint64_t *salts, uint64_t count)
{
    era->salts = more(NULL, &era->room, (size_t)count + 1, sizeof *era->salts);
    if (count) {
        memcpy(era->salts, salts, (size_t)count * sizeof *salts);
    }
    era->offered = (size_t)count;
}

void model_from(struct model *model, const struct model_view *view)
{
    *model = (struct model){0};
    struct model_era *era = add_era(model, 0);
    take_salts(era, view->salts, view->offered);
    add_mark(era, 0, view->fixed, view->removed);
    memcpy(era->log, view->log, sizeof era->log);
}

void model_opened(struct model *model, uint64_t point, uint64_t next, const char *log)
{
    struct model_era *era = add_era(model, point), *before = era - 1;
    uint64_t removed = before->marks[before->count - 1].removed;
    take_salts(era, before->salts, next);
    add_mark(era, point, next, removed);
    memcpy(era->log, log, sizeof era->log);
}

void model_committed(struct model *model, uint64_t point)
{
    struct model_era *era = last(model);
    add_mark(era, point, era->offered, era->marks[era->count - 1].removed);
}

void model_removed(struct model *model, uint64_t point, uint64_t below)
{
    struct model_era *era = last(model);
    const struct model_mark *mark = &era->marks[era->count - 1];
    add_mark(era, point, mark->fixed, below > mark->removed ? below : mark->removed);
}

struct model_view model_view(const struct model *model, uint64_t point)
{
    const struct model_era *era = &model->eras[0];
    for (size_t i = 1; i < model->count && model->eras[i].start <= point; i++) {
        era = &model->eras[i];
    }
    struct model_mark mark = era->marks[0];
    for (size_t i = 1; i < era->count && era->marks[i].point <= point; i++) {
        mark = era->marks[i];
    }
    return (struct model_view){era->salts, era->offered, mark.fixed, mark.removed, era->log};
}

enum err model_append(struct model *model, struct wal *wal, struct dice *dice)
{
    struct model_era *era = last(model);
    uint64_t salt = dice_next(dice) & ~(uint64_t)TICK_BIT;
    struct frame_records records = {0};
    struct frame frame = {.kind = FRAME_RECORDS, .receipt_ns = (int64_t)era->offered};
    struct buf bytes = {0};
    char source[32];
    uint32_t count = dice_one_in(dice, 3) ? 1 + dice_below(dice, 40) : 1 + dice_below(dice, 3);
    if (dice_one_in(dice, 8)) {
        salt |= TICK_BIT;
        frame.kind = FRAME_TICK;
        count = 0;
    }
    bool failed = false;
    for (uint32_t i = 0; i < count; i++) {
        content(salt, era->offered + i, &bytes);
        failed = failed || bytes.failed;
        frame_records_add(&records, buf_slice(&bytes));
    }
    source_of(salt, source);
    frame.attribute[FRAME_SOURCE] = slice_text(source);
    enum err e = failed ? ERR_MEMORY : frame_take(&frame, &records);
    if (e == OK) {
        e = wal_append(wal, &frame, NULL);
    }
    if (e == OK && frame.offset != era->offered) {
        abort(); /* the checks say it in words when it is read */
    }
    count = count ? count : 1;
    era->salts = more(era->salts, &era->room, era->offered + count, sizeof *era->salts);
    for (uint32_t i = 0; e == OK && i < count; i++) {
        era->salts[era->offered++] = salt;
    }
    frame_records_fini(&records);
    buf_fini(&bytes);
    return e;
}

/* ---- checking ----------------------------------------------------------------------------- */

bool model_check_frame(
        const struct model_view *view, const struct frame *frame, uint64_t at, char *words)
{
    struct frame_walk walk = {0};
    struct buf want = {0};
    char source[32] = "";
    unsigned long long offset = frame->offset;
    if (frame->offset != at) {
        return wrong(words, "offset %llu where %llu comes next", offset, (unsigned long long)at);
    }
    while (frame_next(frame, &walk)) {
        offset = frame->offset + walk.index;
        if (offset >= view->offered) {
            buf_fini(&want);
            return wrong(words, "offset %llu was never offered", offset);
        }
        content(view->salts[offset], offset, &want);
        source_of(view->salts[offset], source);
        if (!slice_equal(walk.record, buf_slice(&want)) ||
                !slice_equal(frame->attribute[FRAME_SOURCE], slice_text(source))) {
            buf_fini(&want);
            return wrong(words, "offset %llu has other bytes (%zu, not %zu)", offset,
                    walk.record.size, want.size);
        }
    }
    buf_fini(&want);
    return true;
}

static bool read_all(
        const struct model_view *view, struct wal_reader *reader, uint64_t *end, char *words)
{
    struct diag diag = {0};
    uint64_t at = reader_first(reader);
    if (at > view->removed) {
        return wrong(words, "the log begins at %llu, kept was all from %llu",
                (unsigned long long)at, (unsigned long long)view->removed);
    }
    if (view->log[0] && strcmp(view->log, reader_log(reader)) != 0) {
        return wrong(words, "the log's id is %s, not %s", reader_log(reader), view->log);
    }
    for (;;) {
        struct frame frame;
        enum err e = reader_next(reader, READER_ALL, &frame, &diag);
        if (e == ERR_END) {
            break;
        }
        if (e != OK) {
            return wrong(words, "reading: %s: %s", err_name(e), diag.words);
        }
        if (!model_check_frame(view, &frame, at, words)) {
            return false;
        }
        at += frame.count;
    }
    *end = at;
    return at >= view->fixed || wrong(words, "the log ends at %llu, committed was all below %llu",
                                        (unsigned long long)at, (unsigned long long)view->fixed);
}

bool model_check(const struct model_view *view, struct crash_disk *disk, uint64_t *end, char *words)
{
    struct wal_reader *reader;
    struct diag diag = {0};
    enum err e = reader_open(MODEL_LOG, crash_disk_calls(disk), 0, &reader, &diag);
    if (e == ERR_NOT_FOUND && view->fixed == 0) {
        *end = 0;
        return true;
    }
    if (e != OK) {
        return wrong(words, "opening a reader: %s: %s", err_name(e), diag.words);
    }
    bool good = read_all(view, reader, end, words);
    reader_close(reader);
    return good;
}

enum err model_random(char *to, size_t size, struct diag *diag)
{
    static uint64_t given;
    struct dice dice = dice_of(++given);
    (void)diag;
    for (size_t i = 0; i < size; i++) {
        to[i] = (char)dice_next(&dice);
    }
    return OK;
}
