#include "packs/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "packs/store_text.h"

#define SUFFIX ".pack"
#define PREVIOUS ".previous"
#define ASIDE ".new"
enum { FILE_NAME = STORE_NAME_BYTES + 16 };
#define FILE_BYTES (CONTENT_BYTES + ((size_t)256 << 20))

static enum err refused(struct diag *diag, const char *what, const char *name)
{
    return diag_say(diag, ERR_IO, "%s%s%s: %s", what, *name ? " " : "", name, strerror(errno));
}

/* ---- the directory --------------------------------------------------------------------------- */

/* As `mkdir -p`, with mode 0755. */
static enum err make_folders(const char *dir, struct diag *diag)
{
    struct buf path = {0};
    struct slice rest = slice_text(dir);
    enum err e = OK;
    while (rest.size > 0 && e == OK) {
        buf_add(&path, slice_cut(&rest, '/'));
        buf_byte(&path, '\0');
        if (path.failed) {
            e = diag_say(diag, ERR_MEMORY, "no memory");
        } else if (path.at[0] && mkdir(path.at, 0755) != 0 && errno != EEXIST) {
            e = refused(diag, "cannot make", path.at);
        } else {
            path.at[path.size - 1] = '/';
        }
    }
    buf_fini(&path);
    return e;
}

static enum err open_folder(
        struct store *s, const char *dir, enum store_mode mode, struct diag *diag)
{
    int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0) {
        return mode == STORE_READ && errno == ENOENT ? OK : refused(diag, "cannot open", dir);
    }
    if (mode == STORE_WRITE && mkdirat(top, "packs", 0755) != 0 && errno != EEXIST) {
        enum err e = refused(diag, "cannot make packs in", dir);
        close(top);
        return e;
    }
    s->dir = openat(top, "packs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e = OK;
    if (s->dir < 0 && (mode == STORE_WRITE || errno != ENOENT)) {
        e = refused(diag, "cannot open packs in", dir);
    }
    close(top);
    return e;
}

/* To list it; the caller's, by closedir. NULL: refused. */
static DIR *list_open(const struct store *s)
{
    int fd = fcntl(s->dir, F_DUPFD_CLOEXEC, 0);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d && fd >= 0) {
        close(fd);
    }
    if (d) {
        rewinddir(d); /* the place in it is shared with s->dir */
    }
    return d;
}

/* What an earlier writer left when it was stopped. */
static void sweep(struct store *s)
{
    DIR *d = list_open(s);
    struct dirent *entry;
    if (!d) {
        return;
    }
    while ((entry = readdir(d))) {
        if (slice_ends(slice_text(entry->d_name), SLICE(ASIDE))) {
            (void)!unlinkat(s->dir, entry->d_name, 0);
        }
    }
    closedir(d);
}

/* A reader may find no place for a lock, on a file system that is only read: then nobody writes. */
static enum err take_lock(struct store *s, enum store_mode mode, struct diag *diag)
{
    bool write = mode == STORE_WRITE;
    s->lock = openat(s->dir, "lock",
            write ? O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW : O_RDONLY | O_CLOEXEC | O_NOFOLLOW,
            0644);
    if (s->lock < 0) {
        return write ? refused(diag, "cannot lock the packs", "") : OK;
    }
    while (flock(s->lock, write ? LOCK_EX : LOCK_SH) != 0) {
        if (errno != EINTR) {
            return refused(diag, "cannot lock the packs", "");
        }
    }
    return OK;
}

enum err store_open(struct store *store, const char *dir, enum store_mode mode, struct diag *diag)
{
    struct store s = {.dir = -1, .lock = -1};
    enum err e = mode == STORE_WRITE ? make_folders(dir, diag) : OK;
    e = e == OK ? open_folder(&s, dir, mode, diag) : e;
    if (e == OK && s.dir >= 0) {
        e = take_lock(&s, mode, diag);
    }
    if (e != OK) {
        store_close(&s);
        return e;
    }
    if (mode == STORE_WRITE) {
        sweep(&s);
    }
    *store = s;
    return OK;
}

void store_close(struct store *store)
{
    if (store->lock >= 0) {
        close(store->lock);
    }
    if (store->dir >= 0) {
        close(store->dir);
    }
    store->dir = store->lock = -1;
}

/* ---- names ----------------------------------------------------------------------------------- */

bool store_name_valid(struct slice name)
{
    if (name.size == 0 || name.size > STORE_NAME_BYTES || name.at[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        char c = name.at[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.';
        if (!good) {
            return false;
        }
    }
    return true;
}

/* name + suffix; names are short. */
static void file_name(char out[FILE_NAME], struct slice name, const char *suffix)
{
    snprintf(out, FILE_NAME, "%.*s%s", SLICE_ARG(name), suffix);
}

static int by_bytes(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static enum err list_folder(DIR *d, struct arena *arena, struct slice *names, size_t *count)
{
    struct dirent *entry;
    while ((entry = readdir(d))) {
        struct slice name = slice_text(entry->d_name);
        if (!slice_ends(name, SLICE(SUFFIX))) {
            continue;
        }
        name.size -= sizeof SUFFIX - 1;
        if (!store_name_valid(name)) {
            continue;
        }
        if (*count == STORE_PACKS) {
            return ERR_LIMIT;
        }
        names[*count] = arena_copy(arena, name);
        if (!names[(*count)++].at) {
            return ERR_MEMORY;
        }
    }
    return OK;
}

enum err store_list(struct store *store, struct arena *arena, struct slice **names, size_t *count,
        struct diag *diag)
{
    struct slice *list = ARENA_ARRAY(arena, struct slice, STORE_PACKS);
    size_t n = 0;
    if (!list) {
        return diag_say(diag, ERR_MEMORY, "no memory for the packs");
    }
    if (store->dir >= 0) {
        DIR *d = list_open(store);
        if (!d) {
            return refused(diag, "cannot list the packs", "");
        }
        enum err e = list_folder(d, arena, list, &n);
        closedir(d);
        if (e != OK) {
            return diag_say(diag, e, e == ERR_LIMIT ? "over %d packs" : "no memory for %d packs",
                    STORE_PACKS);
        }
        qsort(list, n, sizeof *list, by_bytes);
    }
    *names = list;
    *count = n;
    return OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum err read_whole(int fd, struct buf *out, struct diag *diag)
{
    for (;;) {
        char *at = buf_reserve(out, 256 << 10);
        if (!at || out->size > FILE_BYTES) {
            return diag_say(diag, at ? ERR_LIMIT : ERR_MEMORY, "too large, or no memory for it");
        }
        ssize_t n = read(fd, at, 256 << 10);
        if (n == 0) {
            return OK;
        }
        if (n < 0 && errno != EINTR) {
            return diag_say(diag, ERR_IO, "%s", strerror(errno));
        }
        out->size += n > 0 ? (size_t)n : 0;
    }
}

static enum err read_file(
        const struct store *s, const char *file, struct buf *out, struct diag *diag)
{
    int fd = s->dir < 0 ? -1 : openat(s->dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return s->dir < 0 || errno == ENOENT ? ERR_NOT_FOUND
                                             : diag_say(diag, ERR_IO, "%s", strerror(errno));
    }
    enum err e = read_whole(fd, out, diag);
    close(fd);
    return e;
}

enum err store_get(struct store *store, struct store_state state, struct store_pack *pack,
        struct content *content, struct diag *diag)
{
    const char *name = state.name;
    bool previous = state.previous;
    char file[FILE_NAME];
    struct buf text = {0};
    struct diag why = {0};
    if (!store_name_valid(slice_text(name))) {
        return diag_say(diag, ERR_NOT_FOUND, "'%.80s' is no name of a pack", name);
    }
    file_name(file, slice_text(name), previous ? PREVIOUS : SUFFIX);
    enum err e = read_file(store, file, &text, &why);
    if (e == ERR_NOT_FOUND) {
        diag_say(&why, e, "%s", previous ? "no state before the last update" : "not installed");
    }
    if (e == OK) {
        e = store_text_read(buf_slice(&text), slice_text(name), pack, content, &why);
    }
    buf_fini(&text);
    if (e != OK) {
        return diag_say(diag, e, "pack %s: %s", name, why.words);
    }
    file_name(file, slice_text(name), PREVIOUS);
    pack->previous = !previous && faccessat(store->dir, file, F_OK, 0) == 0;
    return OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static enum err write_whole(int fd, struct slice bytes, struct diag *diag)
{
    while (bytes.size > 0) {
        ssize_t n = write(fd, bytes.at, bytes.size);
        if (n < 0 && errno != EINTR) {
            return refused(diag, "cannot write the pack", "");
        }
        size_t done = n > 0 ? (size_t)n : 0;
        bytes = slice_of(bytes.at + done, bytes.size - done);
    }
    return fsync(fd) == 0 ? OK : refused(diag, "cannot flush the pack", "");
}

static enum err write_aside(
        const struct store *s, const char *file, struct slice bytes, struct diag *diag)
{
    int fd = openat(s->dir, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        return refused(diag, "cannot make", file);
    }
    enum err e = write_whole(fd, bytes, diag);
    if (close(fd) != 0 && e == OK) {
        e = refused(diag, "cannot write", file);
    }
    if (e != OK) {
        (void)!unlinkat(s->dir, file, 0);
    }
    return e;
}

/* The state that is there gets a second name: at no moment is there no state. */
static enum err keep_previous(const struct store *s, struct slice name, struct diag *diag)
{
    char now[FILE_NAME], aside[FILE_NAME], previous[FILE_NAME];
    file_name(now, name, SUFFIX);
    file_name(aside, name, PREVIOUS ASIDE);
    file_name(previous, name, PREVIOUS);
    if (linkat(s->dir, now, s->dir, aside, 0) != 0) {
        return errno == ENOENT ? OK : refused(diag, "cannot keep the state before of", now);
    }
    if (renameat(s->dir, aside, s->dir, previous) != 0) {
        return refused(diag, "cannot keep the state before of", now);
    }
    return OK;
}

enum err store_put(struct store *store, const struct store_pack *pack,
        const struct content *content, struct diag *diag)
{
    char aside[FILE_NAME], now[FILE_NAME];
    struct buf text = {0};
    file_name(aside, pack->name, SUFFIX ASIDE);
    file_name(now, pack->name, SUFFIX);
    enum err e = store_name_valid(pack->name)
                         ? OK
                         : diag_say(diag, ERR_USAGE, "'%.*s' is no name for a pack",
                                   SLICE_ARG(pack->name));
    if (e == OK) {
        store_text_write(pack, content, &text);
        e = text.failed ? diag_say(diag, ERR_MEMORY, "no memory for the pack") : OK;
    }
    e = e == OK ? write_aside(store, aside, buf_slice(&text), diag) : e;
    e = e == OK ? keep_previous(store, pack->name, diag) : e;
    if (e == OK && renameat(store->dir, aside, store->dir, now) != 0) {
        e = refused(diag, "cannot put in place", now);
    }
    if (e == OK && fsync(store->dir) != 0) {
        e = refused(diag, "cannot flush the folder of packs", "");
    }
    buf_fini(&text);
    return e;
}

enum err store_remove(struct store *store, const char *name, struct diag *diag)
{
    char file[FILE_NAME];
    struct slice text = slice_text(name);
    if (!store_name_valid(text)) {
        return diag_say(diag, ERR_NOT_FOUND, "'%.80s' is no name of a pack", name);
    }
    file_name(file, text, SUFFIX);
    if (unlinkat(store->dir, file, 0) != 0) {
        return errno == ENOENT ? diag_say(diag, ERR_NOT_FOUND, "pack %s: not installed", name)
                               : refused(diag, "cannot remove", file);
    }
    file_name(file, text, PREVIOUS);
    if (unlinkat(store->dir, file, 0) != 0 && errno != ENOENT) {
        return refused(diag, "cannot remove", file);
    }
    return fsync(store->dir) == 0 ? OK : refused(diag, "cannot flush the folder of packs", "");
}
