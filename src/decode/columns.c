#include "decode/columns.h"

#include <string.h>

#include "base/memory.h"
#include "decode/json_form.h"
#include "decode/json_walk.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void columns_fini(struct columns *c)
{
    memory_free(c->at);
    memory_free(c->wanted);
    memory_free(c->ends);
    *c = (struct columns){0};
}

void columns_clear(struct columns *c)
{
    c->count = 0;
    c->wanted_count = 0;
}

enum err columns_add(
        struct columns *c, const struct paths *paths, struct slice name, struct diag *diag)
{
    if (c->count == COLUMNS_LIMIT) {
        return diag_say(diag, ERR_LIMIT, "over %d columns", COLUMNS_LIMIT);
    }
    if (!memory_grow(&c->at, &c->room, c->count + 1, sizeof *c->at) ||
            !memory_grow(&c->wanted, &c->wanted_room, c->count + 1, sizeof *c->wanted) ||
            !memory_grow(&c->ends, &c->ends_room, c->count + 2, sizeof *c->ends)) {
        return diag_say(diag, ERR_MEMORY, "no memory for %zu columns", c->count + 1);
    }
    struct column *column = &c->at[c->count];
    *column = (struct column){.name = name};
    if (name.size > 0 && name.at[0] != '\x01') {
        column->edge = paths_find(paths, PATHS_ROOT, name);
    }
    if (column->edge) {
        c->wanted[c->wanted_count++] = (uint32_t)c->count;
    }
    c->count++;
    return OK;
}

/* ---- split ----------------------------------------------------------------------------------- */

static size_t split_portable(struct columns *c, struct slice line, char separator)
{
    size_t parts = 0, at = 0;
    while (parts < c->count) {
        const char *found = memchr(line.at + at, separator, line.size - at);
        if (!found) {
            break;
        }
        at = (size_t)(found - line.at);
        c->ends[parts++] = (uint32_t)at++;
    }
    c->ends[parts++] = (uint32_t)line.size;
    return parts;
}

#if defined(__x86_64__)
/* 32 bytes at a time; the bits behind the line's end are cleared. */
__attribute__((target("avx2,bmi"))) static size_t split_avx2(
        struct columns *c, struct slice line, char separator)
{
    size_t parts = 0, most = c->count;
    const __m256i wanted = _mm256_set1_epi8(separator);
    for (size_t at = 0; at < line.size; at += 32) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(line.at + at));
        uint32_t mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, wanted));
        if (line.size - at < 32) {
            mask &= ((uint32_t)1 << (line.size - at)) - 1;
        }
        for (; mask; mask &= mask - 1) {
            if (parts == most) {
                return most + 1;
            }
            c->ends[parts++] = (uint32_t)(at + (size_t)__builtin_ctz(mask));
        }
    }
    c->ends[parts++] = (uint32_t)line.size;
    return parts;
}
#endif

size_t columns_split(struct columns *c, struct slice line, char separator)
{
    c->line = line;
    if (line.size == 0) {
        c->ends[0] = 0;
        return 1;
    }
#if defined(__x86_64__)
    if (!c->portable && __builtin_cpu_supports("avx2")) {
        return split_avx2(c, line, separator);
    }
#endif
    return split_portable(c, line, separator);
}

/* ---- values ---------------------------------------------------------------------------------- */

void columns_put_object(struct fields_sink *sink, const struct column *column)
{
    if (sink->event && column->edge) {
        json_form_put_object(sink->event, column->edge);
    } else if (!sink->event) {
        fields_show(sink, column->name, &(struct value){.kind = VALUE_OBJECT});
    }
}

bool columns_is_number(struct slice text)
{
    size_t stop;
    return text.size > 0 && json_walk_number(text.at, 0, text.size, &stop) == text.size;
}
