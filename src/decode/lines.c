#include "decode/lines.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool all_blank(struct slice line)
{
    size_t at = 0;
    while (at < line.size && is_blank(line.at[at])) {
        at++;
    }
    return at == line.size;
}

static bool starts_with_bom(struct slice bytes)
{
    return slice_starts(bytes, SLICE("\xEF\xBB\xBF"));
}

uint64_t lines_count(struct slice lines)
{
    uint64_t count = 0;
    size_t at = 0;
    struct slice line;
    while (lines_next(lines, &at, &line)) {
        count++;
    }
    return count;
}

bool lines_next(struct slice block, size_t *at, struct slice *line)
{
    while (*at < block.size) {
        const char *start = block.at + *at;
        const char *newline = memchr(start, '\n', block.size - *at);
        size_t size = newline ? (size_t)(newline - start) : block.size - *at;
        *at += size + (newline != NULL);
        if (size > 0 && start[size - 1] == '\r') {
            size--;
        }
        /* nearly always the first byte is none */
        if (size > 0 && (!is_blank(*start) || !all_blank(slice_of(start, size)))) {
            *line = slice_of(start, size);
            return true;
        }
    }
    return false;
}

static enum err too_long(const struct decode_limits *limits, struct diag *diag)
{
    return diag_say(diag, ERR_LIMIT, "record longer than %zu bytes", limits->record_bytes);
}

enum err lines_check(struct slice line, const struct decode_limits *limits, struct diag *diag)
{
    return line.size > limits->record_bytes ? too_long(limits, diag) : OK;
}

/* ---- cut ------------------------------------------------------------------------------------- */

enum { NEW, OPENED }; /* c->a */

/* In the middle of a line that is too long: c->b; c->c: it is not blank so far. */
static void skip_line(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    size_t newline = slice_find_byte(bytes, '\n');
    c->c |= !all_blank(slice_of(bytes.at, newline)); /* a line of blanks is none */
    out->skip = newline < bytes.size ? newline + 1 : newline;
    if (newline == bytes.size && !last) {
        return;
    }
    c->b = 0;
    if (c->c) {
        out->rejected = 1;
        (void)too_long(&c->limits, diag);
    }
}

enum err lines_cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    *out = (struct cut){0};
    if (c->a == NEW) {
        if (bytes.size < 3 && !last) {
            return OK;
        }
        c->a = OPENED;
        if (starts_with_bom(bytes)) {
            out->skip = 3;
            return OK;
        }
    }
    if (c->b) {
        skip_line(c, bytes, last, out, diag);
        return OK;
    }
    const char *newline = bytes.size && !last ? memrchr(bytes.at, '\n', bytes.size) : NULL;
    if (newline || last) {
        out->size = newline ? (size_t)(newline - bytes.at) + 1 : bytes.size;
        out->records = lines_count(slice_of(bytes.at, out->size));
        return OK;
    }
    /* One byte more: it may be a CR. */
    if (bytes.size > c->limits.record_bytes + 1) {
        c->b = 1;
        c->c = 0;
        skip_line(c, bytes, last, out, diag);
    }
    return OK;
}

/* ---- recognise ------------------------------------------------------------------------------- */

int lines_share(struct slice head, bool whole, bool (*is)(struct slice line))
{
    size_t at = starts_with_bom(head) ? 3 : 0;
    int lines = 0, mine = 0;
    struct slice line;
    while (lines < LINES_SURVEYED && lines_next(head, &at, &line)) {
        bool ended = whole || at < head.size || head.at[head.size - 1] == '\n';
        if (ended || lines == 0) {
            lines++;
            mine += is(line);
        }
    }
    return lines ? mine * 100 / lines : 0;
}
