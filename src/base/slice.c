#define _GNU_SOURCE
#include "base/slice.h"

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (lower(a.at[i]) != lower(b.at[i])) {
            return false;
        }
    }
    return true;
}

int slice_compare(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.at, b.at, common) : 0;
    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.size && blank(s.at[0])) {
        s.at++;
        s.size--;
    }
    while (s.size && blank(s.at[s.size - 1])) {
        s.size--;
    }
    return s;
}

size_t slice_find(struct slice s, struct slice needle)
{
    if (needle.size == 0) {
        return 0;
    }
    const char *hit = s.size ? memmem(s.at, s.size, needle.at, needle.size) : NULL;
    return hit ? (size_t)(hit - s.at) : SIZE_MAX;
}

struct slice slice_cut(struct slice *rest, char byte)
{
    size_t at = slice_find_byte(*rest, byte);
    struct slice part = slice_of(rest->at, at);
    size_t skip = at < rest->size ? at + 1 : at;
    rest->at += skip;
    rest->size -= skip;
    return part;
}

bool slice_is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.size; i++) {
        if ((unsigned char)s.at[i] >= 0x80) {
            return false;
        }
    }
    return true;
}
