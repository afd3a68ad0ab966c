#include "api/api_record.h"

#include "base/base64.h"
#include "base/time.h"
#include "base/utf8.h"

static void add_text(struct buf *out, const char *name, struct slice text)
{
    if (text.at) {
        buf_format(out, ",\"%s\":\"", name);
        buf_json(out, text);
        buf_byte(out, '"');
    }
}

/* Not in the middle of a character. */
static struct slice cut(struct slice record)
{
    enum { CONTINUED = 3 };
    if (record.size <= API_RECORD_SHOWN) {
        return record;
    }
    size_t size = API_RECORD_SHOWN;
    for (int i = 0; i < CONTINUED && (record.at[size] & 0xC0) == 0x80; i++) {
        size--;
    }
    return slice_of(record.at, size);
}

void api_record_json(
        const struct frame *frame, uint64_t offset, struct slice record, struct buf *out)
{
    struct slice shown = cut(record);
    buf_format(out, "{\"offset\":%llu,\"received\":\"", (unsigned long long)offset);
    time_format(out, frame->receipt_ns);
    buf_byte(out, '"');
    add_text(out, "tenant", frame->attribute[FRAME_TENANT]);
    add_text(out, "source", frame->attribute[FRAME_SOURCE]);
    add_text(out, "format", frame->attribute[FRAME_FORMAT]);
    if (shown.size < record.size) {
        buf_format(out, ",\"size\":%zu", record.size);
    }
    if (utf8_valid(shown)) {
        buf_add(out, SLICE(",\"record\":\""));
        buf_json(out, shown);
    } else { /* as a string it would not be what was received */
        buf_add(out, SLICE(",\"base64\":\""));
        base64_add(out, shown);
    }
    buf_add(out, SLICE("\"}"));
}
