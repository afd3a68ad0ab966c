#include "base/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/memory.h"

static enum err say(struct diag *diag, const char *what)
{
    char words[128];
    int number = errno;
    enum err e = number == ENOSPC || number == EDQUOT ? ERR_LIMIT
                 : number == ENOENT                   ? ERR_NOT_FOUND
                 : number == ENOMEM                   ? ERR_MEMORY
                                                      : ERR_IO;
    return diag_say(diag, e, "%s: %s", what, strerror_r(number, words, sizeof words));
}

static enum err real_create(const struct disk *disk, const char *path, int *file, struct diag *diag)
{
    (void)disk;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        return say(diag, path);
    }
    *file = fd;
    return OK;
}

static enum err real_open(const struct disk *disk, const char *path, int *file, struct diag *diag)
{
    (void)disk;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return say(diag, path);
    }
    *file = fd;
    return OK;
}

static enum err real_lock(const struct disk *disk, const char *path, int *file, struct diag *diag)
{
    (void)disk;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        return say(diag, path);
    }
    int held;
    do {
        held = flock(fd, LOCK_EX | LOCK_NB);
    } while (held != 0 && errno == EINTR);
    if (held != 0) {
        bool busy = errno == EWOULDBLOCK;
        enum err e = busy ? diag_say(diag, ERR_USAGE, "%s: another process has it open", path)
                          : say(diag, path);
        close(fd);
        return e;
    }
    *file = fd;
    return OK;
}

static void real_close(const struct disk *disk, int file)
{
    (void)disk;
    close(file); /* what counts has been synced before */
}

static enum err real_read(
        const struct disk *disk, int file, uint64_t at, struct disk_read *read, struct diag *diag)
{
    (void)disk;
    size_t done = 0;
    while (done < read->size) {
        ssize_t n = pread(file, read->to + done, read->size - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return say(diag, "read");
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    read->got = done;
    return OK;
}

static enum err real_write(
        const struct disk *disk, int file, uint64_t at, struct slice bytes, struct diag *diag)
{
    (void)disk;
    size_t done = 0;
    while (done < bytes.size) {
        ssize_t n = pwrite(file, bytes.at + done, bytes.size - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return say(diag, "write");
        }
        done += (size_t)n;
    }
    return OK;
}

static enum err real_sync(const struct disk *disk, int file, struct diag *diag)
{
    (void)disk;
    return fdatasync(file) == 0 ? OK : say(diag, "sync");
}

static enum err real_size(const struct disk *disk, int file, uint64_t *size, struct diag *diag)
{
    (void)disk;
    struct stat status;
    if (fstat(file, &status) != 0) {
        return say(diag, "size");
    }
    *size = (uint64_t)status.st_size;
    return OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct list {
    const char **at;
    size_t count, room;
};

static enum err read_names(
        DIR *directory, struct arena *arena, struct list *list, struct diag *diag)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry) {
            return errno ? say(diag, "reading a directory") : OK;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        struct slice copy = arena_copy(arena, slice_text(entry->d_name));
        if (!copy.at || !memory_grow(&list->at, &list->room, list->count + 1, sizeof *list->at)) {
            return ERR_MEMORY;
        }
        list->at[list->count++] = copy.at;
    }
}

static enum err real_list(const struct disk *disk, const char *directory, struct arena *arena,
        struct disk_names *names, struct diag *diag)
{
    (void)disk;
    DIR *stream = opendir(directory);
    if (!stream) {
        return say(diag, directory);
    }
    struct list list = {0};
    enum err e = read_names(stream, arena, &list, diag);
    closedir(stream);
    const char **at = e == OK ? ARENA_ARRAY(arena, const char *, list.count) : NULL;
    if (at && list.count) {
        memcpy(at, list.at, list.count * sizeof *at);
        qsort(at, list.count, sizeof *at, compare_names);
    }
    if (e == OK && !at) {
        e = ERR_MEMORY;
    }
    if (e == OK) {
        *names = (struct disk_names){at, list.count};
    }
    memory_free(list.at);
    return e;
}

static enum err real_make_directory(const struct disk *disk, const char *path, struct diag *diag)
{
    (void)disk;
    struct stat status;
    if (mkdir(path, 0750) == 0) {
        return OK;
    }
    if (errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return OK;
    }
    return say(diag, path);
}

static enum err real_sync_directory(const struct disk *disk, const char *path, struct diag *diag)
{
    (void)disk;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return say(diag, path);
    }
    enum err e = fsync(fd) == 0 ? OK : say(diag, path);
    close(fd);
    return e;
}

static enum err real_rename(
        const struct disk *disk, const char *from, const char *to, struct diag *diag)
{
    (void)disk;
    return rename(from, to) == 0 ? OK : say(diag, from);
}

static enum err real_remove(const struct disk *disk, const char *path, struct diag *diag)
{
    (void)disk;
    return unlink(path) == 0 ? OK : say(diag, path);
}

static enum err real_room(
        const struct disk *disk, const char *directory, uint64_t *bytes, struct diag *diag)
{
    (void)disk;
    struct statvfs status;
    if (statvfs(directory, &status) != 0) {
        return say(diag, directory);
    }
    uint64_t room;
    if (__builtin_mul_overflow((uint64_t)status.f_bavail, (uint64_t)status.f_frsize, &room)) {
        room = UINT64_MAX;
    }
    *bytes = room;
    return OK;
}

const struct disk disk_real = {
        .create = real_create,
        .open = real_open,
        .lock = real_lock,
        .close = real_close,
        .read = real_read,
        .write = real_write,
        .sync = real_sync,
        .size = real_size,
        .list = real_list,
        .make_directory = real_make_directory,
        .sync_directory = real_sync_directory,
        .rename = real_rename,
        .remove = real_remove,
        .room = real_room,
};
