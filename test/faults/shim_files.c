#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A path that is relative to an open directory, whole. */
static const char *whole_path(int directory, const char *path, char *room)
{
    if (directory == AT_FDCWD || path[0] == '/' || !*shim_path(directory)) {
        return path;
    }
    snprintf(room, SHIM_PATH, "%.110s/%.120s", shim_path(directory), path);
    return room;
}
static int open_at(int directory, const char *path, int flags, mode_t mode)
{
    char room[SHIM_PATH];
    const char *whole = whole_path(directory, path, room);
    CALL(OPEN, whole, (int)shim_name(REAL(openat)(directory, path, flags, mode), whole),
            .number = flags, .file = -1);
}

#define MODE(flags, mode)                                                                          \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode = va_arg(more, mode_t);                                                               \
        va_end(more);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_at(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_at(directory, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int close(int file)
{
    char path[SHIM_PATH];
    snprintf(path, sizeof path, "%s", shim_path(file));
    shim_name(file, "");
    CALL(CLOSE, path, REAL(close)(file), .file = file);
}

int dup(int file)
{
    return (int)shim_name(REAL(dup)(file), shim_path(file));
}

int dup2(int file, int to)
{
    return (int)shim_name(REAL(dup2)(file, to), shim_path(file));
}

int dup3(int file, int to, int flags)
{
    return (int)shim_name(REAL(dup3)(file, to, flags), shim_path(file));
}

ssize_t read(int file, void *to, size_t size)
{
    CALL(READ, shim_path(file), REAL(read)(file, to, shim_cut(&fate, size)), .file = file);
}

ssize_t pread(int file, void *to, size_t size, off_t at)
{
    CALL(READ, shim_path(file), REAL(pread)(file, to, shim_cut(&fate, size), at), .file = file,
            .number = at);
}

ssize_t pread64(int file, void *to, size_t size, off64_t at)
{
    return pread(file, to, size, at);
}

ssize_t write(int file, const void *from, size_t size)
{
    struct iovec data = {.iov_base = (void *)from, .iov_len = size}; // NOLINT
    CALL(WRITE, shim_path(file), REAL(write)(file, from, shim_cut(&fate, size)), .file = file,
            .data = &data, .pieces = 1);
}

ssize_t pwrite(int file, const void *from, size_t size, off_t at)
{
    struct iovec data = {.iov_base = (void *)from, .iov_len = size}; // NOLINT
    CALL(WRITE, shim_path(file), REAL(pwrite)(file, from, shim_cut(&fate, size), at), .file = file,
            .number = at, .data = &data, .pieces = 1);
}

ssize_t pwrite64(int file, const void *from, size_t size, off64_t at)
{
    return pwrite(file, from, size, at);
}

/* Short: only of the first piece. */
ssize_t writev(int file, const struct iovec *data, int pieces)
{
    CALL(WRITE, shim_path(file),
            fate.shorter ? REAL(write)(file, data->iov_base, shim_cut(&fate, data->iov_len))
                         : REAL(writev)(file, data, pieces),
            .file = file, .data = data, .pieces = pieces);
}

ssize_t pwritev(int file, const struct iovec *data, int pieces, off_t at)
{
    CALL(WRITE, shim_path(file),
            fate.shorter ? REAL(pwrite)(file, data->iov_base, shim_cut(&fate, data->iov_len), at)
                         : REAL(pwritev)(file, data, pieces, at),
            .file = file, .number = at, .data = data, .pieces = pieces);
}

ssize_t pwritev64(int file, const struct iovec *data, int pieces, off64_t at)
{
    return pwritev(file, data, pieces, at);
}

int fsync(int file)
{
    CALL(FSYNC, shim_path(file), REAL(fsync)(file), .file = file);
}

int fdatasync(int file)
{
    CALL(FDATASYNC, shim_path(file), REAL(fdatasync)(file), .file = file);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    char room[SHIM_PATH], more[SHIM_PATH];
    const char *target = whole_path(to_at, to, more);
    struct iovec data = {.iov_base = (void *)target, .iov_len = strlen(target)}; // NOLINT
    CALL(RENAME, whole_path(from_at, from, room), REAL(renameat2)(from_at, from, to_at, to, flags),
            .data = &data, .pieces = 1, .file = -1);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return renameat2(from_at, from, to_at, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int directory, const char *path, int flags)
{
    char room[SHIM_PATH];
    CALL(UNLINK, whole_path(directory, path, room), REAL(unlinkat)(directory, path, flags),
            .number = flags, .file = -1);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int ftruncate(int file, off_t size)
{
    CALL(TRUNCATE, shim_path(file), REAL(ftruncate)(file, size), .file = file, .number = size);
}

int ftruncate64(int file, off64_t size)
{
    return ftruncate(file, size);
}

int fallocate(int file, int mode, off_t at, off_t size)
{
    CALL(ALLOCATE, shim_path(file), REAL(fallocate)(file, mode, at, size), .file = file,
            .number = at + size);
}

int fallocate64(int file, int mode, off64_t at, off64_t size)
{
    return fallocate(file, mode, at, size);
}

/* Its errors come back as values. */
int posix_fallocate(int file, off_t at, off_t size)
{
    struct fate fate = shim_fate(ALLOCATE, shim_path(file));
    struct told told = {.file = file, .number = at + size};
    int result = fate.over ? (fate.value ? errno : 0) : REAL(posix_fallocate)(file, at, size);
    return (int)shim_after(&fate, result, &told);
}

int posix_fallocate64(int file, off64_t at, off64_t size)
{
    return posix_fallocate(file, at, size);
}

int mkdirat(int directory, const char *path, mode_t mode)
{
    char room[SHIM_PATH];
    CALL(MKDIR, whole_path(directory, path, room), REAL(mkdirat)(directory, path, mode),
            .number = mode, .file = -1);
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}
