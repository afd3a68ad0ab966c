#include "app/hunt_archive.h"

#include <stdio.h>
#include <string.h>

#include "archive/seal.h"
#include "base/time.h"
#include "cli/formats.h"
#include "net/authorize.h"

enum {
    BEHIND = 64,       /* readable bytes behind a block, as decoders ask for */
    BLOCK = 256 << 10, /* bytes of records that are read together */
    PATH = DATA_PATH * 2,
};
#define HOUR (TIME_DAY / 24)

/* ---- the files --------------------------------------------------------------------------------
 */

enum err hunt_archive_open(
        struct hunt_archive *a, const struct hunt_input *input, struct diag *diag)
{
    *a = (struct hunt_archive){.input = input, .path = input->archive};
    TRY(catalog_read(&disk_real, a->path, &a->catalog, diag));
    if (a->catalog.strays > 0) {
        verb_say("%s: names that are no sealed files: %zu; the first: %s", a->path,
                a->catalog.strays, a->catalog.stray);
        a->partial = true;
    }
    return OK;
}

static void close_file(struct hunt_archive *a)
{
    rows_read_close(a->rows);
    a->rows = NULL;
    a->next_group = a->row = a->row_count = 0;
    a->held = false;
}

void hunt_archive_fini(struct hunt_archive *a)
{
    close_file(a);
    catalog_fini(&a->catalog);
    buf_fini(&a->block);
    buf_fini(&a->notes);
}

void hunt_archive_begin(struct hunt_archive *a)
{
    close_file(a);
    a->next_file = 0;
    a->files = a->unread = 0;
    buf_clear(&a->notes);
}

/* A file, or what is left of a row group, that cannot be read. ERR_MEMORY stays an error. */
static enum err leave(struct hunt_archive *a, const struct diag *why, enum err e, struct diag *diag)
{
    if (e == ERR_MEMORY) {
        return diag_say(diag, e, "%s: %s", a->name, why->words);
    }
    buf_format(&a->notes, "%s: %s\n", a->name, why->words[0] ? why->words : err_name(e));
    a->unread++;
    a->partial = true;
    return a->notes.failed ? diag_say(diag, ERR_MEMORY, "no memory to hunt") : OK;
}

static bool is_file_wanted(const struct hunt_archive *a, const struct catalog_entry *entry)
{
    const struct hunt_input *r = a->input;
    if (r->tenant && !authorize_covers(slice_text(r->tenant), entry->tenant)) {
        return false;
    }
    bool begun = !r->from.timed || (entry->hour + 1) * HOUR > r->from.ns;
    return begun && (r->to.timed ? entry->hour * HOUR < r->to.ns : entry->first < r->to.offset);
}

/* A file that somebody moved to another tenant's place is not that tenant's. */
static enum err check_tenant(
        const struct hunt_archive *a, const struct catalog_entry *entry, struct diag *diag)
{
    struct slice tenant;
    bool there = parquet_read_pair(rows_read_file(a->rows), SLICE(SEAL_TENANT), &tenant);
    return there && slice_equal(tenant, entry->tenant)
                   ? OK
                   : diag_say(diag, ERR_SYNTAX, "it is another tenant's");
}

/* ERR_END: there is no further file. */
static enum err open_file(struct hunt_archive *a, struct diag *diag)
{
    char path[PATH];
    while (a->next_file < a->catalog.count) {
        const struct catalog_entry *entry = &a->catalog.at[a->next_file++];
        struct diag why = {0};
        if (!is_file_wanted(a, entry)) {
            continue;
        }
        a->name = entry->path;
        a->files++;
        int size = snprintf(path, sizeof path, "%s/%s", a->path, entry->path);
        enum err e = size > 0 && (size_t)size < sizeof path
                             ? rows_read_open(&disk_real, path, &a->rows, &why)
                             : diag_say(&why, ERR_LIMIT, "the path is too long");
        if (e != OK) {
            a->rows = NULL;
        }
        e = e == OK ? check_tenant(a, entry, &why) : e;
        if (e == OK) {
            return OK;
        }
        close_file(a);
        TRY(leave(a, &why, e, diag));
    }
    return ERR_END;
}

/* ---- row groups and rows ----------------------------------------------------------------------
 */

/* ERR_END: the file has no more. */
static enum err open_group(struct hunt_archive *a, struct diag *diag)
{
    a->row = a->row_count = 0;
    a->held = false;
    while (a->next_group < rows_read_groups(a->rows)) {
        struct diag why = {0};
        enum err e = rows_read_group(a->rows, a->next_group++, &why);
        if (e == OK) {
            a->row_count = rows_read_count(a->rows);
            return OK;
        }
        TRY(leave(a, &why, e, diag));
    }
    return ERR_END;
}

/* Which of a chunk's records are wanted is seen when they have been decoded. */
static bool is_wanted(const struct hunt_archive *a)
{
    const struct hunt_input *r = a->input;
    const struct rows_read_row *it = &a->it;
    bool chunk = it->part >= 0;
    if (!it->raw.at) {
        return false; /* it came with its chunk's first row */
    }
    bool begun =
            r->from.timed ? it->received_ns >= r->from.ns : chunk || it->offset >= r->from.offset;
    return begun && (r->to.timed ? it->received_ns < r->to.ns : chunk || it->offset < r->to.offset);
}

static const struct decoder *decoder_of(struct slice format)
{
    char name[32] = {0};
    if (format.size == 0 || format.size >= sizeof name) {
        return NULL;
    }
    memcpy(name, format.at, format.size);
    return formats_find(name);
}

/* A record that a decoder must be given without others beside it: what holds several, what it
 * joins, what has lines of its own. */
static bool is_alone(const struct hunt_archive *a, const struct decoder *decoder)
{
    const struct rows_read_row *it = &a->it;
    return it->part >= 0 || (decoder && (decoder->ordinal || decoder->chunked)) ||
           memchr(it->raw.at, '\n', it->raw.size);
}

static void begin_piece(struct hunt_archive *a, struct hunt_archive_piece *piece)
{
    const struct rows_read_row *it = &a->it;
    uint64_t part = it->part > 0 ? (uint64_t)it->part : 0;
    *piece = (struct hunt_archive_piece){.decoder = decoder_of(it->format),
            .format = it->format,
            .header = it->header,
            .source = it->source,
            .received_ns = it->received_ns,
            .first = it->offset > part ? it->offset - part : 0};
}

static bool joins(const struct hunt_archive *a, const struct hunt_archive_piece *piece)
{
    const struct rows_read_row *it = &a->it;
    return it->offset == piece->first + piece->count && it->received_ns == piece->received_ns &&
           slice_equal(it->format, piece->format) && slice_equal(it->header, piece->header) &&
           slice_equal(it->source, piece->source) && !is_alone(a, piece->decoder);
}

/* The row at a->row is in a->it. */
static enum err hold_row(struct hunt_archive *a, struct diag *diag)
{
    struct diag why = {0};
    if (a->held) {
        return OK;
    }
    enum err e = rows_read_row(a->rows, a->row, &a->it, &why);
    if (e != OK) {
        TRY(leave(a, &why, e, diag));
        a->row = a->row_count;
        return ERR_END;
    }
    a->held = true;
    return OK;
}

/* Rows of the group at hand, from a->row on; piece->count 0: there are no more. */
static enum err collect(struct hunt_archive *a, struct hunt_archive_piece *piece, struct diag *diag)
{
    bool alone = false;
    *piece = (struct hunt_archive_piece){0};
    buf_clear(&a->block);
    while (a->row < a->row_count && !alone && a->block.size < BLOCK) {
        enum err e = hold_row(a, diag);
        if (e == ERR_END) {
            break;
        }
        TRY(e);
        bool wanted = is_wanted(a);
        if (wanted && piece->count > 0 && !joins(a, piece)) {
            break;
        }
        a->held = false;
        a->row++;
        if (wanted && piece->count == 0) {
            begin_piece(a, piece);
            alone = is_alone(a, piece->decoder);
        }
        if (wanted) {
            buf_add(&a->block, a->it.raw);
            if (!alone) { /* a line, for decoders that take others for more than one */
                buf_byte(&a->block, '\n');
            }
            piece->count++;
        }
    }
    if (!buf_reserve(&a->block, BEHIND)) {
        return diag_say(diag, ERR_MEMORY, "no memory to hunt");
    }
    piece->bytes = buf_slice(&a->block);
    return OK;
}

enum err hunt_archive_next(
        struct hunt_archive *a, struct hunt_archive_piece *piece, struct diag *diag)
{
    for (;;) {
        if (!a->rows) {
            TRY(open_file(a, diag));
        }
        if (a->row == a->row_count) {
            enum err e = open_group(a, diag);
            if (e == ERR_END) {
                close_file(a);
                continue;
            }
            TRY(e);
        }
        TRY(collect(a, piece, diag));
        if (piece->count > 0) {
            return OK;
        }
    }
}

/* ---- one reading ------------------------------------------------------------------------------
 */

static void say_notes(struct hunt_archive *a, const struct hunt_pass *pass)
{
    struct slice notes = buf_slice(&a->notes);
    while (notes.size > 0) {
        struct slice line = slice_cut(&notes, '\n');
        hunt_pass_say(pass, "%.*s", SLICE_ARG(line));
    }
    buf_clear(&a->notes);
}

static enum err pass_piece(struct hunt_archive *a, struct hunt_pass *pass, struct diag *diag)
{
    const struct hunt_input *r = a->input;
    struct hunt_archive_piece piece;
    enum err e = hunt_archive_next(a, &piece, diag);
    say_notes(a, pass);
    TRY(e);
    const struct hunt_bytes bytes = {.decoder = piece.decoder,
            .bytes = piece.bytes,
            .header = piece.header,
            .place.written_ns = piece.received_ns,
            .first = piece.first,
            .count = piece.count,
            .from = r->from.timed ? 0 : r->from.offset,
            .to = r->to.timed ? UINT64_MAX : r->to.offset,
            .source = piece.source,
            .number = "record"};
    pass->bytes += piece.bytes.size;
    return hunt_pass_bytes(pass, &bytes, diag);
}

enum err hunt_archive_pass(struct hunt_archive *a, struct hunt_pass *pass, struct diag *diag)
{
    enum err e = OK;
    hunt_archive_begin(a);
    while (e == OK && !pass->done && !atomic_load(pass->stop)) {
        e = pass_piece(a, pass, diag);
    }
    return e == ERR_END ? OK : e;
}
