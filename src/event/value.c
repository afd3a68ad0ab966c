#include "event/value.h"

#include "base/utf8.h"
#include "event/typed.h"

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
    static const char from_letter[] = "bfnrt";
    static const char to_byte[] = "\b\f\n\r\t";
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
    const char *letter = p[1] ? strchr(from_letter, p[1]) : NULL;
    *to = letter ? to_byte[letter - from_letter] : p[1];
    *from = p + 2;
    return to + 1;
}

size_t value_unescape(struct slice json, char *to)
{
    const char *p = json.at;
    const char *end = p + json.size;
    char *start = to;
    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((slash ? slash : end) - p);
        memcpy(to, p, plain);
        to += plain;
        p += plain;
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
