#include "source/headed.h"

#include <string.h>
#include <unistd.h>

enum { WINDOW = 256 << 10 };

void headed_begin(struct headed *headed, const struct decoder *decoder)
{
    struct buf header = headed->cutter.header, seen = headed->seen;
    buf_clear(&header);
    buf_clear(&seen);
    *headed = (struct headed){.decoder = decoder,
            .cutter = {.limits = DECODE_LIMITS, .header = header},
            .seen = seen};
}

void headed_fini(struct headed *headed)
{
    buf_fini(&headed->cutter.header);
    buf_fini(&headed->seen);
    headed->decoder = NULL;
}

bool headed_copy(struct headed *to, const struct headed *from)
{
    struct buf header = to->cutter.header, seen = to->seen;
    buf_clear(&header);
    buf_clear(&seen);
    buf_add(&header, buf_slice(&from->cutter.header));
    buf_add(&seen, buf_slice(&from->seen));
    *to = *from;
    to->cutter.header = header;
    to->seen = seen;
    return !header.failed && !seen.failed;
}

static struct slice bare(struct slice line)
{
    size_t size = line.size;
    size -= size > 0 && line.at[size - 1] == '\n';
    size -= size > 0 && line.at[size - 1] == '\r';
    return slice_of(line.at, size);
}

/* One cut over whole lines. false: they are not enough. */
static bool cut(struct headed *h, struct slice bytes, struct cut *out)
{
    enum err e = h->decoder->cut(&h->cutter, bytes, false, out, NULL);
    h->cutter.offset += out->skip + out->size;
    return e == OK && out->skip + out->size > 0;
}

bool headed_next(struct headed *h, struct slice bytes, struct headed_piece *piece)
{
    size_t end = 0;
    struct cut it = {0};
    do { /* a record may have several lines */
        end += slice_find_byte(slice_from(bytes, end), '\n') + 1;
        if (end > bytes.size) {
            return false;
        }
    } while (!cut(h, slice_of(bytes.at, end), &it));
    *piece = (struct headed_piece){.size = it.skip + it.size};
    piece->changed = !slice_equal(buf_slice(&h->cutter.header), buf_slice(&h->seen));
    if (piece->changed) {
        buf_clear(&h->seen);
        buf_add(&h->seen, buf_slice(&h->cutter.header));
    }
    if (it.records > 0) {
        piece->record = bare(slice_of(bytes.at + it.skip, it.size));
    }
    return true;
}

bool headed_catch_up(struct headed *h, int fd, uint64_t at)
{
    struct buf bytes = {0};
    bool good = true;
    while (good && h->cutter.offset < at) {
        uint64_t left = at - h->cutter.offset - bytes.size;
        size_t want = left < WINDOW ? (size_t)left : WINDOW;
        char *to = buf_reserve(&bytes, want);
        ssize_t n = to ? pread(fd, to, want, (off_t)(h->cutter.offset + bytes.size)) : -1;
        bytes.size += n > 0 ? (size_t)n : 0;
        good = n > 0;
        struct cut it;
        while (good && bytes.size > 0 && cut(h, buf_slice(&bytes), &it)) {
            size_t used = it.skip + it.size;
            memmove(bytes.at, bytes.at + used, bytes.size - used);
            bytes.size -= used;
        }
    }
    buf_fini(&bytes);
    buf_clear(&h->seen);
    buf_add(&h->seen, buf_slice(&h->cutter.header));
    return good && !h->seen.failed;
}
