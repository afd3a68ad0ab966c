#include "event/frame.h"

#include "base/sum.h"

enum { SUM_AT = 8, HEAD_SUM_AT = 12, SUMMED = 16, RECORD_SIZE = 4, TAG_SIZE = 3 };

static const char magic[4] = {'M', 'L', 'F', '1'};

static void put(char *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        to[i] = (char)(value >> (8 * i));
    }
}

static uint64_t get(const char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value |= (uint64_t)(uint8_t)at[i] << (8 * i);
    }
    return value;
}

/* ---- records ------------------------------------------------------------------------------- */

void frame_records_add(struct frame_records *records, struct slice record)
{
    char *size = buf_reserve(&records->sizes, RECORD_SIZE);
    if (size) {
        put(size, record.size, RECORD_SIZE);
        records->sizes.size += RECORD_SIZE;
    }
    records->broken |= record.size > 0 && memchr(record.at, '\n', record.size);
    buf_add(&records->lines, record);
    buf_byte(&records->lines, '\n');
    records->count++;
}

void frame_records_clear(struct frame_records *records)
{
    buf_clear(&records->sizes);
    buf_clear(&records->lines);
    records->count = 0;
    records->broken = false;
}

void frame_records_fini(struct frame_records *records)
{
    buf_fini(&records->sizes);
    buf_fini(&records->lines);
}

void frame_take(struct frame *frame, const struct frame_records *records)
{
    frame->count = records->count;
    frame->flags = records->broken ? 0 : FRAME_LINES;
    frame->sizes = buf_slice(&records->sizes);
    frame->lines = buf_slice(&records->lines);
}

bool frame_next(const struct frame *frame, struct frame_walk *walk)
{
    if (walk->passed == frame->count) {
        return false;
    }
    size_t size = get(frame->sizes.at + (size_t)walk->passed * RECORD_SIZE, RECORD_SIZE);
    walk->record = slice_of(frame->lines.at + walk->at, size);
    walk->at += size + 1;
    walk->index = walk->passed++;
    return true;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* Of the fixed bytes without the two sums. */
static uint32_t head_sum(const char *at, uint32_t seed)
{
    uint32_t sum = sum_add(seed, slice_of(at, SUM_AT));
    return sum_add(sum, slice_of(at + SUMMED, FRAME_FIXED - SUMMED));
}

static size_t attributes_size(const struct frame *frame)
{
    size_t size = 0;
    for (size_t tag = 1; tag < FRAME_TAGS; tag++) {
        if (frame->attribute[tag].at) {
            size += TAG_SIZE + frame->attribute[tag].size;
        }
    }
    return size;
}

static char *put_attributes(const struct frame *frame, char *to)
{
    for (size_t tag = 1; tag < FRAME_TAGS; tag++) {
        struct slice value = frame->attribute[tag];
        if (!value.at) {
            continue;
        }
        *to = (char)tag;
        put(to + 1, value.size, 2);
        memcpy(to + TAG_SIZE, value.at, value.size);
        to += TAG_SIZE + value.size;
    }
    return to;
}

enum err frame_write(const struct frame *frame, uint32_t seed, struct buf *out, struct diag *diag)
{
    size_t attributes = attributes_size(frame);
    size_t records = frame->sizes.size + frame->lines.size;
    size_t size = FRAME_FIXED + attributes + records;
    if (attributes > UINT16_MAX || size > FRAME_LIMIT) {
        return diag_say(
                diag, ERR_LIMIT, "a frame of %zu bytes, %zu of them attributes", size, attributes);
    }
    char *to = buf_reserve(out, size);
    if (!to) {
        return diag_say(diag, ERR_MEMORY, "no memory for a frame of %zu bytes", size);
    }
    memcpy(to, magic, sizeof magic);
    put(to + 4, size, 4);
    to[16] = (char)frame->kind;
    to[17] = (char)frame->flags;
    put(to + 18, attributes, 2);
    put(to + 20, frame->count, 4);
    put(to + 24, records, 4);
    put(to + 28, 0, 4);
    put(to + 32, frame->offset, 8);
    put(to + 40, frame->durable, 8);
    put(to + 48, (uint64_t)frame->receipt_ns, 8);
    char *rest = put_attributes(frame, to + FRAME_FIXED);
    if (records > 0) {
        memcpy(rest, frame->sizes.at, frame->sizes.size);
        memcpy(rest + frame->sizes.size, frame->lines.at, frame->lines.size);
    }
    put(to + SUM_AT, sum_add(seed, slice_of(to + SUMMED, size - SUMMED)), 4);
    put(to + HEAD_SUM_AT, head_sum(to, seed), 4);
    out->size += size;
    return OK;
}

/* ---- reading ------------------------------------------------------------------------------- */

static enum err nonsense(struct diag *diag, const char *what)
{
    return diag_say(diag, ERR_SYNTAX, "no frame: %s", what);
}

static enum err read_attributes(struct slice rest, struct frame *out, struct diag *diag)
{
    while (rest.size > 0) {
        if (rest.size < TAG_SIZE) {
            return nonsense(diag, "an attribute is cut short");
        }
        size_t tag = (uint8_t)rest.at[0], size = get(rest.at + 1, 2);
        rest = slice_from(rest, TAG_SIZE);
        if (size > rest.size) {
            return nonsense(diag, "an attribute is longer than all of them");
        }
        if (tag < FRAME_TAGS && out->attribute[tag].at) {
            return nonsense(diag, "an attribute stands twice");
        }
        if (tag < FRAME_TAGS) {
            out->attribute[tag] = slice_of(rest.at, size);
        }
        rest = slice_from(rest, size);
    }
    return OK;
}

/* Do the records fill what they should, each with its line feed, and none inside where none is? */
static enum err read_records(struct slice records, struct frame *out, struct diag *diag)
{
    if (out->count > records.size / RECORD_SIZE) {
        return nonsense(diag, "more records than bytes for them");
    }
    out->sizes = slice_of(records.at, (size_t)out->count * RECORD_SIZE);
    out->lines = slice_from(records, out->sizes.size);
    size_t at = 0;
    for (size_t i = 0; i < out->count; i++) {
        size_t size = get(out->sizes.at + i * RECORD_SIZE, RECORD_SIZE);
        if (size >= out->lines.size - at || out->lines.at[at + size] != '\n') {
            return nonsense(diag, "a record does not end where it should");
        }
        if ((out->flags & FRAME_LINES) && memchr(out->lines.at + at, '\n', size)) {
            return nonsense(diag, "a record has more lines than one");
        }
        at += size + 1;
    }
    return at == out->lines.size ? OK : nonsense(diag, "bytes behind the records");
}

enum err frame_read(
        struct slice bytes, uint32_t seed, struct frame *out, size_t *size, struct diag *diag)
{
    size_t known = bytes.size < sizeof magic ? bytes.size : sizeof magic;
    if (known > 0 && memcmp(bytes.at, magic, known) != 0) {
        return nonsense(diag, "other bytes stand here");
    }
    if (bytes.size < FRAME_FIXED) {
        return ERR_END;
    }
    const char *at = bytes.at;
    size_t whole = get(at + 4, 4), attributes = get(at + 18, 2), records = get(at + 24, 4);
    if (get(at + HEAD_SUM_AT, 4) != head_sum(at, seed)) {
        return nonsense(diag, "the sum of its head is wrong");
    }
    if (whole > FRAME_LIMIT || whole != FRAME_FIXED + attributes + records) {
        return nonsense(diag, "its sizes do not agree");
    }
    if (bytes.size < whole) {
        return ERR_END;
    }
    if (get(at + SUM_AT, 4) != sum_add(seed, slice_of(at + SUMMED, whole - SUMMED))) {
        return nonsense(diag, "its sum is wrong");
    }
    struct frame frame = {.kind = (enum frame_kind)(uint8_t)at[16],
            .flags = (uint8_t)at[17],
            .count = (uint32_t)get(at + 20, 4),
            .offset = get(at + 32, 8),
            .durable = get(at + 40, 8),
            .receipt_ns = (int64_t)get(at + 48, 8)};
    TRY(read_attributes(slice_of(at + FRAME_FIXED, attributes), &frame, diag));
    TRY(read_records(slice_of(at + FRAME_FIXED + attributes, records), &frame, diag));
    *out = frame;
    *size = whole;
    return OK;
}

size_t frame_search(struct slice bytes, uint32_t seed, size_t from)
{
    struct frame frame;
    size_t size;
    while (from < bytes.size) {
        const char *at = memchr(bytes.at + from, magic[0], bytes.size - from);
        if (!at) {
            break;
        }
        from = (size_t)(at - bytes.at);
        if (frame_read(slice_from(bytes, from), seed, &frame, &size, NULL) == OK) {
            return from;
        }
        from++;
    }
    return bytes.size;
}

uint32_t frame_seed(struct slice log_id)
{
    return sum_add(0, log_id);
}

const char *frame_kind_name(enum frame_kind kind)
{
    static const char *const names[] = {[FRAME_HEAD] = "head",
            [FRAME_RECORDS] = "records",
            [FRAME_REJECTED] = "rejected",
            [FRAME_TICK] = "tick",
            [FRAME_RULES] = "rules",
            [FRAME_FINDINGS] = "findings",
            [FRAME_SEAL] = "seal"};
    return (size_t)kind < sizeof names / sizeof *names && names[kind] ? names[kind] : "unknown";
}
