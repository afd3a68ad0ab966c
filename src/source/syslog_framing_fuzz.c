/* Any bytes as a stream of messages. Held true: cut in pieces or not, the same comes out; nothing
 * comes out that did not go in, or is over the limit; a copy of the state takes a call back. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "source/syslog_framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 24 };

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Offers `piece` bytes more whenever no message is left; 0: all at once. */
static void run(struct slice stream, size_t piece, struct buf *out)
{
    struct syslog_framing f = {.record_bytes = LIMIT};
    size_t begin = 0, end = piece > 0 && piece < stream.size ? piece : stream.size;
    for (;;) {
        struct syslog_framing_step step;
        struct slice bytes = slice_of(stream.at + begin, end - begin);
        struct syslog_framing before = f;
        enum syslog_framing_what what = syslog_framing_next(&f, bytes, &step);
        check(step.used <= bytes.size);
        if (what == SYSLOG_FRAMING_MORE) {
            begin += step.used;
            if (end == stream.size) {
                break;
            }
            end += piece > 0 && piece < stream.size - end ? piece : stream.size - end;
            continue;
        }
        check(step.used > 0 && step.message.size > 0);
        check(step.message.at >= bytes.at);
        check(step.message.at + step.message.size <= bytes.at + step.used);
        check(what == SYSLOG_FRAMING_TOO_LONG || step.message.size <= LIMIT);
        struct syslog_framing_step again;
        check(syslog_framing_next(&before, bytes, &again) == what && again.used == step.used);
        begin += step.used;
        buf_byte(out, what == SYSLOG_FRAMING_MESSAGE ? '[' : '{');
        buf_add(out, step.message);
        buf_byte(out, ']');
    }
    if (syslog_framing_is_cut(slice_from(stream, begin))) {
        buf_byte(out, '(');
        buf_add(out, slice_from(stream, begin));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 4096) {
        return 0;
    }
    struct slice stream = slice_of((const char *)data + 1, size - 1);
    struct buf whole = {0}, pieces = {0};
    run(stream, 0, &whole);
    run(stream, 1u + data[0] % 40u, &pieces);
    check(!whole.failed && !pieces.failed);
    check(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
    buf_fini(&whole);
    buf_fini(&pieces);
    return 0;
}
