#include "wal/holdings_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/sum.h"
#include "wal/segment.h"

#define FIRST "merlon-held 2 "
#define RULES "rules "

static enum err path_of(
        const struct holdings *h, uint64_t base, const char *suffix, struct buf *out)
{
    char name[SEGMENT_NAME];
    segment_name(name, base, suffix);
    buf_clear(out);
    buf_format(out, "%s/%s", h->directory, name);
    buf_byte(out, '\0');
    return out->failed ? ERR_MEMORY : OK;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static void add_lines(const struct holdings *h, size_t index, uint64_t end, struct buf *out)
{
    const struct holdings_segment *segment = &h->segments[index];
    buf_format(out, FIRST "%" PRIu64 " %" PRIu64 "\n", segment->base, end);
    for (size_t i = 0; i < segment->count; i++) {
        const struct holding *at = &segment->at[i];
        const struct holdings_tenant *tenant = &h->tenants[at->tenant];
        buf_format(out, "%d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " ", (int)at->kind,
                at->bytes, at->records, (uint64_t)at->oldest_ns, (uint64_t)at->newest_ns);
        buf_add(out, slice_of(tenant->name, tenant->size));
        buf_byte(out, '\n');
    }
    for (size_t i = 0; i < segment->named_count; i++) {
        buf_format(out, RULES "%s\n", h->rulesets[segment->named[i]].hash);
    }
    buf_format(out, "sum %08x\n", sum_add(0, buf_slice(out)));
}

static enum err write_new(const struct disk *disk, const char *path, struct slice text)
{
    int file;
    enum err e = disk->remove(disk, path, NULL);
    if (e != OK && e != ERR_NOT_FOUND) {
        return e;
    }
    TRY(disk->create(disk, path, &file, NULL));
    e = disk->write(disk, file, 0, text, NULL);
    disk->close(disk, file);
    return e;
}

enum err holdings_file_write(const struct holdings *h, size_t index, uint64_t end)
{
    struct buf text = {0}, made = {0}, named = {0};
    const struct disk *disk = h->disk;
    add_lines(h, index, end, &text);
    enum err e = text.failed ? ERR_MEMORY : path_of(h, h->segments[index].base, ".held.new", &made);
    if (e == OK) {
        e = path_of(h, h->segments[index].base, ".held", &named);
    }
    if (e == OK) {
        e = write_new(disk, made.at, buf_slice(&text));
    }
    if (e == OK) {
        e = disk->rename(disk, made.at, named.at, NULL);
    }
    buf_fini(&text);
    buf_fini(&made);
    buf_fini(&named);
    return e;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static bool take_number(struct slice *line, uint64_t *out)
{
    struct slice word = slice_cut(line, ' ');
    uint64_t value = 0;
    for (size_t i = 0; i < word.size; i++) {
        if (!slice_is_digit(word.at[i]) || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
                __builtin_add_overflow(value, (uint64_t)(word.at[i] - '0'), &value)) {
            return false;
        }
    }
    *out = value;
    return word.size > 0;
}

static enum err take_line(struct holdings *h, size_t index, struct slice line)
{
    uint64_t kind, oldest, newest;
    struct holding some = {0};
    if (slice_starts(line, SLICE(RULES))) {
        return holdings_name(h, index, slice_from(line, sizeof RULES - 1));
    }
    if (!take_number(&line, &kind) || kind >= HOLDINGS_KINDS || !take_number(&line, &some.bytes) ||
            !take_number(&line, &some.records) || !take_number(&line, &oldest) ||
            !take_number(&line, &newest)) {
        return ERR_SYNTAX;
    }
    some.kind = (enum holdings_kind)kind;
    some.oldest_ns = (int64_t)oldest;
    some.newest_ns = (int64_t)newest;
    return holdings_add(h, index, line, &some);
}

static enum err take_text(struct holdings *h, size_t index, uint64_t end, struct slice text)
{
    enum { LAST = sizeof "sum 01234567\n" - 1 };
    char wanted[LAST + 1];
    uint64_t base, until;
    if (text.size < LAST) {
        return ERR_SYNTAX;
    }
    struct slice lines = slice_of(text.at, text.size - LAST);
    snprintf(wanted, sizeof wanted, "sum %08x\n", sum_add(0, lines));
    struct slice first = slice_cut(&lines, '\n');
    if (!slice_ends(text, slice_text(wanted)) || !slice_starts(first, SLICE(FIRST))) {
        return ERR_SYNTAX;
    }
    first = slice_of(first.at + sizeof FIRST - 1, first.size - (sizeof FIRST - 1));
    if (!take_number(&first, &base) || !take_number(&first, &until) ||
            base != h->segments[index].base || until != end) {
        return ERR_SYNTAX;
    }
    while (lines.size > 0) {
        TRY(take_line(h, index, slice_cut(&lines, '\n')));
    }
    return OK;
}

static enum err read_all(const struct holdings *h, const char *path, struct buf *out)
{
    const struct disk *disk = h->disk;
    uint64_t size;
    int file;
    TRY(disk->open(disk, path, &file, NULL));
    enum err e = disk->size(disk, file, &size, NULL);
    if (e == OK && (size > HOLDINGS_FILE_LIMIT || !buf_reserve(out, size))) {
        e = ERR_LIMIT;
    }
    if (e == OK) {
        struct disk_read read = {.to = out->at, .size = size};
        e = disk->read(disk, file, 0, &read, NULL);
        out->size = e == OK ? read.got : 0;
    }
    disk->close(disk, file);
    return e;
}

enum err holdings_file_read(struct holdings *h, size_t index, uint64_t end)
{
    struct buf path = {0}, text = {0};
    enum err e = path_of(h, h->segments[index].base, ".held", &path);
    if (e == OK) {
        e = read_all(h, path.at, &text);
    }
    if (e == OK) {
        e = take_text(h, index, end, buf_slice(&text));
    }
    if (e != OK) {
        holdings_clear(h, index); /* what was taken of it */
    }
    h->segments[index].counted = e == OK;
    buf_fini(&path);
    buf_fini(&text);
    return e;
}

/* ---- removing ----------------------------------------------------------------------------------
 */

void holdings_file_remove(const struct holdings *h, uint64_t base)
{
    struct buf path = {0};
    if (path_of(h, base, ".held", &path) == OK) {
        enum err e = h->disk->remove(h->disk, path.at, NULL);
        (void)e; /* it is swept away at the next start */
    }
    buf_fini(&path);
}

static bool is_left_over(const struct holdings *h, struct slice name)
{
    char segment[SEGMENT_NAME];
    uint64_t base;
    size_t digits = sizeof "00000000000000000000" - 1;
    if (!slice_ends(name, SLICE(".held")) || name.size != digits + sizeof ".held" - 1) {
        return false;
    }
    snprintf(segment, sizeof segment, "%.*s.seg", (int)digits, name.at);
    if (!segment_parse_name(segment, &base)) {
        return false;
    }
    return h->names.count == 0 || h->names.at[names_find(&h->names, base)] != base;
}

enum err holdings_file_sweep(const struct holdings *h, struct diag *diag)
{
    struct arena arena;
    struct disk_names list;
    arena_init(&arena, NAMES_BYTES);
    enum err e = h->disk->list(h->disk, h->directory, &arena, &list, diag);
    for (size_t i = 0; e == OK && i < list.count; i++) {
        if (is_left_over(h, slice_text(list.at[i]))) {
            holdings_file_remove(h, strtoull(list.at[i], NULL, 10));
        }
    }
    arena_fini(&arena);
    return e;
}
