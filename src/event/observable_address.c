#include "event/observable_address.h"

#include <string.h>

enum { QUAD_BYTES_LEAST = 7, QUAD_BYTES_MOST = 15, SIX_BYTES_MOST = 45 };

/* Decimal numbers without leading zeros: with one, systems disagree about what it means. */
static bool read_quad(struct slice text, unsigned char out[4])
{
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        unsigned number = 0;
        size_t start = at;
        while (at < text.size && at - start < 4 && slice_is_digit(text.at[at])) {
            number = number * 10 + (unsigned)(text.at[at++] - '0');
        }
        if (at == start || number > 255 || (at - start > 1 && text.at[start] == '0')) {
            return false;
        }
        out[part] = (unsigned char)number;
        if (part < 3 && (at >= text.size || text.at[at++] != '.')) {
            return false;
        }
    }
    return at == text.size;
}

/* 16 and more: it is none. */
static unsigned hex_digit(char c)
{
    char letter = (char)(c | 0x20);
    if (slice_is_digit(c)) {
        return (unsigned)(c - '0');
    }
    return letter >= 'a' && letter <= 'f' ? (unsigned)(letter - 'a' + 10) : 16;
}

struct six {
    unsigned char bytes[16];
    size_t size;
    size_t gap; /* where :: stands; SIZE_MAX: nowhere */
};

/* A group of up to four digits, or the dotted quad that ends the address; the bytes behind it, or
 * 0. */
static size_t read_group(struct slice text, size_t at, struct six *six)
{
    size_t end = at;
    unsigned number = 0;
    while (end < text.size && end - at < 5 && hex_digit(text.at[end]) < 16) {
        number = number << 4 | hex_digit(text.at[end++]);
    }
    if (end < text.size && text.at[end] == '.') {
        bool fits = six->size <= 12 && read_quad(slice_from(text, at), six->bytes + six->size);
        six->size += 4;
        return fits ? text.size : 0;
    }
    if (end == at || end - at > 4 || six->size > 14) {
        return 0;
    }
    six->bytes[six->size++] = (unsigned char)(number >> 8);
    six->bytes[six->size++] = (unsigned char)number;
    return end;
}

/* RFC 4291 section 2.2. */
static bool read_six(struct slice text, unsigned char out[16])
{
    struct six six = {.gap = SIZE_MAX};
    size_t at = 0;
    if (slice_starts(text, SLICE("::"))) {
        six.gap = 0;
        at = 2;
    }
    while (at < text.size) {
        at = read_group(text, at, &six);
        if (at == 0) {
            return false;
        }
        if (at == text.size) {
            break;
        }
        if (text.at[at] != ':' || ++at == text.size) {
            return false;
        }
        if (text.at[at] == ':') {
            if (six.gap != SIZE_MAX) {
                return false;
            }
            six.gap = six.size;
            at++;
        }
    }
    if (six.gap == SIZE_MAX ? six.size != 16 : six.size > 14) {
        return false;
    }
    size_t before = six.gap == SIZE_MAX ? 16 : six.gap, after = six.size - before;
    memset(out, 0, 16);
    memcpy(out, six.bytes, before);
    memcpy(out + 16 - after, six.bytes + before, after);
    return true;
}

size_t observable_address(struct slice text, unsigned char bytes[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (text.size >= QUAD_BYTES_LEAST && text.size <= QUAD_BYTES_MOST && read_quad(text, bytes)) {
        return 4;
    }
    if (text.size < 2 || text.size > SIX_BYTES_MOST || !read_six(text, bytes)) {
        return 0;
    }
    if (memcmp(bytes, mapped, sizeof mapped) == 0) {
        memmove(bytes, bytes + sizeof mapped, 4);
        return 4;
    }
    return 16;
}
