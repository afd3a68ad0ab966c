#include "cli/visible.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/utf8.h"

enum { MARKS = 3 }; /* combining characters shown over one letter */

struct range {
    uint32_t first;
    uint32_t last;
};

/* Written as \u{...}: they are not seen, or change how their neighbours are seen. */
static const struct range hidden[] = {
        {0x80, 0x9F},       /* C1 controls: some terminals obey them */
        {0xAD, 0xAD},       /* soft hyphen */
        {0x61C, 0x61C},     /* Arabic letter mark */
        {0x115F, 0x1160},   /* Hangul fillers */
        {0x180E, 0x180E},   /* Mongolian vowel separator */
        {0x200B, 0x200F},   /* zero width, direction marks */
        {0x2028, 0x202E},   /* separators, embeddings, overrides */
        {0x2060, 0x206F},   /* joiners, isolates */
        {0x3164, 0x3164},   /* Hangul filler */
        {0xD800, 0xF8FF},   /* private use: drawn as anything */
        {0xFEFF, 0xFEFF},   /* byte order mark */
        {0xFFF0, 0xFFFC},   /* interlinear annotation */
        {0xE0000, 0xE0FFF}, /* tags */
        {0xF0000, 0x10FFFF},
};

/* Two columns wide (East Asian Wide and Fullwidth, emoji), coarsely. */
static const struct range wide[] = {
        {0x1100, 0x115E},
        {0x2E80, 0x303E},
        {0x3041, 0xA4CF},
        {0xAC00, 0xD7A3},
        {0xF900, 0xFAFF},
        {0xFE30, 0xFE6F},
        {0xFF00, 0xFF60},
        {0xFFE0, 0xFFE6},
        {0x1F300, 0x1F64F},
        {0x1F680, 0x1F6FF},
        {0x1F900, 0x1F9FF},
        {0x20000, 0x3FFFD},
};

/* Drawn over the character before. */
static const struct range combining[] = {
        {0x300, 0x36F},
        {0x483, 0x489},
        {0x591, 0x5BD},
        {0x610, 0x61A},
        {0x64B, 0x65F},
        {0x1AB0, 0x1AFF},
        {0x1DC0, 0x1DFF},
        {0x20D0, 0x20FF},
        {0xFE00, 0xFE0F},
        {0xFE20, 0xFE2F},
};

static bool within(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count && ranges[i].first <= code; i++) {
        if (code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}
#define WITHIN(ranges, code) within((ranges), sizeof(ranges) / sizeof *(ranges), (code))

struct visible_glyph visible_next(struct slice text, unsigned *marks)
{
    unsigned before = *marks;
    *marks = 0;
    struct visible_glyph g = {.taken = 1, .columns = 1, .size = 1};
    unsigned char c = (unsigned char)text.at[0];
    if (c >= 0x20 && c < 0x7F) {
        g.text[0] = (char)c;
        return g;
    }
    size_t n = c < 0x80 ? 0 : utf8_sequence(text.at, text.size);
    if (n == 0) {
        g.size = g.columns = (size_t)snprintf(g.text, sizeof g.text, "\\x%02X", c);
        g.spelled = true;
        return g;
    }
    uint32_t code = utf8_decode(text.at, &n);
    g.taken = n;
    bool mark = WITHIN(combining, code);
    *marks = mark ? before + 1 : 0;
    if (WITHIN(hidden, code) || *marks > MARKS) {
        g.size = g.columns = (size_t)snprintf(g.text, sizeof g.text, "\\u{%X}", (unsigned)code);
        g.spelled = true;
        return g;
    }
    memcpy(g.text, text.at, n);
    g.size = n;
    g.columns = mark ? 0 : WITHIN(wide, code) ? 2 : 1;
    return g;
}

size_t visible_width(struct slice text)
{
    size_t columns = 0;
    unsigned marks = 0;
    while (text.size > 0) {
        struct visible_glyph g = visible_next(text, &marks);
        columns += g.columns;
        text = slice_of(text.at + g.taken, text.size - g.taken);
    }
    return columns;
}

/* Does the text fit into so many columns? Looks no further than it must. */
static bool fits(struct slice text, size_t columns)
{
    size_t used = 0;
    unsigned marks = 0;
    while (text.size > 0) {
        struct visible_glyph g = visible_next(text, &marks);
        used += g.columns;
        if (used > columns) {
            return false;
        }
        text = slice_of(text.at + g.taken, text.size - g.taken);
    }
    return true;
}

size_t visible_add(struct buf *out, struct slice text, size_t columns)
{
    bool cut = columns != VISIBLE_ANY && !fits(text, columns);
    size_t room = cut ? columns - (columns > 0) : columns;
    size_t used = 0;
    unsigned marks = 0;
    while (text.size > 0 && !out->failed) {
        struct visible_glyph g = visible_next(text, &marks);
        if (used + g.columns > room) {
            break;
        }
        buf_add(out, slice_of(g.text, g.size));
        used += g.columns;
        text = slice_of(text.at + g.taken, text.size - g.taken);
    }
    if (cut && columns > 0) {
        buf_add(out, SLICE("\xE2\x80\xA6")); /* an ellipsis */
        used++;
    }
    return used;
}

void visible_lines(struct buf *out, struct slice text)
{
    while (text.size > 0 && !out->failed) {
        struct slice line = slice_cut(&text, '\n');
        if (line.size > 0 && line.at[line.size - 1] == '\r') {
            line.size--;
        }
        visible_add(out, line, VISIBLE_ANY);
        buf_byte(out, '\n');
    }
}
