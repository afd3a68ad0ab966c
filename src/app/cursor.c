#include "app/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/point.h"

enum { DIGITS = 20 };

static enum err path_of(
        const char *directory, const char *name, const char *suffix, struct buf *out)
{
    buf_format(out, "%s/%s%s", directory, name, suffix);
    buf_byte(out, '\0');
    return out->failed ? ERR_MEMORY : OK;
}

static enum err write_new(const struct disk *disk, const char *path, uint64_t at, struct diag *diag)
{
    char text[DIGITS + 2];
    int file;
    enum err e = disk->remove(disk, path, NULL);
    if (e != OK && e != ERR_NOT_FOUND) {
        return diag_say(diag, e, "%s: cannot be replaced", path);
    }
    TRY(disk->create(disk, path, &file, diag));
    snprintf(text, sizeof text, "%0*" PRIu64 "\n", DIGITS, at);
    e = disk->write(disk, file, 0, slice_text(text), diag);
    point_pass("cursor.before_sync");
    if (e == OK) {
        e = disk->sync(disk, file, diag);
    }
    disk->close(disk, file);
    return e;
}

enum err cursor_write(const struct disk *disk, const char *directory, const char *name, uint64_t at,
        struct diag *diag)
{
    struct buf made = {0}, named = {0};
    enum err e = path_of(directory, name, ".new", &made);
    if (e == OK) {
        e = path_of(directory, name, "", &named);
    }
    if (e == OK) {
        e = write_new(disk, made.at, at, diag);
    }
    point_pass("cursor.before_rename");
    if (e == OK) {
        e = disk->rename(disk, made.at, named.at, diag);
    }
    if (e == OK) {
        e = disk->sync_directory(disk, directory, diag);
    }
    point_pass("cursor.published");
    buf_fini(&made);
    buf_fini(&named);
    return e;
}

static enum err parse(struct slice text, uint64_t *at)
{
    uint64_t value = 0;
    if (text.size != DIGITS + 1 || text.at[DIGITS] != '\n') {
        return ERR_SYNTAX;
    }
    for (size_t i = 0; i < DIGITS; i++) {
        if (!slice_is_digit(text.at[i]) || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
                __builtin_add_overflow(value, (uint64_t)(text.at[i] - '0'), &value)) {
            return ERR_SYNTAX;
        }
    }
    *at = value;
    return OK;
}

enum err cursor_read(const struct disk *disk, const char *directory, const char *name, uint64_t *at,
        struct diag *diag)
{
    char text[DIGITS + 2];
    struct disk_read read = {.to = text, .size = sizeof text};
    struct buf path = {0};
    int file;
    *at = 0;
    enum err e = path_of(directory, name, "", &path);
    if (e == OK) {
        e = disk->open(disk, path.at, &file, diag);
    }
    if (e == OK) {
        e = disk->read(disk, file, 0, &read, diag);
        disk->close(disk, file);
        if (e == OK && parse(slice_of(text, read.got), at) != OK) {
            e = diag_say(diag, ERR_SYNTAX, "%s: that is no cursor", path.at);
        }
    }
    buf_fini(&path);
    return e == ERR_NOT_FOUND ? OK : e;
}
