#include "event/value.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/utf8.h"
#include "event/typed.h"

enum { LANES = 16 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of an escape \uXXXX at `at`; UINT32_MAX when there is none within `size`. */
static uint32_t escape_unit(const char *at, size_t size)
{
    if (size < 6 || at[0] != '\\' || at[1] != 'u') {
        return UINT32_MAX;
    }
    uint32_t unit = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) {
            return UINT32_MAX;
        }
        unit = unit << 4 | (uint32_t)digit;
    }
    return unit;
}

/* Resolves one escape at *from (a backslash), moves both ends on. */
static char *put_escape(const char **from, const char *end, char *to)
{
    static const char controls[] = {['b' - 'a'] = '\b',
            ['f' - 'a'] = '\f',
            ['n' - 'a'] = '\n',
            ['r' - 'a'] = '\r',
            ['t' - 'a'] = '\t'};
    const char *p = *from;
    uint32_t code = escape_unit(p, (size_t)(end - p));
    if (code != UINT32_MAX) {
        *from = p + 6;
        /* RFC 8259 section 7: outside the basic plane, two escapes are a surrogate pair. */
        uint32_t low = escape_unit(*from, (size_t)(end - *from));
        if (code >= 0xD800 && code < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            *from += 6;
        }
        return to + utf8_encode(code, to);
    }
    if (end - p < 2) {
        *to = '\\';
        *from = end;
        return to + 1;
    }
    unsigned place = (unsigned)((unsigned char)p[1] - 'a');
    char control = place < sizeof controls ? controls[place] : 0;
    *to = control ? control : p[1];
    *from = p + 2;
    return to + 1;
}

/* Copies up to the next backslash, whose place it returns. What is written does not get ahead of
 * what is read. */
static const char *copy_plain(const char *p, const char *end, char **to)
{
    char *at = *to;
#if defined(__x86_64__)
    const __m128i backslash = _mm_set1_epi8('\\');
    for (; end - p >= LANES; p += LANES, at += LANES) {
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned slashes = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(c, backslash));
        _mm_storeu_si128((__m128i *)(void *)at, c);
        if (slashes) {
            *to = at + __builtin_ctz(slashes);
            return p + __builtin_ctz(slashes);
        }
    }
#endif
    while (p < end && *p != '\\') {
        *at++ = *p++;
    }
    *to = at;
    return p;
}

size_t value_unescape(struct slice json, char *to)
{
    const char *p = json.at;
    const char *end = p + json.size;
    char *start = to;
    while (p < end) {
        p = copy_plain(p, end, &to);
        if (p < end) {
            to = put_escape(&p, end, to);
        }
    }
    return (size_t)(to - start);
}

/* Bytes that `convert` may write. */
static size_t room_of(const struct value *value)
{
    switch (value->form) {
    case FORM_JSON:
        return value->text.size;
    case FORM_UTF16:
        return value->text.size / 2 * 3;
    default:
        return typed_room((uint8_t)(value->form - FORM_TYPED), value->text.size);
    }
}

static size_t convert(const struct value *value, char *to)
{
    switch (value->form) {
    case FORM_JSON:
        return value_unescape(value->text, to);
    case FORM_UTF16:
        return utf8_from_utf16(utf8_until_nul(value->text), to);
    default:
        return typed_write((uint8_t)(value->form - FORM_TYPED), value->text, to);
    }
}

void value_text(const struct value *value, struct buf *out)
{
    if (value->kind == VALUE_NULL || value->kind == VALUE_OBJECT || value->text.size == 0) {
        return;
    }
    if (value->form == FORM_TEXT) {
        buf_add(out, value->text);
        return;
    }
    char *to = buf_reserve(out, room_of(value));
    if (to) {
        out->size += convert(value, to);
    }
}

struct slice value_slice(const struct value *value, struct buf *scratch)
{
    if (value->kind == VALUE_NULL || value->kind == VALUE_OBJECT) {
        return SLICE("");
    }
    if (value->form == FORM_TEXT) {
        return value->text;
    }
    buf_clear(scratch);
    value_text(value, scratch);
    return scratch->size ? buf_slice(scratch) : SLICE("");
}
