#include "source/intake.h"

#include <stdio.h>

#include "base/point.h"

void intake_init(struct intake *intake, struct channel *channel, struct counts *counts,
        int64_t (*now_ns)(void))
{
    *intake = (struct intake){.channel = channel, .counts = counts, .now_ns = now_ns};
    pthread_mutex_init(&intake->mutex, NULL);
}

void intake_fini(struct intake *intake)
{
    pthread_mutex_destroy(&intake->mutex);
    buf_fini(&intake->scratch);
}

uint64_t intake_done(const struct intake *intake)
{
    return channel_done(intake->channel);
}

static struct slice tenant_of(const struct intake_batch *batch)
{
    return batch->tenant.size > 0 ? batch->tenant : batch->input->tenant;
}

struct counts_source *intake_counts(const struct intake *intake, const struct intake_batch *batch)
{
    return counts_source(intake->counts, tenant_of(batch), batch->source);
}

static void set(struct frame *frame, enum frame_tag tag, struct slice value)
{
    if (value.size > 0) {
        frame->attribute[tag] = value;
    }
}

static struct frame frame_of(const struct intake *intake, const struct intake_batch *batch)
{
    struct frame frame = {.kind = FRAME_RECORDS, .receipt_ns = intake->now_ns()};
    set(&frame, FRAME_TENANT, tenant_of(batch));
    set(&frame, FRAME_SOURCE, batch->source);
    set(&frame, FRAME_FORMAT, batch->format.size > 0 ? batch->format : batch->input->format);
    set(&frame, FRAME_KEY, batch->key);
    set(&frame, FRAME_HEADER, batch->header);
    return frame;
}

static bool has_share(const struct intake *intake)
{
    const struct channel *channel = intake->channel;
    return intake->share == 0 || channel_head(channel) - channel_done(channel) < intake->share;
}

static enum err put(struct intake *intake, const struct frame *frame, uint64_t *position)
{
    if (!has_share(intake)) {
        return ERR_LIMIT;
    }
    point_pass("intake.before_put");
    pthread_mutex_lock(&intake->mutex);
    buf_clear(&intake->scratch);
    enum err e = frame_write(frame, &intake->scratch, NULL);
    if (e == ERR_LIMIT) {
        e = ERR_USAGE;
    } else if (e == OK && !channel_put(intake->channel, buf_slice(&intake->scratch), position)) {
        e = ERR_LIMIT;
    }
    pthread_mutex_unlock(&intake->mutex);
    point_pass("intake.after_put");
    return e;
}

static void count(
        const struct frame *frame, struct counts_source *counts, _Atomic uint64_t *rejected)
{
    counts_add(&counts->received, frame->count);
    counts_add(&counts->received_bytes, frame->lines.size);
    if (rejected) {
        counts_add(rejected, frame->count);
    }
    atomic_store_explicit(&counts->last_ns, frame->receipt_ns, memory_order_relaxed);
}

static void note(const struct intake *intake, const struct intake_batch *batch, uint64_t position)
{
    if (intake->noted) {
        intake->noted(intake->context, batch, position);
    }
}

enum err intake_put(struct intake *intake, struct intake_batch *batch, uint64_t *position)
{
    struct frame frame = frame_of(intake, batch);
    TRY(frame_take(&frame, &batch->records));
    TRY(put(intake, &frame, position));
    note(intake, batch, *position);
    count(&frame, intake_counts(intake, batch), NULL);
    frame_records_clear(&batch->records);
    return OK;
}

enum err intake_reject(struct intake *intake, const struct intake_batch *from, struct slice bytes,
        enum counts_rejection why, const char *words)
{
    char reason[200];
    struct frame_records records = {0};
    struct frame frame = frame_of(intake, from);
    uint64_t position;
    size_t kept = bytes.size < INTAKE_BATCH ? bytes.size : INTAKE_BATCH;
    int size = snprintf(reason, sizeof reason, "%s: %s", counts_rejection_name(why), words);
    if (kept < bytes.size && size > 0 && (size_t)size < sizeof reason) {
        size += snprintf(reason + size, sizeof reason - (size_t)size,
                " (%zu of %zu bytes are kept)", kept, bytes.size);
    }
    frame.kind = FRAME_REJECTED;
    frame.attribute[FRAME_REASON] = slice_text(reason);
    frame_records_add(&records, slice_of(bytes.at, kept));
    enum err e = frame_take(&frame, &records);
    if (e == OK) {
        e = put(intake, &frame, &position);
    }
    if (e == OK) {
        note(intake, from, position);
        struct counts_source *counts = intake_counts(intake, from);
        count(&frame, counts, &counts->rejected[why]);
    }
    frame_records_fini(&records);
    return e;
}

enum err intake_rules(struct intake *intake, struct slice hash, uint64_t *position)
{
    struct frame frame = {.kind = FRAME_RULES, .receipt_ns = intake->now_ns()};
    frame.attribute[FRAME_RULESET] = hash;
    frame_take_empty(&frame);
    return put(intake, &frame, position);
}
