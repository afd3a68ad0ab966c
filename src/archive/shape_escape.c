#include "archive/shape_escape.h"

#include <stdbool.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "archive/shape_bytes.h"
#include "base/utf8.h"

enum { LANES = 16 };

static bool hex_letter(char c, char first)
{
    return c >= first && c <= first + 5;
}

/* What the escape \uXXXX at `at` says. */
static uint8_t guess_unit(const char *at)
{
    uint8_t how = 0;
    uint32_t code = 0;
    for (int i = 2; i < 6; i++) {
        bool upper = hex_letter(at[i], 'A');
        if (upper) {
            how |= SHAPE_JSON_UPPER;
        }
        uint32_t digit = upper                    ? (uint32_t)(at[i] - 'A') + 10
                         : hex_letter(at[i], 'a') ? (uint32_t)(at[i] - 'a') + 10
                                                  : (uint32_t)(at[i] - '0');
        code = code << 4 | (digit & 15);
    }
    if (code >= 0x80) {
        return how | SHAPE_JSON_ASCII;
    }
    if (code == '<' || code == '>' || code == '&') {
        return how | SHAPE_JSON_ANGLES;
    }
    return code == '\'' ? how | SHAPE_JSON_QUOTE : how;
}

uint8_t shape_escape_guess(struct slice inside)
{
    uint8_t how = SHAPE_JSON;
    const char *p = inside.at, *end = inside.at + inside.size;
    while (end - p >= 2 && (p = memchr(p, '\\', (size_t)(end - p))) != NULL && end - p >= 2) {
        if (p[1] == '/') {
            how |= SHAPE_JSON_SLASH;
        } else if (p[1] == 'u' && end - p >= 6) {
            how |= guess_unit(p);
        }
        p += 2;
    }
    return how;
}

static char *put_unit(char *to, uint32_t unit, uint8_t how)
{
    const char *hex = how & SHAPE_JSON_UPPER ? "0123456789ABCDEF" : "0123456789abcdef";
    const char six[] = {'\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
            hex[unit & 15]};
    memcpy(to, six, sizeof six);
    return to + sizeof six;
}

static char *put_wide(char *to, const char **from, const char *end, uint8_t how)
{
    size_t size = utf8_sequence(*from, (size_t)(end - *from));
    if (size == 0) {
        *to = *(*from)++;
        return to + 1;
    }
    uint32_t code = utf8_decode(*from, &size);
    *from += size;
    if (code < 0x10000) {
        return put_unit(to, code, how);
    }
    code -= 0x10000;
    return put_unit(put_unit(to, 0xD800 + (code >> 10), how), 0xDC00 + (code & 0x3FF), how);
}

static bool as_unit(char c, uint8_t how)
{
    return (how & SHAPE_JSON_ANGLES && (c == '<' || c == '>' || c == '&')) ||
           (how & SHAPE_JSON_QUOTE && c == '\'');
}

/* One byte below 0x80. */
static char *put_one(char *to, char c, uint8_t how)
{
    static const char shorts[32] = {
            ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    unsigned char u = (unsigned char)c;
    char letter = u < 32 ? shorts[u] : c;
    if (u < 32 ? !letter : as_unit(c, how)) {
        return put_unit(to, u, how);
    }
    if (u < 32 || c == '"' || c == '\\' || (c == '/' && how & SHAPE_JSON_SLASH)) {
        *to++ = '\\';
    }
    *to++ = letter;
    return to;
}

/* Nothing of fewer than 16 bytes needs an escape. */
static bool short_plain(const char *at, size_t size)
{
    if (size >= 8) {
        return !shape_bytes_odd(hash_load64(at)) && !shape_bytes_odd(hash_load64(at + size - 8));
    }
    if (size >= 4) {
        return !shape_bytes_odd(hash_load32(at) << 32 | hash_load32(at + size - 4));
    }
    uint64_t word = 0x4141414141414141u;
    for (size_t i = 0; i < size; i++) {
        word = word << 8 | (unsigned char)at[i];
    }
    return !shape_bytes_odd(word);
}

/* With nothing but the escapes that must be. */
static size_t escape_plainly(struct slice text, char *to)
{
    const char *p = text.at, *end = text.at + text.size;
    char *at = to;
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);
    while (end - p >= LANES) {
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(c, quote), _mm_cmpeq_epi8(c, backslash));
        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(_mm_min_epu8(c, control), c));
        unsigned found = (unsigned)_mm_movemask_epi8(odd);
        _mm_storeu_si128((__m128i *)(void *)at, c);
        int plain = found ? __builtin_ctz(found) : LANES;
        p += plain;
        at += plain;
        if (found) {
            at = put_one(at, *p++, SHAPE_JSON);
        }
    }
#endif
    size_t left = (size_t)(end - p);
    if (left < LANES && short_plain(p, left)) {
        return (size_t)(shape_bytes_copy(at, p, left) - to);
    }
    while (p < end) {
        at = put_one(at, *p++, SHAPE_JSON);
    }
    return (size_t)(at - to);
}

size_t shape_escape(struct slice text, uint8_t how, char *to)
{
    if (text.size == 0) {
        return 0;
    }
    if (how == SHAPE_PLAIN) {
        return (size_t)(shape_bytes_copy(to, text.at, text.size) - to);
    }
    if (how == SHAPE_JSON) {
        return escape_plainly(text, to);
    }
    const char *p = text.at, *end = text.at + text.size;
    char *at = to;
    while (p < end) {
        if ((unsigned char)*p >= 0x80 && how & SHAPE_JSON_ASCII) {
            at = put_wide(at, &p, end, how);
        } else {
            at = put_one(at, *p++, how);
        }
    }
    return (size_t)(at - to);
}
