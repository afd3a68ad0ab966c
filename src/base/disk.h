/* disk: the calls by which stored state reaches the disk, as a table: tests put in its place one
 * that remembers what was written and synced, and makes every state that a crash may leave
 * (test/support/crash_disk.h).
 *
 *     int file;
 *     TRY(disk->create(disk, "log/00000000000000000000.new", &file, diag));
 *     TRY(disk->write(disk, file, at, bytes, diag));
 *     TRY(disk->sync(disk, file, diag));            // the bytes
 *     TRY(disk->rename(disk, "log/00000000000000000000.new", ".../00000000000000000000.seg",
 * diag)); TRY(disk->sync_directory(disk, "log", diag)); // the name
 *
 * All failures are ERR_IO with the system's words, no space left is ERR_LIMIT; interrupted and
 * short calls are gone on with, but a sync: one that does not say that it succeeded has failed. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

/* Names in a directory, in the order of their bytes; "." and ".." left out. */
struct disk_names {
    const char **at; /* in the arena */
    size_t count;
};

/* What is to be read, and what was: got < size only at the file's end. */
struct disk_read {
    char *to;
    size_t size;
    size_t got;
};

struct disk {
    void *context;
    /* A new file for writing and reading; one that exists already is ERR_IO. */
    enum err (*create)(const struct disk *, const char *path, int *file, struct diag *) MUST_CHECK;
    /* For reading. ERR_NOT_FOUND. */
    enum err (*open)(const struct disk *, const char *path, int *file, struct diag *) MUST_CHECK;
    /* The file, made where there is none, held against every other holder until it is closed, by
     * this process or by its end. ERR_USAGE: somebody holds it. */
    enum err (*lock)(const struct disk *, const char *path, int *file, struct diag *) MUST_CHECK;
    void (*close)(const struct disk *, int file);
    enum err (*read)(const struct disk *, int file, uint64_t at, struct disk_read *,
            struct diag *) MUST_CHECK;
    enum err (*write)(const struct disk *, int file, uint64_t at, struct slice bytes,
            struct diag *) MUST_CHECK;
    /* Data and size are on disk (fdatasync). After a failure nothing is known of what was written
     * since the last one. */
    enum err (*sync)(const struct disk *, int file, struct diag *) MUST_CHECK;
    enum err (*size)(const struct disk *, int file, uint64_t *size, struct diag *) MUST_CHECK;
    /* ERR_NOT_FOUND: no such directory. */
    enum err (*list)(const struct disk *, const char *directory, struct arena *,
            struct disk_names *, struct diag *) MUST_CHECK;
    enum err (*make_directory)(const struct disk *, const char *path,
            struct diag *) MUST_CHECK; /* OK where it exists */
    enum err (*sync_directory)(const struct disk *, const char *path, struct diag *) MUST_CHECK;
    /* What stands at `to` is replaced in one step. */
    enum err (*rename)(
            const struct disk *, const char *from, const char *to, struct diag *) MUST_CHECK;
    enum err (*remove)(const struct disk *, const char *path, struct diag *) MUST_CHECK;
    /* Bytes that may still be written below `directory`. */
    enum err (*room)(
            const struct disk *, const char *directory, uint64_t *bytes, struct diag *) MUST_CHECK;
};

/* The machine's own. */
extern const struct disk disk_real;
