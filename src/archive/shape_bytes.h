/* shape_bytes: comparing and copying short runs of bytes without a call: most literals and values
 * are shorter than 32 bytes. Nothing is read or written beyond them.
 *
 *     if (shape_bytes_same(piece->at, text.at, piece->before)) ...
 *     to = shape_bytes_copy(to, text.at, text.size); */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/hash.h"

static inline bool shape_bytes_same(const char *a, const char *b, size_t size)
{
    if (size > 32) {
        return memcmp(a, b, size) == 0;
    }
    if (size >= 8) {
        uint64_t differs = 0;
        for (size_t i = 0; i + 8 < size; i += 8) {
            differs |= hash_load64(a + i) ^ hash_load64(b + i);
        }
        return !(differs | (hash_load64(a + size - 8) ^ hash_load64(b + size - 8)));
    }
    if (size >= 4) {
        return hash_load32(a) == hash_load32(b) &&
               hash_load32(a + size - 4) == hash_load32(b + size - 4);
    }
    return size == 0 ||
           (a[0] == b[0] && a[size >> 1] == b[size >> 1] && a[size - 1] == b[size - 1]);
}

static inline char *shape_bytes_copy(char *to, const char *from, size_t size)
{
    if (size > 32) {
        memcpy(to, from, size);
    } else if (size >= 8) {
        for (size_t i = 0; i + 8 < size; i += 8) {
            memcpy(to + i, from + i, 8);
        }
        memcpy(to + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + size - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + size - 4, &last, 4);
    } else if (size > 0) {
        to[0] = from[0];
        to[size >> 1] = from[size >> 1];
        to[size - 1] = from[size - 1];
    }
    return to + size;
}

/* Whether one of 8 bytes must be escaped in a JSON string, '/' aside. */
static inline bool shape_bytes_odd(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = ones << 7;
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    uint64_t odd = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                   ((word - ones * 0x20) & ~word);
    return (odd & highs) != 0;
}
