#include "decode/csv_text.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE inline __attribute__((always_inline))

/* Behind an opening quote: the closing one; bytes.size: there is none. */
static INLINE size_t closing_quote_portable(struct slice bytes, size_t at, bool *doubled)
{
    while (at < bytes.size) {
        if (bytes.at[at] != '"') {
            at++;
        } else if (at + 1 == bytes.size || bytes.at[at + 1] != '"') {
            return at;
        } else {
            *doubled = true;
            at += 2;
        }
    }
    return bytes.size;
}

/* The separator or line end that ends a cell without quotes. */
static INLINE size_t plain_end_portable(struct slice bytes, size_t at, char separator)
{
    while (at < bytes.size && bytes.at[at] != separator && bytes.at[at] != '\n') {
        at++;
    }
    return at;
}

#if defined(__x86_64__)
#define BETTER __attribute__((target("avx2,bmi")))
enum { STEP = 32 };

BETTER static INLINE __m256i load(const char *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

BETTER static INLINE uint32_t find(__m256i bytes, char byte)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte)));
}

BETTER static INLINE size_t closing_quote_avx2(struct slice bytes, size_t at, bool *doubled)
{
    while (at + STEP < bytes.size) { /* one byte more, to see whether the last is doubled */
        uint32_t quotes = find(load(bytes.at + at), '"');
        size_t next = at + STEP;
        for (; quotes; quotes &= quotes - 1) {
            size_t here = at + (size_t)__builtin_ctz(quotes);
            if (bytes.at[here + 1] != '"') {
                return here;
            }
            *doubled = true;
            quotes &= quotes - 1;
            next = here + 2 > next ? here + 2 : next;
        }
        at = next;
    }
    return closing_quote_portable(bytes, at, doubled);
}

BETTER static INLINE size_t plain_end_avx2(struct slice bytes, size_t at, char separator)
{
    for (; at + STEP <= bytes.size; at += STEP) {
        __m256i step = load(bytes.at + at);
        uint32_t ends = find(step, separator) | find(step, '\n');
        if (ends) {
            return at + (size_t)__builtin_ctz(ends);
        }
    }
    return plain_end_portable(bytes, at, separator);
}
#endif

struct finders {
    size_t (*quote)(struct slice bytes, size_t at, bool *doubled);
    size_t (*end)(struct slice bytes, size_t at, char separator);
};

static INLINE enum csv_end take_cell(struct slice bytes, size_t *at, char separator,
        struct csv_cell *cell, const struct finders *find)
{
    size_t start = *at, end;
    *cell = (struct csv_cell){0};
    if (start < bytes.size && bytes.at[start] == '"') {
        end = find->quote(bytes, start + 1, &cell->doubled);
        if (end == bytes.size) {
            cell->text = slice_of(bytes.at + start, end - start);
            *at = end;
            return CSV_OPEN;
        }
        cell->text = slice_of(bytes.at + start + 1, end - start - 1);
        cell->quoted = true;
        end++;
        size_t next = end + (end < bytes.size && bytes.at[end] == '\r');
        if (end == bytes.size || next == bytes.size || bytes.at[next] == '\n') {
            end = next;
        } else if (bytes.at[end] != separator) {
            end = find->end(bytes, end, separator);
            *cell = (struct csv_cell){.text = slice_of(bytes.at + start, end - start)};
        }
    } else {
        end = find->end(bytes, start, separator);
        cell->text = slice_of(bytes.at + start, end - start);
    }
    enum csv_end how = end == bytes.size ? CSV_BYTES : bytes.at[end] == '\n' ? CSV_LINE : CSV_CELL;
    if (how != CSV_CELL && !cell->quoted && cell->text.size > 0 &&
            cell->text.at[cell->text.size - 1] == '\r') {
        cell->text.size--;
    }
    *at = end + (how != CSV_BYTES);
    return how;
}

enum csv_end csv_text_cell_portable(
        struct slice bytes, size_t *at, char separator, struct csv_cell *cell)
{
    static const struct finders find = {closing_quote_portable, plain_end_portable};
    return take_cell(bytes, at, separator, cell, &find);
}

#if defined(__x86_64__)
BETTER static enum csv_end take_cell_avx2(
        struct slice bytes, size_t *at, char separator, struct csv_cell *cell)
{
    static const struct finders find = {closing_quote_avx2, plain_end_avx2};
    return take_cell(bytes, at, separator, cell, &find);
}
#endif

enum csv_end csv_text_cell(struct slice bytes, size_t *at, char separator, struct csv_cell *cell)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        return take_cell_avx2(bytes, at, separator, cell);
    }
#endif
    return csv_text_cell_portable(bytes, at, separator, cell);
}

enum csv_end csv_text_record(struct slice bytes, size_t *at, char separator)
{
    struct csv_cell cell;
    enum csv_end how;
    do {
        how = csv_text_cell(bytes, at, separator, &cell);
    } while (how == CSV_CELL);
    return how;
}

static size_t undouble(const char *at, const char *end, char *to)
{
    char *start = to;
    while (at < end) {
        *to++ = *at;
        at += at[0] == '"' && end - at > 1 && at[1] == '"' ? 2 : 1;
    }
    return (size_t)(to - start);
}

#if defined(__x86_64__)
/* Copies up to each first quote of two, 32 bytes at once whatever comes of them. */
BETTER static size_t undouble_avx2(struct slice text, char *to)
{
    const char *at = text.at, *end = at + text.size;
    char *start = to;
    while (end - at > 2 * STEP) { /* what is copied last reaches so far */
        size_t from = 0;
        uint32_t quotes = find(load(at), '"');
        while (quotes) {
            size_t i = (size_t)__builtin_ctz(quotes);
            quotes &= quotes - 1;
            if (at[i + 1] == '"') {
                quotes &= quotes - 1;
                _mm256_storeu_si256((__m256i *)(void *)to, load(at + from));
                to += i + 1 - from;
                from = i + 2;
            }
        }
        if (from < STEP) {
            _mm256_storeu_si256((__m256i *)(void *)to, load(at + from));
            to += STEP - from;
            from = STEP;
        }
        at += from;
    }
    return (size_t)(to - start) + undouble(at, end, to);
}
#endif

size_t csv_text_undouble(struct slice text, char *to)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        return undouble_avx2(text, to);
    }
#endif
    return undouble(text.at, text.at + text.size, to);
}

struct slice csv_text_bare(struct slice record)
{
    record.size -= record.size > 0 && record.at[record.size - 1] == '\n';
    record.size -= record.size > 0 && record.at[record.size - 1] == '\r';
    return record;
}

size_t csv_text_blank(struct slice bytes, bool last)
{
    size_t blank = 0;
    for (size_t at = 0; at < bytes.size; at++) {
        char c = bytes.at[at];
        if (c == '\n') {
            blank = at + 1;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            return blank;
        }
    }
    return last ? bytes.size : blank;
}

char csv_text_separator(struct slice line)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    size_t most = 0;
    char best = 0;
    for (size_t i = 0; i < sizeof candidates; i++) {
        size_t at = 0, cells = 0;
        struct csv_cell cell;
        while (csv_text_cell(line, &at, candidates[i], &cell) == CSV_CELL) {
            cells++;
        }
        if (cells > most) {
            most = cells;
            best = candidates[i];
        }
    }
    return best;
}

bool csv_text_is_prologue(struct slice line, char *separator)
{
    if (line.size == 5 && slice_equal_nocase(slice_of(line.at, 4), SLICE("sep="))) {
        *separator = line.at[4];
        return true;
    }
    return slice_starts(line, SLICE("#TYPE "));
}
