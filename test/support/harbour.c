#include "support/harbour.h"

#include <string.h>

static int64_t fixed_ns(void)
{
    return 1700000000000000000;
}

bool harbour_init(struct harbour *h, size_t channel_bytes)
{
    *h = (struct harbour){0};
    if (channel_new(channel_bytes, &h->channel, NULL) != OK || counts_new(&h->counts, NULL) != OK) {
        return false;
    }
    intake_init(&h->intake, h->channel, h->counts, fixed_ns);
    return true;
}

void harbour_fini(struct harbour *h)
{
    intake_fini(&h->intake);
    channel_free(h->channel);
    counts_free(h->counts);
    buf_fini(&h->copy);
    buf_fini(&h->seen);
    buf_fini(&h->keys);
}

static void see(struct harbour *h, const struct frame *frame)
{
    struct frame_walk walk = {0};
    while (frame_next(frame, &walk)) {
        if (frame->kind == FRAME_REJECTED) {
            buf_byte(&h->seen, '!');
        }
        buf_add(&h->seen, frame->attribute[FRAME_SOURCE]);
        buf_byte(&h->seen, '|');
        if (frame->kind == FRAME_REJECTED) {
            buf_add(&h->seen, frame->attribute[FRAME_REASON]);
            buf_byte(&h->seen, '|');
        }
        buf_add(&h->seen, walk.record);
        buf_byte(&h->seen, '\n');
    }
    if (frame->attribute[FRAME_KEY].size > 0) {
        buf_add(&h->keys, frame->attribute[FRAME_KEY]);
        buf_format(&h->keys, " %u\n", frame->count);
    }
}

bool harbour_take(struct harbour *h)
{
    uint64_t position;
    enum err e;
    while ((e = channel_take(h->channel, &h->copy, &position)) == OK) {
        struct frame frame;
        size_t size;
        if (frame_read(buf_slice(&h->copy), &frame, &size, NULL) != OK || size != h->copy.size) {
            return false;
        }
        h->frames++;
        h->records += frame.kind == FRAME_RECORDS ? frame.count : 0;
        if (!h->quiet) {
            see(h, &frame);
        }
        channel_finish(h->channel, position);
    }
    return e == ERR_END;
}

const char *harbour_seen(struct harbour *h)
{
    buf_byte(&h->seen, '\0');
    h->seen.size--;
    return h->seen.at;
}

const struct counts_source *harbour_counts(struct harbour *h, const char *source)
{
    return counts_source(h->counts, SLICE("t"), slice_text(source));
}
