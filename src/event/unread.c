#include "event/unread.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

/* An offset's digits, a blank and the words. */
void unread_add(struct frame_records *records, uint64_t offset, struct slice words)
{
    char text[UNREAD_WORDS + 24];
    size_t kept = words.size < UNREAD_WORDS ? words.size : UNREAD_WORDS;
    int size = snprintf(text, sizeof text, "%llu ", (unsigned long long)offset);
    if (size > 0 && kept > 0) {
        memcpy(text + size, words.at, kept);
    }
    frame_records_add(records, slice_of(text, (size_t)size + kept));
}

bool unread_read(struct slice record, struct unread *out)
{
    struct slice digits = slice_cut(&record, ' ');
    uint64_t offset = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (!slice_is_digit(digits.at[i]) ||
                __builtin_mul_overflow(offset, (uint64_t)10, &offset) ||
                __builtin_add_overflow(offset, (uint64_t)(digits.at[i] - '0'), &offset)) {
            return false;
        }
    }
    *out = (struct unread){offset, record};
    return digits.size > 0;
}

void unread_reason(const struct frame *frame, const struct unread *unread, struct buf *out)
{
    buf_add(out, frame->attribute[FRAME_REASON]);
    buf_add(out, SLICE(": "));
    buf_add(out, unread->words);
}

bool unread_is(
        const struct frame *frame, const struct unread *unread, const struct unread_wanted *wanted)
{
    struct slice source = frame->attribute[FRAME_SOURCE], name = wanted->source;
    struct buf reason = {0};
    if (name.size > 0 && (!slice_starts(source, name) ||
                                 (source.size > name.size && source.at[name.size] != '/'))) {
        return false;
    }
    if (wanted->reason.size == 0) {
        return true;
    }
    unread_reason(frame, unread, &reason);
    bool is = slice_starts(buf_slice(&reason), wanted->reason);
    buf_fini(&reason);
    return is;
}

static void add_text(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, ",\"%s\":\"", name);
    buf_json(out, text);
    buf_byte(out, '"');
}

void unread_json(const struct frame *frame, const struct unread *unread, struct buf *out)
{
    struct buf reason = {0};
    unread_reason(frame, unread, &reason);
    out->failed |= reason.failed;
    buf_format(out, "{\"offset\":%llu,\"received\":\"", (unsigned long long)unread->offset);
    time_format(out, frame->receipt_ns);
    buf_byte(out, '"');
    add_text(out, "tenant", frame->attribute[FRAME_TENANT]);
    add_text(out, "source", frame->attribute[FRAME_SOURCE]);
    add_text(out, "reason", buf_slice(&reason));
    buf_byte(out, '}');
    buf_fini(&reason);
}
