#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

struct waiting {
    const char *path;
    unsigned depth;
};

struct walk {
    struct arena *arena;
    const char *const *suffixes;
    const char **paths;
    size_t count, room;
    struct waiting *waiting; /* directories not yet read */
    size_t waiting_count, waiting_room;
    struct files_refusal *refusals;
    size_t refusal_count, refusal_room;
    struct diag *diag;
};

static enum err say_errno(struct diag *diag, const char *path)
{
    char words[128];
    int number = errno;
    return diag_say(diag, number == ENOMEM ? ERR_MEMORY : ERR_IO, "%s: %s", path,
            strerror_r(number, words, sizeof words));
}

static enum err read_all(int fd, const char *path, size_t limit, struct buf *out, struct diag *diag)
{
    struct stat status;
    size_t expect = 0;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        if (status.st_size < 0 || (uint64_t)status.st_size > limit) {
            return diag_say(diag, ERR_LIMIT, "%s: larger than %zu bytes", path, limit);
        }
        expect = (size_t)status.st_size;
    } else if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return say_errno(diag, path);
    }
    for (;;) {
        size_t want = expect > out->size ? expect - out->size + 1 : 64 * 1024;
        char *to = buf_reserve(out, want);
        if (!to) {
            return diag_say(diag, ERR_MEMORY, "%s: no memory", path);
        }
        ssize_t n = read(fd, to, want);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return say_errno(diag, path);
        }
        if (n == 0) {
            return OK;
        }
        out->size += (size_t)n;
        if (out->size > limit) {
            return diag_say(diag, ERR_LIMIT, "%s: larger than %zu bytes", path, limit);
        }
    }
}

enum err files_read(const char *path, size_t limit, struct buf *out, struct diag *diag)
{
    buf_clear(out);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return say_errno(diag, path);
    }
    enum err e = read_all(fd, path, limit, out, diag);
    close(fd);
    return e;
}

int files_compare(const char *a, const char *b)
{
    return strcmp(a, b);
}

static int compare_paths(const void *a, const void *b)
{
    return files_compare(*(const char *const *)a, *(const char *const *)b);
}

static bool suffix_fits(const char *const *suffixes, const char *name)
{
    if (!suffixes) {
        return true;
    }
    size_t size = strlen(name);
    for (; *suffixes; suffixes++) {
        size_t n = strlen(*suffixes);
        if (size > n && slice_equal_nocase(slice_of(name + size - n, n), slice_of(*suffixes, n))) {
            return true;
        }
    }
    return false;
}

static const char *join(struct arena *arena, const char *directory, const char *name)
{
    size_t a = strlen(directory), b = strlen(name);
    size_t slash = a > 0 && directory[a - 1] != '/';
    char *path = arena_alloc(arena, a + slash + b + 1, 1);
    if (path) {
        memcpy(path, directory, a);
        path[a] = '/'; /* overwritten where there is one */
        memcpy(path + a + slash, name, b);
        path[a + slash + b] = '\0';
    }
    return path;
}

/* Room for one more item of `size` bytes; the array, or NULL. */
static void *grow(void *items, size_t *room, size_t count, size_t size)
{
    if (count < *room) {
        return items;
    }
    size_t more = *room ? *room * 2 : 64;
    void *grown = memory_resize(items, more * size);
    if (grown) {
        *room = more;
    }
    return grown;
}

static enum err add_file(struct walk *walk, const char *path)
{
    if (walk->count >= FILES_COUNT) {
        return diag_say(walk->diag, ERR_LIMIT, "%s: more than %d files", path, (int)FILES_COUNT);
    }
    const char **paths = grow(walk->paths, &walk->room, walk->count, sizeof *paths);
    if (!paths) {
        return ERR_MEMORY;
    }
    walk->paths = paths;
    walk->paths[walk->count++] = path;
    return OK;
}

static enum err add_directory(struct walk *walk, const char *path, unsigned depth)
{
    struct waiting *waiting =
            grow(walk->waiting, &walk->waiting_room, walk->waiting_count, sizeof *waiting);
    if (!waiting) {
        return ERR_MEMORY;
    }
    walk->waiting = waiting;
    walk->waiting[walk->waiting_count++] = (struct waiting){path, depth};
    return OK;
}

static enum err add_refusal(struct walk *walk, const char *path, const char *reason)
{
    struct slice copy = arena_copy(walk->arena, slice_text(reason));
    struct files_refusal *refusals =
            grow(walk->refusals, &walk->refusal_room, walk->refusal_count, sizeof *refusals);
    if (refusals) {
        walk->refusals = refusals;
    }
    if (!refusals || !copy.at) {
        return ERR_MEMORY;
    }
    walk->refusals[walk->refusal_count++] = (struct files_refusal){path, copy.at};
    return OK;
}

enum kind { KIND_OTHER, KIND_FILE, KIND_DIRECTORY };

/* What a directory's entry is; a link counts as what it leads to only when that is a file. */
static enum kind entry_kind(int directory, const struct dirent *entry)
{
    if (entry->d_type == DT_REG) {
        return KIND_FILE;
    }
    if (entry->d_type == DT_DIR) {
        return KIND_DIRECTORY;
    }
    struct stat status;
    if (entry->d_type == DT_UNKNOWN &&
            fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(status.st_mode)) {
        return KIND_DIRECTORY;
    }
    bool known = fstatat(directory, entry->d_name, &status, 0) == 0;
    return known && S_ISREG(status.st_mode) ? KIND_FILE : KIND_OTHER;
}

static enum err add_entry(
        struct walk *walk, int directory, const struct waiting *parent, const struct dirent *entry)
{
    enum kind kind = entry_kind(directory, entry);
    if (kind == KIND_OTHER || (kind == KIND_FILE && !suffix_fits(walk->suffixes, entry->d_name))) {
        return OK;
    }
    const char *child = join(walk->arena, parent->path, entry->d_name);
    if (!child) {
        return ERR_MEMORY;
    }
    if (kind == KIND_FILE) {
        return add_file(walk, child);
    }
    if (parent->depth + 1 > FILES_DEPTH) {
        return add_refusal(walk, child, "directories nested too deeply");
    }
    return add_directory(walk, child, parent->depth + 1);
}

static enum err read_directory(struct walk *walk, struct waiting at)
{
    DIR *directory = opendir(at.path);
    if (!directory) {
        char words[128];
        if (at.depth == 0) {
            return say_errno(walk->diag, at.path);
        }
        return add_refusal(walk, at.path, strerror_r(errno, words, sizeof words));
    }
    enum err e = OK;
    const struct dirent *entry;
    while (e == OK && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] != '.') {
            e = add_entry(walk, dirfd(directory), &at, entry);
        }
    }
    closedir(directory);
    return e;
}

static enum err walk_all(struct walk *walk, const char *path, struct files_list *out)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return say_errno(walk->diag, path);
    }
    out->is_directory = S_ISDIR(status.st_mode);
    struct slice copy = arena_copy(walk->arena, slice_text(path));
    if (!copy.at) {
        return ERR_MEMORY;
    }
    if (!out->is_directory) {
        return add_file(walk, copy.at);
    }
    TRY(add_directory(walk, copy.at, 0));
    while (walk->waiting_count > 0) {
        TRY(read_directory(walk, walk->waiting[--walk->waiting_count]));
    }
    return OK;
}

static enum err keep(struct walk *walk, struct files_list *list)
{
    list->count = walk->count;
    list->refusal_count = walk->refusal_count;
    list->paths = ARENA_ARRAY(walk->arena, const char *, walk->count);
    list->refusals = ARENA_ARRAY(walk->arena, struct files_refusal, walk->refusal_count);
    if (!list->paths || !list->refusals) {
        return ERR_MEMORY;
    }
    if (walk->count) {
        memcpy(list->paths, walk->paths, walk->count * sizeof *walk->paths);
        qsort(list->paths, list->count, sizeof *list->paths, compare_paths);
    }
    if (walk->refusal_count) {
        memcpy(list->refusals, walk->refusals, walk->refusal_count * sizeof *walk->refusals);
    }
    return OK;
}

enum err files_walk(struct arena *arena, const char *path, const char *const *suffixes,
        struct files_list *out, struct diag *diag)
{
    struct walk walk = {.arena = arena, .suffixes = suffixes, .diag = diag};
    struct files_list list = {0};
    enum err e = walk_all(&walk, path, &list);
    if (e == OK) {
        e = keep(&walk, &list);
    }
    if (e == OK) {
        *out = list;
    }
    memory_free(walk.paths);
    memory_free(walk.waiting);
    memory_free(walk.refusals);
    return e;
}
