#include "app/known.h"

#include <string.h>

#include "base/buf.h"
#include "base/point.h"
#include "base/sum.h"
#include "event/frame.h"

/* The file: this head, then each source: receipt of its last record (8 bytes), sizes of tenant and
 * name (1 each), tenant, name. Little-endian, as the log. */
enum {
    AT_SUM = 8, /* of all behind it */
    AT_OFFSET = 12,
    AT_LOG = 20,
    HEAD = 52,
    LOG_ID = 32,
    SUM = 4,
    FIXED = 10,
    MOST = HEAD + COUNTS_SOURCES * (FIXED + 2 * COUNTS_NAME),
};
static const char magic[] = "MLKNOWN1";
_Static_assert(COUNTS_NAME <= UINT8_MAX, "a name's size is a byte");

static enum err path_of(const char *directory, const char *name, struct buf *out)
{
    buf_format(out, "%s/%s", directory, name);
    buf_byte(out, '\0');
    return out->failed ? ERR_MEMORY : OK;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* The next of the rows; false: that is none. */
static bool cut_row(struct slice *rows, struct slice *tenant, struct slice *name, int64_t *last_ns)
{
    if (rows->size < FIXED) {
        return false;
    }
    size_t tenant_size = (unsigned char)rows->at[8], name_size = (unsigned char)rows->at[9];
    if (rows->size - FIXED < tenant_size + name_size) {
        return false;
    }
    *last_ns = (int64_t)frame_get64(rows->at);
    *tenant = slice_of(rows->at + FIXED, tenant_size);
    *name = slice_of(rows->at + FIXED + tenant_size, name_size);
    *rows = slice_from(*rows, FIXED + tenant_size + name_size);
    return true;
}

static enum err take(struct slice bytes, struct counts *counts, struct known_at *at)
{
    struct slice tenant, name, rows;
    int64_t last_ns;
    uint32_t sum;
    if (bytes.size < HEAD || memcmp(bytes.at, magic, AT_SUM) != 0) {
        return ERR_SYNTAX;
    }
    memcpy(&sum, bytes.at + AT_SUM, SUM);
    if (sum != sum_add(0, slice_from(bytes, AT_OFFSET))) {
        return ERR_SYNTAX;
    }
    rows = slice_from(bytes, HEAD);
    while (cut_row(&rows, &tenant, &name, &last_ns)) {
    }
    if (rows.size > 0) {
        return ERR_SYNTAX;
    }
    at->offset = frame_get64(bytes.at + AT_OFFSET);
    memcpy(at->log, bytes.at + AT_LOG, LOG_ID);
    at->log[LOG_ID] = 0;
    rows = slice_from(bytes, HEAD);
    while (cut_row(&rows, &tenant, &name, &last_ns)) {
        counts_recall(counts, tenant, name, last_ns);
    }
    return OK;
}

static enum err read_all(
        const struct disk *disk, const char *path, struct buf *out, struct diag *diag)
{
    int file;
    uint64_t size;
    TRY(disk->open(disk, path, &file, diag));
    enum err e = disk->size(disk, file, &size, diag);
    if (e == OK && size > MOST) {
        e = ERR_SYNTAX;
    }
    struct disk_read read = {.size = e == OK ? (size_t)size : 0};
    if (e == OK && !(read.to = buf_reserve(out, read.size + 1))) {
        e = ERR_MEMORY;
    }
    if (e == OK) {
        e = disk->read(disk, file, 0, &read, diag);
        out->size = read.got;
    }
    disk->close(disk, file);
    return e;
}

enum err known_load(const struct disk *disk, const char *directory, struct counts *counts,
        struct known_at *at, struct diag *diag)
{
    struct buf path = {0}, bytes = {0};
    *at = (struct known_at){0};
    enum err e = path_of(directory, "sources", &path);
    if (e == OK) {
        e = read_all(disk, path.at, &bytes, diag);
    }
    if (e == OK) {
        e = take(buf_slice(&bytes), counts, at);
    }
    if (e == ERR_SYNTAX) {
        (void)diag_say(diag, e, "%s: it is damaged", path.at);
    }
    buf_fini(&path);
    buf_fini(&bytes);
    return e;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static void add_row(struct buf *out, const struct counts_source *source)
{
    struct slice tenant = slice_text(source->tenant), name = slice_text(source->name);
    char fixed[FIXED];
    frame_put64(fixed, (uint64_t)atomic_load(&source->last_ns));
    fixed[8] = (char)tenant.size;
    fixed[9] = (char)name.size;
    buf_add(out, slice_of(fixed, sizeof fixed));
    buf_add(out, tenant);
    buf_add(out, name);
}

static enum err make(struct buf *out, const struct counts *counts, const struct known_at *at)
{
    char head[HEAD] = {0};
    memcpy(head, magic, AT_SUM);
    frame_put64(head + AT_OFFSET, at->offset);
    memcpy(head + AT_LOG, at->log, LOG_ID);
    buf_add(out, slice_of(head, sizeof head));
    for (size_t i = 0; i < counts_size(counts) && i < COUNTS_SOURCES; i++) {
        const struct counts_source *source = counts_at(counts, i);
        /* (others) are nobody. */
        if (source && atomic_load(&source->last_ns) != 0 && source != counts_at(counts, SIZE_MAX)) {
            add_row(out, source);
        }
    }
    if (out->failed) {
        return ERR_MEMORY;
    }
    uint32_t sum = sum_add(0, slice_from(buf_slice(out), AT_OFFSET));
    memcpy(out->at + AT_SUM, &sum, SUM);
    return OK;
}

static enum err write_new(
        const struct disk *disk, const char *path, struct slice bytes, struct diag *diag)
{
    int file;
    enum err e = disk->remove(disk, path, NULL);
    if (e != OK && e != ERR_NOT_FOUND) {
        return diag_say(diag, e, "%s: cannot be replaced", path);
    }
    TRY(disk->create(disk, path, &file, diag));
    e = disk->write(disk, file, 0, bytes, diag);
    point_pass("sources.before_sync");
    if (e == OK) {
        e = disk->sync(disk, file, diag);
    }
    disk->close(disk, file);
    return e;
}

enum err known_save(const struct disk *disk, const char *directory, const struct counts *counts,
        const struct known_at *at, struct diag *diag)
{
    struct buf made = {0}, named = {0}, bytes = {0};
    enum err e = path_of(directory, "sources.new", &made);
    if (e == OK) {
        e = path_of(directory, "sources", &named);
    }
    if (e == OK) {
        e = make(&bytes, counts, at);
    }
    if (e == OK) {
        e = write_new(disk, made.at, buf_slice(&bytes), diag);
    }
    point_pass("sources.before_rename");
    if (e == OK) {
        e = disk->rename(disk, made.at, named.at, diag);
    }
    if (e == OK) {
        e = disk->sync_directory(disk, directory, diag);
    }
    point_pass("sources.published");
    buf_fini(&made);
    buf_fini(&named);
    buf_fini(&bytes);
    return e;
}
