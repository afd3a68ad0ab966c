#include "decode/json_cut.h"

#include <string.h>

#include "decode/json_span.h"

enum mode { MODE_NEW, MODE_OPENED, MODE_LINES, MODE_VALUES };

/* Between the values of a stream: what was there last. */
enum between { BETWEEN_NOTHING, BETWEEN_OPEN, BETWEEN_VALUE, BETWEEN_COMMA };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- what kind of stream --------------------------------------------------------------------- */

static size_t skip_blanks(struct slice bytes, size_t at)
{
    while (at < bytes.size && is_blank(bytes.at[at])) {
        at++;
    }
    return at;
}

/* The first object goes on behind its first line: whether that is how it was meant. A line that
 * was cut off is followed by one that begins a new object where only a key could stand. */
static bool goes_on(struct slice bytes, size_t newline)
{
    size_t next = skip_blanks(bytes, newline);
    size_t before = newline;
    while (before > 0 && is_blank(bytes.at[before - 1])) {
        before--;
    }
    char last = before > 0 ? bytes.at[before - 1] : '\0';
    return next == bytes.size || bytes.at[next] != '{' || last == ':' || last == '[';
}

/* MODE_LINES or MODE_VALUES; MODE_NEW: more is needed. */
static enum mode find_mode(struct slice bytes, bool last)
{
    size_t start = skip_blanks(bytes, 0);
    if (start == bytes.size) {
        return MODE_NEW;
    }
    if (bytes.at[start] == '[') {
        return MODE_VALUES;
    }
    if (bytes.at[start] != '{') {
        return MODE_LINES;
    }
    struct json_span span = {0};
    size_t newline = start + slice_find_byte(slice_of(bytes.at + start, bytes.size - start), '\n');
    size_t at = start;
    bool ended = json_span_over(&span, slice_of(bytes.at, newline), &at);
    if (ended) {
        return span.phase == JSON_SPAN_BEHIND && bytes.at[at] != ']' ? MODE_VALUES : MODE_LINES;
    }
    if (newline == bytes.size && !last) {
        return MODE_NEW;
    }
    if (span.phase != JSON_SPAN_INSIDE || span.string || newline == bytes.size) {
        return MODE_LINES;
    }
    if (skip_blanks(bytes, newline) == bytes.size && !last) {
        return MODE_NEW;
    }
    return goes_on(bytes, newline) ? MODE_VALUES : MODE_LINES;
}

static bool starts_with_bom(struct slice bytes)
{
    return slice_starts(bytes, SLICE("\xEF\xBB\xBF"));
}

/* Lines of the head that begin like an object, and all that are not blank. */
static void count_lines(struct slice head, size_t *objects, size_t *lines)
{
    *objects = 0;
    *lines = 0;
    while (head.size) {
        struct slice line = slice_trim(slice_cut(&head, '\n'));
        *lines += line.size > 0;
        *objects += line.size > 1 && line.at[0] == '{' && (line.at[1] == '"' || line.at[1] == '}');
    }
}

int json_cut_recognise(struct slice head, bool whole)
{
    (void)whole;
    size_t start = skip_blanks(head, starts_with_bom(head) ? 3 : 0);
    size_t next = skip_blanks(head, start < head.size ? start + 1 : start);
    if (next < head.size) {
        char second = head.at[next];
        if (head.at[start] == '{' && (second == '"' || second == '}')) {
            return 95;
        }
        if (head.at[start] == '[' && (second == '{' || second == ']')) {
            return 90;
        }
    }
    /* The first line may be the one that is broken. */
    size_t objects, lines;
    count_lines(head, &objects, &lines);
    return objects * 2 > lines ? 60 : objects > 0 ? 20 : 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static enum err too_long(const struct cutter *c, struct cut *out, struct diag *diag)
{
    out->rejected++;
    (void)diag_set(diag, ERR_LIMIT, 0, 0, "record longer than %zu bytes", c->limits.record_bytes);
    return OK;
}

static uint64_t count_records(struct slice lines)
{
    uint64_t count = 0;
    const char *at = lines.at, *end = lines.at + lines.size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *next = newline ? newline : end;
        /* nearly always the first byte is an object's brace */
        while (at < next && is_blank(*at)) {
            at++;
        }
        count += at < next;
        at = next + 1;
    }
    return count;
}

/* The stream's last line, without a newline: a block that must not be taken for several values. */
static enum err cut_last_line(struct slice bytes, struct cut *out, struct diag *diag)
{
    size_t start = skip_blanks(bytes, 0), end = start;
    out->skip = start;
    if (start == bytes.size) {
        return OK;
    }
    struct json_span span = {0};
    if (json_span_over(&span, bytes, &end)) {
        out->skip = bytes.size;
        out->rejected = 1;
        (void)diag_set(diag, ERR_SYNTAX, 0, (uint32_t)(end + 1),
                "expected nothing more behind the record's value");
        return OK;
    }
    out->size = bytes.size - start;
    out->records = 1;
    return OK;
}

/* In the middle of a line that is too long. */
static enum err skip_line(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    size_t newline = slice_find_byte(bytes, '\n');
    c->c |= skip_blanks(slice_of(bytes.at, newline), 0) < newline; /* a line of blanks is none */
    out->skip = newline < bytes.size ? newline + 1 : newline;
    if (newline == bytes.size && !last) {
        return OK;
    }
    c->b = 0;
    return c->c ? too_long(c, out, diag) : OK;
}

static enum err cut_lines(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    if (c->b) {
        return skip_line(c, bytes, last, out, diag);
    }
    const char *newline = bytes.size ? memrchr(bytes.at, '\n', bytes.size) : NULL;
    if (newline) {
        out->size = (size_t)(newline - bytes.at) + 1;
        out->records = count_records(slice_of(bytes.at, out->size));
        return OK;
    }
    if (bytes.size > c->limits.record_bytes) {
        c->b = 1;
        c->c = 0;
        return skip_line(c, bytes, last, out, diag);
    }
    return last ? cut_last_line(bytes, out, diag) : OK;
}

/* ---- values ---------------------------------------------------------------------------------- */

static const char NOT_CLOSED[] =
        "expected ']' at the end of the array, found the end of the stream";

/* What a byte between values means there, or NULL; `error` is why it must not stand here. */
static const char *between_byte(enum between *between, char c, bool *value)
{
    const char *error = NULL;
    *value = false;
    if (c == ',') {
        error = *between == BETWEEN_VALUE ? NULL : "expected a value, found ','";
        *between = *between == BETWEEN_NOTHING ? BETWEEN_NOTHING : BETWEEN_COMMA;
    } else if (c == ']') {
        error = *between == BETWEEN_COMMA     ? "expected a value behind ',', found ']'"
                : *between == BETWEEN_NOTHING ? "expected a value, found ']'"
                                              : NULL;
        *between = BETWEEN_NOTHING;
    } else if (c == '[' && *between == BETWEEN_NOTHING) {
        *between = BETWEEN_OPEN;
    } else {
        *value = true;
        error = *between == BETWEEN_VALUE ? "expected ',' or ']' between values" : NULL;
        *between = *between == BETWEEN_NOTHING ? BETWEEN_NOTHING : BETWEEN_VALUE;
    }
    return error;
}

/* Blanks and punctuation up to the next value, *at. The first error speaks for all that stand in
 * one place. */
static const char *skip_between(enum between *between, struct slice bytes, size_t *at, bool *value)
{
    const char *first = NULL;
    *value = false;
    for (; *at < bytes.size; ++*at) {
        if (is_blank(bytes.at[*at])) {
            continue;
        }
        const char *error = between_byte(between, bytes.at[*at], value);
        first = first ? first : error;
        if (*value) {
            break;
        }
    }
    return first;
}

/* Blanks and commas between two values of a block; false: something else, or the end. */
static bool joined(enum between between, struct slice bytes, size_t *at)
{
    size_t i = *at;
    bool comma = between == BETWEEN_NOTHING;
    for (; i < bytes.size; i++) {
        char c = bytes.at[i];
        if (is_blank(c)) {
            continue;
        }
        if (c == ',' && !comma) {
            comma = true;
            continue;
        }
        if (!comma || c == ',' || c == ']' || (c == '[' && between == BETWEEN_NOTHING)) {
            return false;
        }
        *at = i;
        return true;
    }
    return false;
}

enum { SKIPPING = 16 }; /* in c->b, beside a span's state */

/* In the middle of a value that is too long. */
static enum err skip_value(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    struct json_span span = {.depth = (uint32_t)c->c,
            .blanks = (uint32_t)(c->c >> 32),
            .phase = (uint8_t)(c->b & 3),
            .string = c->b & 4,
            .escape = c->b & 8};
    size_t at = 0;
    bool ended = json_span_over(&span, bytes, &at);
    c->b = (uint64_t)SKIPPING | span.phase | (span.string ? 4u : 0) | (span.escape ? 8u : 0);
    c->c = (uint64_t)span.blanks << 32 | span.depth;
    out->skip = at;
    if (!ended && !last) {
        return OK;
    }
    c->b = 0;
    return too_long(c, out, diag);
}

/* Whole values from bytes[out->skip] on; the first may not be whole. True: the stream ends with a
 * whole value in an array that is not closed. That has to be said before the value, so others
 * go first. */
static bool take_values(struct slice bytes, bool last, enum between between, struct cut *out)
{
    size_t at = out->skip, end = at;
    bool open = false;
    for (;;) {
        struct json_span span = {0};
        bool ended = json_span_over(&span, bytes, &at);
        if (!ended && !last) {
            break;
        }
        open = !ended && between != BETWEEN_NOTHING && span.phase == JSON_SPAN_BEHIND;
        if (open && out->records > 0) {
            open = false;
            break;
        }
        end = at;
        out->records++;
        if (!joined(between, bytes, &at)) {
            break;
        }
    }
    while (end > out->skip && is_blank(bytes.at[end - 1])) {
        end--;
    }
    out->size = end - out->skip;
    return open;
}

/* Where an ordinal is rejected. */
struct report {
    struct cut *out;
    struct diag *diag;
};

/* One complaint between two values is enough, however the stream is cut. */
enum { COMPLAINED = 16 };

/* Says what was wrong between the values, and remembers where that leaves us. */
static void settle(struct cutter *c, enum between between, const char *error, bool value,
        struct report *report)
{
    bool complained = c->d & COMPLAINED;
    if (error && !complained) {
        report->out->rejected = 1;
        (void)diag_set(report->diag, ERR_SYNTAX, 0, 0, "%s", error);
    }
    c->d = between | (!value && (error || complained) ? COMPLAINED : 0);
}

static enum err cut_values(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    if (c->b) {
        return skip_value(c, bytes, last, out, diag);
    }
    struct report report = {out, diag};
    enum between between = (enum between)(c->d & ~(uint64_t)COMPLAINED);
    bool value;
    const char *error = skip_between(&between, bytes, &out->skip, &value);
    bool open = !value && last && between != BETWEEN_NOTHING;
    if (value) {
        open = take_values(bytes, last, between, out);
        if (out->size == 0 && bytes.size - out->skip <= c->limits.record_bytes) {
            /* Come back with more; what stands before is consumed only when that is enough. */
            out->skip = 0;
            return OK;
        }
        if (out->size == 0) {
            c->b = SKIPPING;
            c->c = 0;
        }
    }
    if (open && !error) {
        error = NOT_CLOSED;
        between = BETWEEN_NOTHING;
    }
    settle(c, between, error, value, &report);
    return OK;
}

/* ---- both ------------------------------------------------------------------------------------ */

enum err json_cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    *out = (struct cut){0};
    if (c->a == MODE_NEW) {
        if (bytes.size < 3 && !last) {
            return OK;
        }
        c->a = MODE_OPENED;
        if (starts_with_bom(bytes)) {
            out->skip = 3;
            return OK;
        }
    }
    if (c->a == MODE_OPENED) {
        enum mode mode = find_mode(bytes, last);
        if (mode == MODE_NEW && !last && bytes.size <= c->limits.record_bytes) {
            return OK;
        }
        c->a = mode == MODE_NEW ? MODE_LINES : mode;
    }
    return c->a == MODE_LINES ? cut_lines(c, bytes, last, out, diag)
                              : cut_values(c, bytes, last, out, diag);
}
