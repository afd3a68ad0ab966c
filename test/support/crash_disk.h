/* crash_disk: a disk in memory that remembers what a crash may undo, and makes what it may leave.
 *
 *     struct crash_disk *disk = crash_disk_new();
 *     ... use crash_disk_calls(disk) as the struct disk of what is tested ...
 *     uint64_t point = crash_disk_count(disk);               // calls so far
 *     struct crash_disk *after = crash_disk_crash(disk, point, seed);
 *     crash_disk_free(disk);
 *
 * What is legal (POSIX, and what Linux does):
 * - What was written since its file's last sync is there or not, sector by sector (512 bytes) and
 *   in any order; the file's size is the old one, the new one, or that of what is there. What the
 *   size covers and nothing has filled is zero.
 * - A name made, renamed or removed since its directory's last sync is so or not, each by itself; a
 *   rename is done whole or not at all. A file's sync says nothing of its name.
 * - What was synced is there.
 * - A sync that fails drops what was not synced yet, or some sectors of it: it can be read until
 * the crash, no later sync brings it to the disk, and the crash takes it. A failing sync of a
 *   directory leaves its names as they were, unsure.
 *
 * Every call is counted and remembered, failing ones too. Not for several threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/disk.h"

enum crash_disk_kind {
    CRASH_DISK_CREATE,
    CRASH_DISK_OPEN,
    CRASH_DISK_LOCK,
    CRASH_DISK_READ,
    CRASH_DISK_WRITE,
    CRASH_DISK_SYNC,
    CRASH_DISK_SIZE,
    CRASH_DISK_LIST,
    CRASH_DISK_MAKE_DIRECTORY,
    CRASH_DISK_SYNC_DIRECTORY,
    CRASH_DISK_RENAME,
    CRASH_DISK_REMOVE,
    CRASH_DISK_ROOM,
    CRASH_DISK_KINDS,
};

struct crash_disk;

/* Aborts where memory is refused: a test's own. Holds the directory "." and nothing else. */
struct crash_disk *crash_disk_new(void);
void crash_disk_free(struct crash_disk *disk);
const struct disk *crash_disk_calls(struct crash_disk *disk);

/* Calls so far: a point of the record. */
uint64_t crash_disk_count(const struct crash_disk *disk);
enum crash_disk_kind crash_disk_kind_at(const struct crash_disk *disk, uint64_t call);
const char *crash_disk_kind_name(enum crash_disk_kind kind);
/* Owner: the caller. A disk as one crash after the first `point` calls may leave it; its own record
 * begins there. `seed` 0: nothing that was not synced is there; 1: everything is. */
struct crash_disk *crash_disk_crash(const struct crash_disk *disk, uint64_t point, uint64_t seed);
/* The process has died, the machine lives: what it held is free, what it wrote can be read. */
void crash_disk_kill(struct crash_disk *disk);

/* Until it is thawed every call but close fails, does nothing and is not remembered: for taking
 * down what the process had in memory. */
void crash_disk_freeze(struct crash_disk *disk, bool frozen);

/* The `nth` call from now (1: the next) fails with `e` (ERR_IO or ERR_LIMIT), as do the `more`
 * calls behind it. A write that fails has written some of its bytes. 0: none fails. */
void crash_disk_fail(struct crash_disk *disk, uint64_t nth, uint64_t more, enum err e);
/* The same, where only calls of that kind count. */
void crash_disk_fail_kind(
        struct crash_disk *disk, enum crash_disk_kind kind, uint64_t nth, enum err e);
/* Bytes that all files together may have; a write beyond is ERR_LIMIT. At first UINT64_MAX. */
void crash_disk_limit(struct crash_disk *disk, uint64_t bytes);

/* A file's bytes as they are read, borrowed until the next call; .at NULL: no such file. */
struct slice crash_disk_file(const struct crash_disk *disk, const char *path);
/* Puts the bytes there, synced, as if the disk had rotted or somebody had written. */
void crash_disk_put(struct crash_disk *disk, const char *path, struct slice bytes);
