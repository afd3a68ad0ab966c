#include "sigma/literal.h"

#include <string.h>

#include "sigma/predicate.h"

enum err literal_parse(struct arena *arena, struct slice text, struct slice *out)
{
    char *to = arena_alloc(arena, text.size + 1, 1);
    if (!to) {
        return ERR_MEMORY;
    }
    size_t n = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        char next = i + 1 < text.size ? text.at[i + 1] : '\0';
        if (c == '\\' && (next == '*' || next == '?' || next == '\\')) {
            to[n++] = next;
            i++;
        } else {
            to[n++] = c == '*' ? PATTERN_MANY : c == '?' ? PATTERN_ONE : c;
        }
    }
    *out = slice_of(to, n);
    return OK;
}

bool literal_has_marks(struct slice literal)
{
    return slice_find_byte(literal, PATTERN_MANY) < literal.size ||
           slice_find_byte(literal, PATTERN_ONE) < literal.size;
}

struct slice literal_squeeze(char *literal, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (n > 0 && literal[n - 1] == PATTERN_MANY && literal[i] == PATTERN_MANY) {
            continue;
        }
        if (n > 0 && literal[n - 1] == PATTERN_MANY && literal[i] == PATTERN_ONE) {
            literal[n - 1] = PATTERN_ONE;
            literal[n++] = PATTERN_MANY;
            continue;
        }
        literal[n++] = literal[i];
    }
    return slice_of(literal, n);
}

void literal_write(struct slice literal, struct buf *out)
{
    for (size_t i = 0; i < literal.size; i++) {
        char c = literal.at[i];
        char next = i + 1 < literal.size ? literal.at[i + 1] : '\0';
        bool wild = c == '*' || c == '?';
        bool doubled = c == '\\' && (next == '*' || next == '?' || next == '\\' ||
                                            next == PATTERN_MANY || next == PATTERN_ONE);
        if (wild || doubled) {
            buf_byte(out, '\\');
        }
        buf_byte(out, c == PATTERN_MANY ? '*' : c == PATTERN_ONE ? '?' : c);
    }
}
