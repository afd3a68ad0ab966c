#include "base/fold.h"

#include <string.h>

#include "base/fold_table.h"
#include "base/utf8.h"

uint32_t fold_code(uint32_t code)
{
    if (code < 0x80) {
        return code - 'A' < 26u ? code | 0x20 : code;
    }
    size_t low = 0, high = fold_table_size;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code > fold_table[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == fold_table_size) {
        return code;
    }
    const struct fold_range *range = &fold_table[low];
    if (code < range->first || (code - range->first) % range->step != 0) {
        return code;
    }
    return code + (uint32_t)range->delta;
}

/* Lower case of eight ASCII bytes at once. A byte from A to Z gets its top bit in `upper`: adding
 * 0x3F carries from 'A' on, adding 0x25 from '[' on, and no byte overflows into the next. */
static inline uint64_t lower_word(uint64_t word)
{
    uint64_t from_a = word + 0x3F3F3F3F3F3F3F3Fu;
    uint64_t past_z = word + 0x2525252525252525u;
    uint64_t upper = (from_a ^ past_z) & 0x8080808080808080u;
    return word | upper >> 2;
}

/* The bytes at the front that are ASCII, eight at a time. */
static size_t fold_ascii(struct slice text, char *to)
{
    size_t i = 0;
    while (text.size - i >= 8) {
        uint64_t word;
        memcpy(&word, text.at + i, 8);
        if (word & 0x8080808080808080u) {
            break;
        }
        word = lower_word(word);
        memcpy(to + i, &word, 8);
        i += 8;
    }
    return i;
}

size_t fold_text(struct slice text, char *to)
{
    size_t i = 0, n = 0;
    while (i < text.size) {
        size_t plain = fold_ascii(slice_of(text.at + i, text.size - i), to + n);
        i += plain;
        n += plain;
        /* Up to eight more one by one, then try the fast way again. */
        size_t stop = text.size - i > 8 ? i + 8 : text.size;
        while (i < stop) {
            unsigned char byte = (unsigned char)text.at[i];
            if (byte < 0x80) {
                to[n++] = (char)fold_code(byte);
                i++;
                continue;
            }
            size_t size = utf8_sequence(text.at + i, text.size - i);
            if (size == 0) {
                to[n++] = text.at[i++];
                continue;
            }
            uint32_t code = utf8_decode(text.at + i, &size);
            n += utf8_encode(fold_code(code), to + n);
            i += size;
        }
    }
    return n;
}
