#include "net/egress_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 4096, NAMES = 1000 };

static enum err say(const struct egress_file *file, struct diag *diag)
{
    return diag_say(diag, ERR_IO, "%s: %s", file->path, strerror(errno));
}

void egress_file_close(struct egress_file *file)
{
    if (file->file >= 0) {
        close(file->file);
        file->file = -1;
    }
}

/* The end of the last whole line. */
static bool find_end(int file, uint64_t size, uint64_t *end)
{
    char piece[PIECE];
    while (size > 0) {
        uint64_t from = size > PIECE ? size - PIECE : 0;
        ssize_t got = pread(file, piece, size - from, (off_t)from);
        if (got != (ssize_t)(size - from)) {
            return false;
        }
        const char *last = memrchr(piece, '\n', (size_t)got);
        if (last) {
            *end = from + (uint64_t)(last - piece) + 1;
            return true;
        }
        size = from;
    }
    *end = 0;
    return true;
}

/* The name is on disk too. */
static bool sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) : 1;
    snprintf(folder, sizeof folder, "%.*s", length > 0 ? length : 1, slash ? path : ".");
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = directory >= 0 && fsync(directory) == 0;
    if (directory >= 0) {
        close(directory);
    }
    return done;
}

static enum err open_file(struct egress_file *file, struct diag *diag)
{
    struct stat s;
    uint64_t end;
    file->file = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->file < 0) {
        return say(file, diag);
    }
    if (fstat(file->file, &s) != 0 || !S_ISREG(s.st_mode) ||
            !find_end(file->file, (uint64_t)s.st_size, &end) ||
            (end < (uint64_t)s.st_size && ftruncate(file->file, (off_t)end) != 0) ||
            !sync_folder(file->path)) {
        enum err e = say(file, diag);
        egress_file_close(file);
        return e;
    }
    file->size = end;
    return OK;
}

/* What is full is named by what comes first behind it. Where a crash has that sent twice there is
 * such a file, which stays: the next is "NAME.1". The name is taken before it is renamed to. */
static bool take_name(const struct egress_file *file, uint64_t number, char name[PATH_MAX])
{
    for (unsigned i = 0; i < NAMES; i++) {
        char suffix[16] = "";
        if (i > 0) {
            snprintf(suffix, sizeof suffix, ".%u", i);
        }
        snprintf(name, PATH_MAX, "%s.%020" PRIu64 "%s", file->path, number, suffix);
        int taken = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (taken >= 0) {
            close(taken);
            return true;
        }
        if (errno != EEXIST) {
            return false;
        }
    }
    return false;
}

static enum err rotate(struct egress_file *file, uint64_t number, struct diag *diag)
{
    char name[PATH_MAX];
    egress_file_close(file);
    if (!take_name(file, number, name) || rename(file->path, name) != 0) {
        return say(file, diag);
    }
    return open_file(file, diag);
}

enum err egress_file_append(
        struct egress_file *file, struct slice bytes, uint64_t number, struct diag *diag)
{
    struct stat s;
    if (file->file >= 0 &&
            (fstat(file->file, &s) != 0 || s.st_nlink == 0 || (uint64_t)s.st_size != file->size)) {
        egress_file_close(file); /* somebody has removed or cut it */
    }
    if (file->file < 0) {
        TRY(open_file(file, diag));
    }
    if (file->rotate_bytes > 0 && file->size > 0 && file->size + bytes.size > file->rotate_bytes) {
        TRY(rotate(file, number, diag));
    }
    for (size_t done = 0; done < bytes.size;) {
        ssize_t n =
                pwrite(file->file, bytes.at + done, bytes.size - done, (off_t)(file->size + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            enum err e = say(file, diag);
            egress_file_close(file); /* what was written in part is cut off */
            return e;
        }
        done += (size_t)n;
    }
    if (fdatasync(file->file) != 0) {
        enum err e = say(file, diag);
        egress_file_close(file);
        return e;
    }
    file->size += bytes.size;
    return OK;
}
