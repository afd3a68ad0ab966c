#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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
    room = b->cap && room > b->cap ? b->cap : room; /* what fits the room fits the cap */
    char *at = memory_resize(b->at, room);
    if (!at) {
        return false;
    }
    b->at = at;
    b->room = room;
    return true;
}

char *buf_reserve_more(struct buf *b, size_t more)
{
    size_t need;
    if (b->failed || __builtin_add_overflow(b->size, more, &need) ||
            (need > b->room && !grow(b, need))) {
        b->failed = true;
        return NULL;
    }
    return b->at + b->size;
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

/* How many bytes at the front of the text stand for themselves in JSON. */
static size_t plain_prefix(struct slice text)
{
    size_t i = 0;
#ifdef __SSE2__
    for (; i + 16 <= text.size; i += 16) {
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(text.at + i));
        /* Compared with a sign, bytes beyond ASCII are less than a blank as well. */
        __m128i odd = _mm_or_si128(_mm_cmplt_epi8(c, _mm_set1_epi8(0x20)),
                _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('"')),
                        _mm_cmpeq_epi8(c, _mm_set1_epi8('\\'))));
        int mask = _mm_movemask_epi8(odd);
        if (mask) {
            return i + (size_t)__builtin_ctz((unsigned)mask);
        }
    }
#endif
    while (i < text.size && plain((unsigned char)text.at[i])) {
        i++;
    }
    return i;
}

void buf_json(struct buf *b, struct slice text)
{
    size_t i = 0;
    while (i < text.size && !b->failed) {
        size_t n = plain_prefix(slice_of(text.at + i, text.size - i));
        buf_add(b, slice_of(text.at + i, n));
        i += n;
        if (i == text.size) {
            return;
        }
        unsigned char c = (unsigned char)text.at[i];
        if (c < 0x80) {
            add_escaped(b, c);
            i++;
            continue;
        }
        n = utf8_sequence(text.at + i, text.size - i);
        buf_add(b, n ? slice_of(text.at + i, n) : SLICE("\xEF\xBF\xBD"));
        i += n ? n : 1;
    }
}
