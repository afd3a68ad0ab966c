#include "correlate/match.h"

#include <assert.h>

#include "base/digest.h"
#include "base/fold.h"
#include "base/memory.h"

enum { SIZE_BYTES = 4 };

static void put(struct buf *out, uint64_t value, int bytes)
{
    while (bytes-- > 0) {
        buf_byte(out, (char)(value >> 8 * bytes & 0xFF));
    }
}

static uint64_t get(const char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) {
        value = value << 8 | (unsigned char)at[i];
    }
    return value;
}

void match_begin(
        struct match_writer *w, struct buf *out, const struct match_id *id, struct slice host)
{
    *w = (struct match_writer){.out = out, .start = out->size};
    host.size = host.size > MATCH_HOST ? MATCH_HOST : host.size;
    put(out, 0, SIZE_BYTES);
    put(out, (uint64_t)id->time_ns ^ (uint64_t)1 << 63, 8);
    put(out, id->file, 4);
    put(out, id->record, 8);
    put(out, id->rule, 4);
    put(out, host.size, 1);
    buf_add(out, host);
}

void match_field(struct match_writer *w)
{
    w->field = w->out->size;
    put(w->out, 0, 1);
}

/* Two long values are the same where these are: the digest is of the folded text. */
static void put_long(struct buf *out, struct slice text)
{
    struct digest digest;
    char hex[DIGEST_HEX];
    size_t shown = MATCH_SHOWN;
    char *folded = memory_alloc(text.size * 2);
    if (!folded) {
        out->failed = true;
        return;
    }
    while (shown > 0 && ((unsigned char)text.at[shown] & 0xC0) == 0x80) {
        shown--;
    }
    digest_init(&digest);
    digest_add(&digest, slice_of(folded, fold_text(text, folded)));
    digest_hex(&digest, hex);
    memory_free(folded);
    put(out, shown + 11 + DIGEST_HEX - 1, 2);
    buf_add(out, slice_of(text.at, shown));
    buf_add(out, SLICE("... sha256:"));
    buf_add(out, slice_of(hex, DIGEST_HEX - 1));
}

void match_value(struct match_writer *w, struct slice text)
{
    if (w->out->failed) {
        return;
    }
    unsigned char count = (unsigned char)w->out->at[w->field];
    if (count == MATCH_VALUES) {
        w->left_out++;
        return;
    }
    w->out->at[w->field] = (char)(count + 1);
    if (text.size > MATCH_TEXT) {
        put_long(w->out, text);
    } else {
        put(w->out, text.size, 2);
        buf_add(w->out, text);
    }
}

void match_end(struct match_writer *w)
{
    if (w->out->failed) {
        return;
    }
    size_t size = w->out->size - w->start - SIZE_BYTES;
    for (int i = 0; i < SIZE_BYTES; i++) {
        w->out->at[w->start + i] = (char)(size >> 8 * (SIZE_BYTES - 1 - i) & 0xFF);
    }
}

bool match_cut(struct slice *rest, struct slice *record)
{
    if (rest->size < SIZE_BYTES) {
        return false;
    }
    size_t size = get(rest->at, SIZE_BYTES);
    assert(size <= rest->size - SIZE_BYTES);
    *record = slice_of(rest->at + SIZE_BYTES, size);
    *rest = slice_of(record->at + size, rest->size - SIZE_BYTES - size);
    return true;
}

void match_read(struct slice record, struct match *out)
{
    const char *at = record.at;
    assert(record.size > MATCH_KEY);
    out->id.time_ns = (int64_t)(get(at, 8) ^ (uint64_t)1 << 63);
    out->id.file = (uint32_t)get(at + 8, 4);
    out->id.record = get(at + 12, 8);
    out->id.rule = (uint32_t)get(at + 20, 4);
    size_t host = (unsigned char)at[MATCH_KEY];
    out->host = slice_of(at + MATCH_KEY + 1, host);
    out->fields = slice_of(at + MATCH_KEY + 1 + host, record.size - MATCH_KEY - 1 - host);
}

/* Behind the values of the field that begins at `at`. */
static size_t skip(struct slice fields, size_t at)
{
    unsigned count = (unsigned char)fields.at[at++];
    while (count-- > 0) {
        at += 2 + get(fields.at + at, 2);
    }
    return at;
}

struct slice match_values(const struct match *match, uint32_t slot)
{
    size_t at = 0;
    while (slot-- > 0) {
        at = skip(match->fields, at);
    }
    size_t end = skip(match->fields, at);
    return slice_of(match->fields.at + at + 1, end - at - 1);
}

bool match_next(struct slice *rest, struct slice *text)
{
    if (rest->size == 0) {
        return false;
    }
    size_t size = get(rest->at, 2);
    *text = slice_of(rest->at + 2, size);
    *rest = slice_of(rest->at + 2 + size, rest->size - 2 - size);
    return true;
}
