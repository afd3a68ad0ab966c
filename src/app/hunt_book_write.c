#include "app/hunt_book_write.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"

enum { NAME = 300 };

struct target {
    int folder;
    const char *name; /* in it */
    char part[NAME];  /* the new one's, until it has the name */
    struct stat old;
};

static enum err refused(struct diag *diag, const char *what)
{
    return diag_say(diag, ERR_IO, "%s: %s", what, strerror(errno));
}

static enum err write_all(int fd, struct slice text, struct diag *diag)
{
    while (text.size > 0) {
        ssize_t n = write(fd, text.at, text.size);
        if (n < 0 && errno != EINTR) {
            return refused(diag, "the results could not be written");
        }
        text = slice_from(text, n > 0 ? (size_t)n : 0);
    }
    return OK;
}

static enum err fill(const struct target *t, int fd, struct slice text, struct diag *diag)
{
    bool other = t->old.st_uid != geteuid() || t->old.st_gid != getegid();
    TRY(write_all(fd, text, diag));
    if (other && fchown(fd, t->old.st_uid, t->old.st_gid) != 0) {
        return refused(diag, "its owner could not be kept");
    }
    if (fchmod(fd, t->old.st_mode & 07777) != 0 || fsync(fd) != 0) {
        return refused(diag, "the results could not be written");
    }
    return OK;
}

static enum err replace(const struct target *t, const char *path, struct slice was,
        struct slice text, struct diag *diag)
{
    struct buf now = {0};
    int fd = openat(t->folder, t->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return refused(diag, "its folder takes no new file");
    }
    enum err e = fill(t, fd, text, diag);
    if (close(fd) != 0 && e == OK) {
        e = refused(diag, "the results could not be written");
    }
    /* As late as can be: somebody may have saved it while the hunts ran. */
    e = e == OK ? files_read(path, was.size + 1, &now, diag) : e;
    if (e == OK && !slice_equal(buf_slice(&now), was)) {
        e = diag_say(diag, ERR_IO, "it was changed while its hunts ran: not written");
    }
    if (e == OK && renameat(t->folder, t->part, t->folder, t->name) != 0) {
        e = refused(diag, "the results could not be written");
    }
    if (e != OK) {
        unlinkat(t->folder, t->part, 0);
    } else if (fsync(t->folder) != 0) {
        e = refused(diag, "its folder could not be synced");
    }
    buf_fini(&now);
    return e;
}

static enum err open_target(const char *path, struct target *t, struct diag *diag)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    char folder[4096];
    t->name = slash ? slash + 1 : path;
    int n = snprintf(folder, sizeof folder, "%.*s", (int)size, path);
    int m = snprintf(t->part, sizeof t->part, ".%s.%ld.new", t->name, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof folder || m < 0 || (size_t)m >= sizeof t->part) {
        return diag_say(diag, ERR_IO, "its name is too long to be written beside it");
    }
    const char *where = !slash ? "." : size == 0 ? "/" : folder;
    t->folder = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return t->folder >= 0 ? OK : refused(diag, "its folder");
}

enum err hunt_book_write(const char *path, struct slice was, struct slice text, struct diag *diag)
{
    struct target t = {.folder = -1};
    sigset_t all, before;
    if (slice_equal(was, text)) {
        return OK;
    }
    TRY(open_target(path, &t, diag));
    enum err e = OK;
    if (fstatat(t.folder, t.name, &t.old, AT_SYMLINK_NOFOLLOW) != 0) {
        e = refused(diag, "it");
    } else if (!S_ISREG(t.old.st_mode)) {
        e = diag_say(diag, ERR_IO, "a link, or no plain file: not written");
    } else if (t.old.st_nlink > 1) {
        e = diag_say(diag, ERR_IO, "it has several names (hard links): not written");
    }
    /* An interrupt waits, so that no half of a file is left beside it. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    e = e == OK ? replace(&t, path, was, text, diag) : e;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(t.folder);
    return e;
}
