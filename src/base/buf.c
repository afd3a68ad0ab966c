#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/utf8.h"

void buf_fini(struct buf *b)
{
    memory_free(b->at);
    *b = (struct buf){0};
}

static bool grow(struct buf *b, size_t need)
{
    if (b->cap && need > b->cap) {
        return false;
    }
    size_t room = b->room ? b->room : 256;
    while (room < need) {
        if (__builtin_mul_overflow(room, (size_t)2, &room)) {
            return false;
        }
    }
    char *at = memory_resize(b->at, room);
    if (!at) {
        return false;
    }
    b->at = at;
    b->room = room;
    return true;
}

char *buf_reserve(struct buf *b, size_t more)
{
    size_t need;
    if (b->failed || __builtin_add_overflow(b->size, more, &need)) {
        b->failed = true;
        return NULL;
    }
    if (need > b->room || (b->cap && need > b->cap)) {
        if (!grow(b, need)) {
            b->failed = true;
            return NULL;
        }
    }
    return b->at + b->size;
}

void buf_add(struct buf *b, struct slice bytes)
{
    if (bytes.size == 0) {
        return;
    }
    char *to = buf_reserve(b, bytes.size);
    if (to) {
        memcpy(to, bytes.at, bytes.size);
        b->size += bytes.size;
    }
}

void buf_byte(struct buf *b, char byte)
{
    char *to = buf_reserve(b, 1);
    if (to) {
        *to = byte;
        b->size++;
    }
}

void buf_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t n = 0;
    do {
        digits[sizeof digits - ++n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_add(b, slice_of(digits + sizeof digits - n, n));
}

void buf_i64(struct buf *b, int64_t value)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (value < 0) {
        buf_byte(b, '-');
    }
    buf_u64(b, size);
}

void buf_format(struct buf *b, const char *format, ...)
{
    char piece[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof piece) {
        b->failed = true;
        return;
    }
    buf_add(b, slice_of(piece, (size_t)n));
}

static bool plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void add_escaped(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char *shorts = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *s = shorts; *s; s += 2) {
        if ((unsigned char)s[0] == c) {
            buf_add(b, slice_of((char[]){'\\', s[1]}, 2));
            return;
        }
    }
    buf_add(b, slice_of((char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6));
}

void buf_json(struct buf *b, struct slice text)
{
    size_t i = 0;
    while (i < text.size && !b->failed) {
        size_t start = i;
        while (i < text.size && plain((unsigned char)text.at[i])) {
            i++;
        }
        buf_add(b, slice_of(text.at + start, i - start));
        if (i == text.size) {
            return;
        }
        unsigned char c = (unsigned char)text.at[i];
        if (c < 0x80) {
            add_escaped(b, c);
            i++;
            continue;
        }
        size_t n = utf8_sequence(text.at + i, text.size - i);
        buf_add(b, n ? slice_of(text.at + i, n) : SLICE("\xEF\xBF\xBD"));
        i += n ? n : 1;
    }
}
