#include "base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static bool tail(const char *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)at[i] & 0xC0) != 0x80) {
            return false;
        }
    }
    return true;
}

/* RFC 3629 section 4: the second byte's range depends on the first. */
static bool second_fits(unsigned char a, unsigned char b)
{
    switch (a) {
    case 0xE0:
        return b >= 0xA0;
    case 0xED:
        return b <= 0x9F;
    case 0xF0:
        return b >= 0x90;
    case 0xF4:
        return b <= 0x8F;
    default:
        return true;
    }
}

size_t utf8_sequence(const char *at, size_t size)
{
    if (size == 0) {
        return 0;
    }
    unsigned char a = (unsigned char)at[0];
    if (a < 0x80) {
        return 1;
    }
    if (a < 0xC2 || a > 0xF4) {
        return 0;
    }
    size_t n = a < 0xE0 ? 2 : a < 0xF0 ? 3 : 4;
    if (size < n || !tail(at, n)) {
        return 0;
    }
    return second_fits(a, (unsigned char)at[1]) ? n : 0;
}

uint32_t utf8_decode(const char *at, size_t *size)
{
    const unsigned char *p = (const unsigned char *)at;
    if (p[0] < 0x80) {
        *size = 1;
        return p[0];
    }
    if (p[0] < 0xE0) {
        *size = 2;
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    }
    if (p[0] < 0xF0) {
        *size = 3;
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    }
    *size = 4;
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 |
           (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

size_t utf8_encode(uint32_t code, char *to)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if ((code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) {
        code = 0xFFFD;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xE0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 0x3F));
        to[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3F));
    to[2] = (char)(0x80 | (code >> 6 & 0x3F));
    to[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

size_t utf8_valid_prefix(struct slice text)
{
    size_t i = 0;
    while (i < text.size) {
        uint64_t word;
        if (text.size - i >= 8) {
            memcpy(&word, text.at + i, 8);
            if ((word & 0x8080808080808080u) == 0) {
                i += 8;
                continue;
            }
        }
        size_t n = utf8_sequence(text.at + i, text.size - i);
        if (n == 0) {
            return i;
        }
        i += n;
    }
    return i;
}

bool utf8_valid(struct slice text)
{
    return utf8_valid_prefix(text) == text.size;
}

static uint32_t unit(const unsigned char *p)
{
    return (uint32_t)(p[0] | p[1] << 8);
}

size_t utf8_from_utf16(struct slice from, char *to)
{
    const unsigned char *p = (const unsigned char *)from.at;
    const unsigned char *end = p + (from.size & ~(size_t)1);
    char *start = to;
    while (p < end) {
        uint32_t code = unit(p);
        p += 2;
        if (code < 0x80) {
            *to++ = (char)code;
            continue;
        }
        if (code >= 0xD800 && code < 0xDC00 && p < end) {
            uint32_t low = unit(p);
            if (low >= 0xDC00 && low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                p += 2;
            }
        }
        to += utf8_encode(code, to);
    }
    return (size_t)(to - start);
}

struct slice utf8_until_nul(struct slice utf16)
{
    size_t i = 0;
    size_t size = utf16.size & ~(size_t)1;
#ifdef __SSE2__
    for (; i + 16 <= size; i += 16) {
        __m128i units = _mm_loadu_si128((const __m128i *)(const void *)(utf16.at + i));
        int zero = _mm_movemask_epi8(_mm_cmpeq_epi16(units, _mm_setzero_si128()));
        if (zero) {
            return slice_of(utf16.at, i + (size_t)__builtin_ctz((unsigned)zero));
        }
    }
#endif
    while (i < size && (utf16.at[i] || utf16.at[i + 1])) {
        i += 2;
    }
    return slice_of(utf16.at, i);
}
