#include "source/handover.h"

bool handover_put(struct intake *intake, struct intake_batch *batch)
{
    struct frame_records *records = &batch->records;
    uint64_t position;
    if (records->count == 0 || intake_put(intake, batch, &position) == OK) {
        return true;
    }
    if (!records->failed && !records->sizes.failed && !records->lines.failed) {
        return false;
    }
    struct counts_source *s = intake_counts(intake, batch);
    counts_add(&s->dropped[COUNTS_BUSY], records->count);
    frame_records_clear(records);
    return true;
}

bool handover_reject(struct intake *intake, const struct intake_batch *of, struct slice bytes,
        enum counts_rejection why, const char *words)
{
    return intake_reject(intake, of, bytes, why, words) == OK;
}
