/* buf: growing output; failure sticks and is checked once at the end.
 *
 *     struct buf out = {0};
 *     buf_add(&out, SLICE("id="));
 *     buf_format(&out, "%u", id);
 *     if (out.failed) return ERR_MEMORY;
 *     buf_fini(&out);
 *
 * {0} is an empty buffer without a cap. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

struct buf {
    char *at; /* owned */
    size_t size;
    size_t room;
    size_t cap;  /* most bytes it may hold; 0: no cap */
    bool failed; /* memory or cap refused; nothing more is added */
};

void buf_fini(struct buf *b);
/* Empty again, memory kept, failure forgotten. */
static inline void buf_clear(struct buf *b)
{
    b->size = 0;
    b->failed = false;
}

static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->at, b->size);
}

/* Room for `more` bytes after the content, or NULL (and failed). The caller writes at most that
 * and adds what it wrote to b->size. */
char *buf_reserve_more(struct buf *b, size_t more); /* the same, where it does not fit yet */
static inline char *buf_reserve(struct buf *b, size_t more)
{
    bool fits = !b->failed && more <= b->room - b->size;
    return fits ? b->at + b->size : buf_reserve_more(b, more);
}

static inline void buf_add(struct buf *b, struct slice bytes)
{
    char *to = bytes.size ? buf_reserve(b, bytes.size) : NULL;
    if (to) {
        memcpy(to, bytes.at, bytes.size);
        b->size += bytes.size;
    }
}

static inline void buf_byte(struct buf *b, char byte)
{
    char *to = buf_reserve(b, 1);
    if (to) {
        *to = byte;
        b->size++;
    }
}

void buf_u64(struct buf *b, uint64_t value);
void buf_i64(struct buf *b, int64_t value);
/* printf; the formatted piece is at most 4 KiB, longer is a failure. */
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* UTF-8 text as the inside of a JSON string: quotes, backslash and control bytes escaped; what is
 * not UTF-8 becomes U+FFFD. No quotes around it. */
void buf_json(struct buf *b, struct slice text);
