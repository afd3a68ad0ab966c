#include "decode/auditd_cut.h"

#include "base/hash.h"
#include "decode/lines.h"

static bool is_record(struct slice line)
{
    struct auditd_line l;
    return auditd_line_parse(line, &l);
}

int auditd_cut_recognise(struct slice head, bool whole)
{
    int share = lines_share(head, whole, is_record);
    /* Surer than what takes any line of syslog. */
    return share >= 90 ? 95 : share >= 50 ? 60 : 0;
}

uint64_t auditd_cut_key(const struct auditd_line *line)
{
    uint64_t key = hash_bytes(line->stamp, line->node.size ? hash_bytes(line->node, 0) : 0);
    return key ? key : 1;
}

/* 0: the line is no record. */
static uint64_t key_of(struct slice line)
{
    struct auditd_line l;
    return auditd_line_parse(line, &l) ? auditd_cut_key(&l) : 0;
}

/* ---- a place to cut -------------------------------------------------------------------------- */

/* By the key's lowest bits: where the last line of these keys ends. Two events in one slot only
 * look like one that is longer. */
enum { SLOTS = 4096 };

struct window {
    uint32_t ends[SLOTS]; /* in the window, plus one; 0: none */
};

static void note_ends(struct window *w, struct slice bytes)
{
    size_t at = 0;
    struct slice line;
    *w = (struct window){0};
    while (lines_next(bytes, &at, &line)) {
        uint64_t key = key_of(line);
        if (key) {
            w->ends[key % SLOTS] = (uint32_t)at + 1;
        }
    }
}

/* The last line's end in bytes[from, to] that no event spans; 0: there is none. */
static size_t find_end(const struct window *w, struct slice bytes, size_t from, size_t to)
{
    size_t at = 0, open = 0, found = 0;
    struct slice line;
    while (at < to && lines_next(bytes, &at, &line)) {
        uint64_t key = key_of(line);
        size_t end = key ? w->ends[key % SLOTS] - 1 : at;
        open = end > open ? end : open;
        if (open == at && at >= from && at <= to) {
            found = at;
        }
    }
    return found;
}

/* The start of a line at or behind `at`. */
static size_t line_start(struct slice lines, size_t at)
{
    if (at == 0) {
        return 0;
    }
    struct slice rest = slice_of(lines.at + at - 1, lines.size - at + 1);
    size_t newline = slice_find_byte(rest, '\n');
    return newline < rest.size ? at + newline : lines.size;
}

/* How many bytes of whole lines are a block; 0: none so far. The last AUDITD_SPREAD bytes stay
 * behind, since what they hold may go on. */
static size_t clean_end(struct slice lines, bool must)
{
    size_t spread = AUDITD_SPREAD;
    if (lines.size < 3 * spread) {
        if (!must) {
            return 0;
        }
        spread = lines.size / 3;
    }
    struct window w;
    size_t start = line_start(lines, lines.size - 3 * spread);
    struct slice tail = slice_of(lines.at + start, lines.size - start);
    size_t last = tail.size > spread ? tail.size - spread : tail.size;
    note_ends(&w, tail);
    size_t found = find_end(&w, tail, 1, last);
    if (found || !must) {
        return found ? start + found : 0;
    }
    return line_start(lines, start + last);
}

enum err auditd_cut(
        struct cutter *c, struct slice bytes, bool last, struct cut *out, struct diag *diag)
{
    TRY(lines_cut(c, bytes, last, out, diag));
    if (last || out->size == 0) {
        return OK;
    }
    size_t most = c->limits.record_bytes + (64u << 10);
    most = most < AUDITD_CHAIN ? most : AUDITD_CHAIN;
    struct slice lines = slice_of(bytes.at + out->skip, out->size);
    out->size = clean_end(lines, bytes.size >= most);
    out->records = lines_count(slice_of(lines.at, out->size));
    return OK;
}
