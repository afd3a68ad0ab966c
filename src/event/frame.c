#include "event/frame.h"

#include <string.h>

#include "base/sum.h"

enum {
    AT_SIZE = 4,
    AT_SUM = 8,
    AT_SUMMED = 12,
    AT_KIND = 12,
    AT_FLAGS = 13,
    AT_ATTRIBUTES = 14,
    AT_OFFSET = 16,
    AT_DURABLE = 24,
    AT_RECEIPT = 32,
    AT_COUNT = 40,
    AT_RECORDS = 44,
    TAG_FIXED = 3, /* tag and size before an attribute's value */
    MAGIC_SIZE = 4,
};

static const char magic[MAGIC_SIZE] = {'M', 'L', 'F', '1'};

static void put(char *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        to[i] = (char)(unsigned char)(value >> 8 * i);
    }
}

static uint64_t get(const char *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)(unsigned char)at[i] << 8 * i;
    }
    return value;
}

void frame_put64(char *to, uint64_t value)
{
    put(to, value, 8);
}

uint64_t frame_get64(const char *at)
{
    return get(at, 8);
}

void frame_records_add(struct frame_records *records, struct slice record)
{
    /* So many never fit a frame; the sizes of all then fit 32 bits. */
    if (records->count >= FRAME_LIMIT || record.size >= FRAME_LIMIT) {
        records->failed = true;
    }
    size_t kept = records->sizes.size;
    char *size = records->failed ? NULL : buf_reserve(&records->sizes, 4);
    char *line = size ? buf_reserve(&records->lines, record.size + 1) : NULL;
    if (!line) {
        records->sizes.size = kept;
        records->failed = true;
        return;
    }
    put(size, record.size, 4);
    records->sizes.size += 4;
    if (record.size) {
        memcpy(line, record.at, record.size);
    }
    line[record.size] = '\n';
    records->lines.size += record.size + 1;
    records->count++;
    records->broken = records->broken || slice_find_byte(record, '\n') < record.size;
}

void frame_records_clear(struct frame_records *records)
{
    buf_clear(&records->sizes);
    buf_clear(&records->lines);
    records->count = 0;
    records->broken = false;
    records->failed = false;
}

void frame_records_fini(struct frame_records *records)
{
    buf_fini(&records->sizes);
    buf_fini(&records->lines);
    *records = (struct frame_records){0};
}

enum err frame_take(struct frame *frame, const struct frame_records *records)
{
    if (records->failed) {
        return ERR_MEMORY;
    }
    frame->count = records->count;
    frame->flags = records->broken ? 0 : FRAME_LINES;
    frame->sizes = buf_slice(&records->sizes);
    frame->lines = buf_slice(&records->lines);
    return OK;
}

void frame_take_empty(struct frame *frame)
{
    frame->count = 1;
    frame->flags = FRAME_LINES;
    frame->sizes = slice_of("\0\0\0", 4);
    frame->lines = SLICE("\n");
}

static size_t attributes_size(const struct frame *frame)
{
    size_t size = 0;
    for (size_t tag = 1; tag < FRAME_TAGS; tag++) {
        size_t value = frame->attribute[tag].size;
        size += frame->attribute[tag].at ? TAG_FIXED + value : 0;
        if (value > FRAME_ATTRIBUTES || size > FRAME_ATTRIBUTES) {
            return FRAME_ATTRIBUTES + 1;
        }
    }
    return size;
}

static char *put_bytes(char *to, struct slice bytes)
{
    if (bytes.size) {
        memcpy(to, bytes.at, bytes.size);
    }
    return to + bytes.size;
}

static char *put_attribute(char *to, const struct frame *frame, size_t tag)
{
    struct slice value = frame->attribute[tag];
    if (!value.at) {
        return to;
    }
    put(to, tag, 1);
    put(to + 1, value.size, 2);
    return put_bytes(to + TAG_FIXED, value);
}

static char *put_attributes(char *to, const struct frame *frame)
{
    to = put_attribute(to, frame, FRAME_MARK);
    for (size_t tag = 1; tag < FRAME_TAGS; tag++) {
        if (tag != FRAME_MARK) {
            to = put_attribute(to, frame, tag);
        }
    }
    return to;
}

enum err frame_write(const struct frame *frame, struct buf *out, struct diag *diag)
{
    size_t attributes = attributes_size(frame);
    if (attributes > FRAME_ATTRIBUTES) {
        return diag_say(diag, ERR_LIMIT, "a frame's attributes take more than %d bytes",
                (int)FRAME_ATTRIBUTES);
    }
    size_t records = frame->sizes.size + frame->lines.size;
    if (records > FRAME_LIMIT || FRAME_FIXED + attributes + records > FRAME_LIMIT) {
        return diag_say(diag, ERR_LIMIT, "a frame takes more than %d bytes", (int)FRAME_LIMIT);
    }
    size_t size = FRAME_FIXED + attributes + records;
    char *at = buf_reserve(out, size);
    if (!at) {
        return diag_say(diag, ERR_MEMORY, "no memory for a frame of %zu bytes", size);
    }
    memcpy(at, magic, MAGIC_SIZE);
    put(at + AT_SIZE, size, 4);
    put(at + AT_KIND, (uint64_t)frame->kind, 1);
    put(at + AT_FLAGS, frame->flags, 1);
    put(at + AT_ATTRIBUTES, attributes, 2);
    put(at + AT_OFFSET, frame->offset, 8);
    put(at + AT_DURABLE, frame->durable, 8);
    put(at + AT_RECEIPT, (uint64_t)frame->receipt_ns, 8);
    put(at + AT_COUNT, frame->count, 4);
    put(at + AT_RECORDS, records, 4);
    char *to = put_attributes(at + FRAME_FIXED, frame);
    put_bytes(put_bytes(to, frame->sizes), frame->lines);
    put(at + AT_SUM, sum_add(0, slice_of(at + AT_SUMMED, size - AT_SUMMED)), 4);
    out->size += size;
    return OK;
}

static enum err wrong(struct diag *diag, const char *why)
{
    return diag_say(diag, ERR_SYNTAX, "no frame: %s", why);
}

/* Each tag once; those that are not known are skipped. */
static enum err read_attributes(struct slice bytes, struct frame *frame, struct diag *diag)
{
    uint64_t seen[4] = {0};
    size_t at = 0;
    while (at < bytes.size) {
        if (bytes.size - at < TAG_FIXED) {
            return wrong(diag, "an attribute is cut");
        }
        unsigned tag = (unsigned char)bytes.at[at];
        size_t size = get(bytes.at + at + 1, 2);
        at += TAG_FIXED;
        if (size > bytes.size - at) {
            return wrong(diag, "an attribute is longer than all of them");
        }
        if (seen[tag / 64] >> tag % 64 & 1) {
            return wrong(diag, "an attribute stands twice");
        }
        seen[tag / 64] |= (uint64_t)1 << tag % 64;
        if (tag < FRAME_TAGS) {
            frame->attribute[tag] = slice_of(bytes.at + at, size);
        }
        at += size;
    }
    return OK;
}

/* The sizes cover the lines, and a line feed stands behind each. */
static enum err check_records(const struct frame *frame, struct diag *diag)
{
    size_t at = 0;
    for (uint32_t i = 0; i < frame->count; i++) {
        size_t size = get(frame->sizes.at + 4 * (size_t)i, 4);
        if (size >= frame->lines.size - at) {
            return wrong(diag, "its records are longer than they may be");
        }
        struct slice record = slice_of(frame->lines.at + at, size);
        if (record.at[size] != '\n') {
            return wrong(diag, "a record ends without a line feed");
        }
        if ((frame->flags & FRAME_LINES) && slice_find_byte(record, '\n') < size) {
            return wrong(diag, "a record holds a line feed, its flag says none does");
        }
        at += size + 1;
    }
    return at == frame->lines.size ? OK : wrong(diag, "its records are shorter than they may be");
}

/* What can be said without the whole of it. */
static enum err check_fixed(struct slice bytes, struct diag *diag)
{
    const char *at = bytes.at;
    uint64_t kind = get(at + AT_KIND, 1), size = get(at + AT_SIZE, 4);
    uint64_t attributes = get(at + AT_ATTRIBUTES, 2), count = get(at + AT_COUNT, 4);
    uint64_t records = get(at + AT_RECORDS, 4), offset = get(at + AT_OFFSET, 8), end;
    if (size > FRAME_LIMIT || size != FRAME_FIXED + attributes + records) {
        return wrong(diag, "its sizes do not fit together");
    }
    if (kind < FRAME_HEAD || kind >= FRAME_KINDS) {
        return wrong(diag, "its kind is not known");
    }
    bool bare = kind == FRAME_HEAD || kind == FRAME_SEAL;
    if (bare != (count == 0) || (bare && records) || 4 * count > records) {
        return wrong(diag, "its count of records cannot be");
    }
    if (__builtin_add_overflow(offset, count, &end) || get(at + AT_DURABLE, 8) > offset) {
        return wrong(diag, "its offsets cannot be");
    }
    return OK;
}

size_t frame_size(struct slice bytes)
{
    if (bytes.size < AT_SUM || memcmp(bytes.at, magic, MAGIC_SIZE) != 0) {
        return 0;
    }
    uint64_t size = get(bytes.at + AT_SIZE, 4);
    return size >= FRAME_FIXED && size <= FRAME_LIMIT ? size : 0;
}

static enum err read_front(struct slice bytes, size_t *size, struct diag *diag)
{
    size_t front = bytes.size < MAGIC_SIZE ? bytes.size : MAGIC_SIZE;
    if (front && memcmp(bytes.at, magic, front) != 0) {
        return wrong(diag, "MLF1 does not stand here");
    }
    if (bytes.size < FRAME_FIXED) {
        return diag_say(diag, ERR_END, "a frame is cut after %zu bytes", bytes.size);
    }
    TRY(check_fixed(bytes, diag));
    *size = get(bytes.at + AT_SIZE, 4);
    if (bytes.size < *size) {
        return diag_say(diag, ERR_END, "a frame of %zu bytes is cut after %zu", *size, bytes.size);
    }
    return OK;
}

enum err frame_read(struct slice bytes, struct frame *out, size_t *size, struct diag *diag)
{
    size_t whole = 0;
    TRY(read_front(bytes, &whole, diag));
    const char *at = bytes.at;
    if (sum_add(0, slice_of(at + AT_SUMMED, whole - AT_SUMMED)) != get(at + AT_SUM, 4)) {
        return wrong(diag, "its sum is wrong");
    }
    size_t attributes = get(at + AT_ATTRIBUTES, 2);
    struct frame frame = {.kind = (enum frame_kind)get(at + AT_KIND, 1),
            .flags = (uint8_t)get(at + AT_FLAGS, 1),
            .count = (uint32_t)get(at + AT_COUNT, 4),
            .offset = get(at + AT_OFFSET, 8),
            .durable = get(at + AT_DURABLE, 8),
            .receipt_ns = (int64_t)get(at + AT_RECEIPT, 8)};
    TRY(read_attributes(slice_of(at + FRAME_FIXED, attributes), &frame, diag));
    struct slice records = slice_of(at + FRAME_FIXED + attributes, get(at + AT_RECORDS, 4));
    frame.sizes = slice_of(records.at, 4 * (size_t)frame.count);
    frame.lines = slice_from(records, frame.sizes.size);
    TRY(check_records(&frame, diag));
    *out = frame;
    *size = whole;
    return OK;
}

/* Before the sum: so that bytes made to look like large frames cost nothing. */
static bool may_be(struct slice bytes, const struct frame_search *search)
{
    size_t size = frame_size(bytes);
    if (!size || size > bytes.size) {
        return false;
    }
    uint64_t offset = get(bytes.at + AT_OFFSET, 8);
    if (offset < search->least || offset >= search->below) {
        return false;
    }
    struct slice mark = search->mark;
    const char *at = bytes.at + FRAME_FIXED;
    return !mark.at ||
           (size >= FRAME_FIXED + TAG_FIXED + mark.size && get(at, 1) == FRAME_MARK &&
                   get(at + 1, 2) == mark.size && memcmp(at + TAG_FIXED, mark.at, mark.size) == 0);
}

size_t frame_search(struct slice bytes, size_t from, const struct frame_search *search)
{
    struct slice rest = slice_from(bytes, from);
    for (;;) {
        size_t at = slice_find(rest, slice_of(magic, MAGIC_SIZE));
        if (at == SIZE_MAX) {
            return bytes.size;
        }
        rest = slice_from(rest, at);
        struct frame frame;
        size_t size;
        if (may_be(rest, search) && frame_read(rest, &frame, &size, NULL) == OK) {
            return bytes.size - rest.size;
        }
        rest = slice_from(rest, 1);
    }
}

bool frame_next(const struct frame *frame, struct frame_walk *walk)
{
    if (walk->passed >= frame->count) {
        return false;
    }
    size_t size = get(frame->sizes.at + 4 * (size_t)walk->passed, 4);
    walk->record = slice_of(frame->lines.at + walk->at, size);
    walk->index = walk->passed++;
    walk->at += size + 1;
    return true;
}

const char *frame_kind_name(enum frame_kind kind)
{
    static const char *const names[] = {"?", "head", "records", "rejected", "tick", "rules",
            "findings", "seal", "matches", "unread"};
    return kind >= FRAME_HEAD && kind < FRAME_KINDS ? names[kind] : names[0];
}
