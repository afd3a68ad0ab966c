#include "app/landing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

/* What the keeper is told, and answers: DONE or an errno. */
enum { RENAME = 'r', DONE = 0, HEAD = 512 };

/* ---- what may be replaced -------------------------------------------------------------------- */

static bool is_page(struct slice head)
{
    head = slice_trim(head);
    struct slice start = SLICE("<!doctype html");
    return head.size == 0 ||
           (head.size >= start.size && slice_equal_nocase(slice_of(head.at, start.size), start));
}

static enum err check_target(const char *path, struct diag *diag)
{
    struct stat st;
    char head[HEAD];
    if (stat(path, &st) != 0) {
        return errno == ENOENT ? OK : diag_say(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return diag_say(diag, ERR_USAGE, "%s: is no regular file", path);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (n < 0) {
        return diag_say(diag, ERR_IO, "%s: %s", path, strerror(error));
    }
    if (!is_page(slice_of(head, (size_t)n))) {
        return diag_say(diag, ERR_USAGE, "%s: is there already and is no HTML: not replaced", path);
    }
    return OK;
}

/* ---- the keeper ------------------------------------------------------------------------------ */

struct names {
    int folder;
    const char *temporary;
    const char *final;
};

static int land(const struct names *names, int file)
{
    if (fsync(file) != 0 && errno != EINVAL) {
        return errno;
    }
    return renameat(names->folder, names->temporary, names->folder, names->final) == 0 ? DONE
                                                                                       : errno;
}

/* Ends with the process that it serves; signals of their terminal are for that one. */
static _Noreturn void keep(const struct names *names, int file, int channel)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        signal(ignored[i], SIG_IGN);
    }
    for (int fd = 0; fd < 3; fd++) {
        close(fd); /* somebody may wait for the end of a pipe there */
    }
    char word = 0;
    ssize_t n;
    do {
        n = read(channel, &word, 1);
    } while (n < 0 && errno == EINTR);
    int answer = n == 1 && word == RENAME ? land(names, file) : ECANCELED;
    if (answer != DONE) {
        unlinkat(names->folder, names->temporary, 0);
    }
    ssize_t written = write(channel, &answer, sizeof answer);
    _exit(written == (ssize_t)sizeof answer ? 0 : 1);
}

static enum err start_keeper(
        struct landing *landing, const struct names *names, const char *path, struct diag *diag)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return diag_say(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        keep(names, landing->file, ends[1]);
    }
    int error = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return diag_say(diag, ERR_IO, "%s: %s", path, strerror(error));
    }
    landing->channel = ends[0];
    return OK;
}

/* ---- the temporary --------------------------------------------------------------------------- */

static void give_mode(int file)
{
    mode_t mask = umask(0);
    umask(mask);
    (void)!fchmod(file, 0666 & ~mask);
}

/* `real`: the path without links; its folder and its name. */
static enum err open_beside(struct landing *landing, char *real, struct diag *diag)
{
    char temporary[NAME_MAX + 1];
    char *slash = strrchr(real, '/');
    struct names names = {.temporary = temporary, .final = slash + 1};
    enum err e = OK;
    *slash = 0;
    names.folder = open(*real ? real : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *slash = '/';
    for (int i = 0; names.folder >= 0 && landing->file < 0 && i < 100; i++) {
        /* Two runs at once have different numbers, and a name that is there is left alone. */
        snprintf(
                temporary, sizeof temporary, ".%.200s.%ld-%d.part", names.final, (long)getpid(), i);
        landing->file =
                openat(names.folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (landing->file < 0 && errno != EEXIST) {
            break;
        }
    }
    if (landing->file < 0) {
        e = diag_say(diag, ERR_IO, "%s: %s", real, strerror(errno));
    } else {
        give_mode(landing->file);
        e = start_keeper(landing, &names, real, diag);
        if (e != OK) {
            unlinkat(names.folder, temporary, 0);
        }
    }
    if (names.folder >= 0) {
        close(names.folder);
    }
    return e;
}

/* The real path of a file that need not be there, in `real` of PATH_MAX bytes. */
static enum err resolve(const char *path, char *real, struct diag *diag)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (realpath(path, real)) {
        return OK;
    }
    int error = errno;
    int n = snprintf(
            folder, sizeof folder, "%.*s", slash ? (int)(slash + 1 - path) : 1, slash ? path : ".");
    if (error != ENOENT || n < 0 || (size_t)n >= sizeof folder || !*name) {
        return diag_say(diag, ERR_IO, "%s: %s", path, *name ? strerror(error) : "names no file");
    }
    if (!realpath(folder, real)) {
        return diag_say(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    size_t size = strlen(real);
    n = snprintf(real + size, PATH_MAX - size, "%s%s", size > 1 ? "/" : "", name);
    if (n < 0 || (size_t)n >= PATH_MAX - size) {
        return diag_say(diag, ERR_IO, "%s: %s", path, strerror(ENAMETOOLONG));
    }
    return OK;
}

enum err landing_open(struct landing *landing, const char *path, struct diag *diag)
{
    char real[PATH_MAX];
    *landing = LANDING_NONE;
    TRY(check_target(path, diag));
    TRY(resolve(path, real, diag));
    enum err e = open_beside(landing, real, diag);
    if (e != OK) {
        landing_close(landing);
    }
    return e;
}

/* ---- the bytes ------------------------------------------------------------------------------- */

static enum err write_bytes(int file, struct slice bytes, struct diag *diag)
{
    while (bytes.size > 0) {
        ssize_t n = write(file, bytes.at, bytes.size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return diag_say(diag, ERR_IO, "%s", strerror(errno));
        }
        bytes = slice_of(bytes.at + n, bytes.size - (size_t)n);
    }
    return OK;
}

enum err landing_finish(struct landing *landing, struct slice bytes, struct diag *diag)
{
    TRY(write_bytes(landing->file, bytes, diag));
    TRY(write_bytes(landing->channel, slice_of((char[]){RENAME}, 1), diag));
    int answer = ECANCELED;
    ssize_t n;
    do {
        n = read(landing->channel, &answer, sizeof answer);
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof answer) {
        return diag_say(diag, ERR_IO, "the process that keeps it went away");
    }
    return answer == DONE ? OK : diag_say(diag, ERR_IO, "%s", strerror(answer));
}

void landing_close(struct landing *landing)
{
    if (landing->channel >= 0) {
        close(landing->channel);
    }
    if (landing->file >= 0) {
        close(landing->file);
    }
    *landing = LANDING_NONE;
}
