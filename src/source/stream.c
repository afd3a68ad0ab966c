#include "source/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

/* How often a wait for a pipe looks whether it should stop. */
enum { POLL_MS = 200 };

struct stream {
    int fd;
    bool owned; /* the descriptor is ours to close */
    bool regular;
    bool ended;   /* read() said so */
    bool checked; /* the magic was looked at */
    uint64_t consumed;
    const atomic_bool *stop;
    struct unpack *unpack; /* NULL: bytes are what they are */
    struct slice waiting;  /* packed bytes read and not yet unpacked, or the head that was looked
                              at; in `packed` */
    char *packed;          /* STREAM_BLOCK bytes */
};

enum err stream_open(
        const struct input *input, const atomic_bool *stop, struct stream **out, struct diag *diag)
{
    struct stream *s = memory_alloc(sizeof *s);
    if (!s) {
        return diag_say(diag, ERR_MEMORY, "no memory to open it");
    }
    s->fd = input->fd;
    if (s->fd < 0) {
        s->fd = open(input->path.at, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        s->owned = true;
    }
    if (s->fd < 0) {
        enum err e = diag_say(diag, ERR_IO, "%s", strerror(errno));
        memory_free(s);
        return e;
    }
    s->regular = input->regular;
    s->stop = stop;
    if (s->regular) {
        posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    *out = s;
    return OK;
}

void stream_close(struct stream *s)
{
    if (!s) {
        return;
    }
    unpack_free(s->unpack);
    memory_free(s->packed);
    if (s->owned) {
        close(s->fd);
    }
    memory_free(s);
}

uint64_t stream_consumed(const struct stream *s)
{
    return s->consumed;
}

static bool stopped(const struct stream *s)
{
    return s->stop && atomic_load_explicit(s->stop, memory_order_relaxed);
}

/* One read(); *got 0: the end. */
static enum err read_some(struct stream *s, char *to, size_t room, size_t *got, struct diag *diag)
{
    *got = 0;
    while (!s->ended) {
        if (stopped(s)) {
            s->ended = true;
            return OK;
        }
        if (!s->regular) {
            struct pollfd wait = {.fd = s->fd, .events = POLLIN};
            if (poll(&wait, 1, POLL_MS) <= 0) {
                continue; /* nothing yet, or a signal: look again whether to stop */
            }
        }
        ssize_t n = read(s->fd, to, room);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (n < 0) {
            s->ended = true;
            return diag_say(diag, ERR_IO, "%s", strerror(errno));
        }
        s->ended = n == 0;
        s->consumed += (uint64_t)n;
        *got = (size_t)n;
        return OK;
    }
    return OK;
}

/* Reads the first bytes and looks whether they are packed. */
static enum err look(struct stream *s, struct diag *diag)
{
    s->packed = memory_alloc(STREAM_BLOCK);
    if (!s->packed) {
        return diag_say(diag, ERR_MEMORY, "no memory to read it");
    }
    size_t size = 0, got;
    do {
        TRY(read_some(s, s->packed + size, STREAM_BLOCK - size, &got, diag));
        size += got;
    } while (got > 0 && size < UNPACK_HEAD);
    s->waiting = slice_of(s->packed, size);
    s->checked = true;
    const struct unpack_format *format = unpack_recognise(s->waiting);
    return format ? unpack_new(format, &s->unpack, diag) : OK;
}

/* The head that was looked at, then reading straight into the room. */
static enum err read_plain(struct stream *s, struct unpack_room *room, struct diag *diag)
{
    size_t left = room->size - room->used;
    size_t n = s->waiting.size < left ? s->waiting.size : left;
    if (n > 0) {
        memcpy(room->at + room->used, s->waiting.at, n);
        s->waiting = slice_of(s->waiting.at + n, s->waiting.size - n);
        room->used += n;
    }
    while (room->used < room->size) {
        size_t got;
        TRY(read_some(s, room->at + room->used, room->size - room->used, &got, diag));
        if (got == 0) {
            return ERR_END;
        }
        room->used += got;
    }
    return OK;
}

static enum err read_packed(struct stream *s, struct unpack_room *room, struct diag *diag)
{
    while (room->used < room->size) {
        if (s->waiting.size == 0 && !s->ended) {
            size_t got;
            TRY(read_some(s, s->packed, STREAM_BLOCK, &got, diag));
            s->waiting = slice_of(s->packed, got);
        }
        if (stopped(s)) {
            return ERR_END;
        }
        TRY(unpack_run(s->unpack, &s->waiting, s->ended, room, diag));
    }
    return OK;
}

enum err stream_read(struct stream *s, struct unpack_room *room, struct diag *diag)
{
    if (!s->checked) {
        TRY(look(s, diag));
    }
    return s->unpack ? read_packed(s, room, diag) : read_plain(s, room, diag);
}
