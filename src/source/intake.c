#include "source/intake.h"

#include <stdio.h>

#include "base/point.h"

void intake_init(struct intake *intake, struct channel *channel, struct counts *counts,
        int64_t (*now_ns)(void))
{
    size_t size;
    void *memory = counts_memory(counts, &size);
    *intake = (struct intake){.channel = channel, .counts = counts, .now_ns = now_ns};
    pthread_mutex_init(&intake->mutex, NULL);
    channel_sums_in(channel, memory, size);
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

/* What is put is counted in the same step, whoever dies. `counter`: of the records; NULL: none. */
static enum err put(struct intake *intake, const struct frame *frame, struct counts_source *source,
        _Atomic uint64_t *counter, uint64_t *position)
{
    const struct channel_sum sums[CHANNEL_SUMS] = {
            {counter, frame->count}, {source ? &source->taken_bytes : NULL, frame->lines.size}};
    if (!has_share(intake)) {
        return ERR_LIMIT;
    }
    point_pass("intake.before_put");
    pthread_mutex_lock(&intake->mutex);
    buf_clear(&intake->scratch);
    enum err e = frame_write(frame, &intake->scratch, NULL);
    if (e == ERR_LIMIT) {
        e = ERR_USAGE;
    } else if (e == OK && !channel_put_counted(intake->channel, buf_slice(&intake->scratch),
                                  source ? sums : NULL, position)) {
        e = ERR_LIMIT;
    }
    pthread_mutex_unlock(&intake->mutex);
    point_pass("intake.after_put");
    if (e == OK && source) {
        atomic_store_explicit(&source->last_ns, frame->receipt_ns, memory_order_relaxed);
    }
    return e;
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
    struct counts_source *source = intake_counts(intake, batch);
    TRY(frame_take(&frame, &batch->records));
    TRY(put(intake, &frame, source, &source->taken, position));
    note(intake, batch, *position);
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
        struct counts_source *source = intake_counts(intake, from);
        e = put(intake, &frame, source, &source->rejected[why], &position);
    }
    if (e == OK) {
        note(intake, from, position);
    }
    frame_records_fini(&records);
    return e;
}

enum err intake_rules(struct intake *intake, struct slice hash, uint64_t *position)
{
    struct frame frame = {.kind = FRAME_RULES, .receipt_ns = intake->now_ns()};
    frame.attribute[FRAME_RULESET] = hash;
    frame_take_empty(&frame);
    return put(intake, &frame, NULL, NULL, position);
}
