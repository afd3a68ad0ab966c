#include "source/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/time.h"

/* Paths shown and real, of files and of folders still to walk. */
struct folder {
    struct slice path;
    struct slice real;
};

struct inputs_build {
    struct arena arena;
    size_t file_room;
    size_t problem_room;
    size_t root_room;
    struct folder *folders; /* a stack: no recursion, however deep the tree */
    size_t folder_count;
    size_t folder_room;
};

enum err inputs_new(struct inputs **out)
{
    struct inputs *inputs = memory_alloc(sizeof *inputs);
    struct inputs_build *build = memory_alloc(sizeof *build);
    if (!inputs || !build) {
        memory_free(inputs);
        memory_free(build);
        return ERR_MEMORY;
    }
    arena_init(&build->arena, INPUTS_ARENA);
    inputs->build = build;
    *out = inputs;
    return OK;
}

void inputs_free(struct inputs *inputs)
{
    if (!inputs) {
        return;
    }
    for (size_t i = 0; i < inputs->count; i++) {
        if (inputs->files[i].fd > STDERR_FILENO) {
            close(inputs->files[i].fd);
        }
    }
    arena_fini(&inputs->build->arena);
    memory_free(inputs->build->folders);
    memory_free(inputs->build);
    memory_free(inputs->files);
    memory_free(inputs->problems);
    memory_free(inputs->roots);
    memory_free(inputs);
}

/* Makes room for one more element. */
static bool grow(void **items, size_t *room, size_t count, size_t size)
{
    if (count < *room) {
        return true;
    }
    size_t more = *room ? *room * 2 : 64;
    void *grown = memory_resize(*items, more * size);
    if (!grown) {
        return false;
    }
    *items = grown;
    *room = more;
    return true;
}

static enum err add_problem(struct inputs *inputs, struct slice path, const char *reason)
{
    struct inputs_build *build = inputs->build;
    void *items = inputs->problems;
    if (!grow(&items, &build->problem_room, inputs->problem_count, sizeof *inputs->problems)) {
        return ERR_MEMORY;
    }
    inputs->problems = items;
    struct input_problem problem = {
            arena_copy(&build->arena, path), arena_copy(&build->arena, slice_text(reason))};
    if (!problem.path.at || !problem.reason.at) {
        return ERR_MEMORY;
    }
    inputs->problems[inputs->problem_count++] = problem;
    return OK;
}

static enum err add_file(struct inputs *inputs, struct input file)
{
    struct inputs_build *build = inputs->build;
    if (inputs->count >= INPUTS_LIMIT) {
        return ERR_LIMIT;
    }
    void *items = inputs->files;
    if (!grow(&items, &build->file_room, inputs->count, sizeof *inputs->files)) {
        return ERR_MEMORY;
    }
    inputs->files = items;
    inputs->files[inputs->count++] = file;
    return OK;
}

static enum err add_folder(struct inputs *inputs, struct folder folder)
{
    struct inputs_build *build = inputs->build;
    void *items = build->folders;
    if (!grow(&items, &build->folder_room, build->folder_count, sizeof *build->folders)) {
        return ERR_MEMORY;
    }
    build->folders = items;
    build->folders[build->folder_count++] = folder;
    return OK;
}

static enum err add_root(struct inputs *inputs, struct slice real)
{
    void *items = inputs->roots;
    if (!grow(&items, &inputs->build->root_room, inputs->root_count, sizeof *inputs->roots)) {
        return ERR_MEMORY;
    }
    inputs->roots = items;
    inputs->roots[inputs->root_count++] = real;
    return OK;
}

/* folder/name, in the arena, with a NUL after it. */
static struct slice join(struct arena *arena, struct slice folder, struct slice name)
{
    bool slash = folder.size > 0 && folder.at[folder.size - 1] == '/';
    size_t size = folder.size + !slash + name.size;
    char *at = arena_alloc(arena, size + 1, 1);
    if (!at) {
        return (struct slice){0};
    }
    memcpy(at, folder.at, folder.size);
    at[folder.size] = '/';
    memcpy(at + size - name.size, name.at, name.size);
    return slice_of(at, size);
}

static int64_t written_ns(const struct stat *st)
{
    int64_t ns;
    if (__builtin_mul_overflow((int64_t)st->st_mtim.tv_sec, TIME_SECOND, &ns) ||
            __builtin_add_overflow(ns, (int64_t)st->st_mtim.tv_nsec, &ns)) {
        return INT64_MIN;
    }
    return ns;
}

static enum err add_entry(
        struct inputs *inputs, DIR *handle, const struct folder *folder, const char *name)
{
    struct stat st;
    struct arena *arena = &inputs->build->arena;
    struct slice path = join(arena, folder->path, slice_text(name));
    struct slice real = join(arena, folder->real, slice_text(name));
    if (!path.at || !real.at) {
        return ERR_MEMORY;
    }
    if (fstatat(dirfd(handle), name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return add_problem(inputs, path, strerror(errno));
    }
    if (S_ISDIR(st.st_mode)) {
        return add_folder(inputs, (struct folder){path, real});
    }
    if (S_ISLNK(st.st_mode)) {
        inputs->links++;
        return OK;
    }
    if (!S_ISREG(st.st_mode)) {
        return OK; /* sockets, devices, named pipes: no evidence, and reading them may never end */
    }
    return add_file(inputs, (struct input){.path = path,
                                    .real = real,
                                    .size = (uint64_t)st.st_size,
                                    .written_ns = written_ns(&st),
                                    .regular = true,
                                    .fd = -1});
}

static enum err walk_folder(struct inputs *inputs, const struct folder *folder)
{
    DIR *handle = opendir(folder->path.at);
    if (!handle) {
        return add_problem(inputs, folder->path, strerror(errno));
    }
    enum err e = OK;
    while (e == OK) {
        errno = 0;
        const struct dirent *entry = readdir(handle);
        if (!entry) {
            if (errno != 0) {
                e = add_problem(inputs, folder->path, strerror(errno));
            }
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            e = add_entry(inputs, handle, folder, entry->d_name);
        }
    }
    closedir(handle);
    return e;
}

static enum err walk(struct inputs *inputs, struct folder folder)
{
    TRY(add_folder(inputs, folder));
    while (inputs->build->folder_count > 0) {
        struct folder next = inputs->build->folders[--inputs->build->folder_count];
        TRY(walk_folder(inputs, &next));
    }
    return OK;
}

/* A pipe or device is opened at once: it cannot be opened again behind the seal. */
static enum err add_special(struct inputs *inputs, struct slice path)
{
    int fd = open(path.at, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return add_problem(inputs, path, strerror(errno));
    }
    inputs->unknown = true;
    return add_file(inputs, (struct input){.path = path,
                                    .real = path,
                                    .written_ns = clock_wall_ns(),
                                    .named = true,
                                    .fd = fd});
}

static enum err add_stdin(struct inputs *inputs)
{
    struct stat st;
    struct input file = {.path = SLICE("-"), .named = true, .fd = STDIN_FILENO};
    if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode)) {
        file.regular = true;
        file.size = (uint64_t)st.st_size;
        file.written_ns = written_ns(&st);
    } else {
        file.written_ns = clock_wall_ns(); /* what a pipe gives was written now */
        inputs->unknown = true;
    }
    return add_file(inputs, file);
}

enum err inputs_add(struct inputs *inputs, const char *path)
{
    struct arena *arena = &inputs->build->arena;
    if (strcmp(path, "-") == 0) {
        return add_stdin(inputs);
    }
    struct slice shown = slice_text(path);
    while (shown.size > 1 && shown.at[shown.size - 1] == '/') {
        shown.size--;
    }
    shown = arena_copy(arena, shown);
    if (!shown.at) {
        return ERR_MEMORY;
    }
    struct stat st;
    char real[PATH_MAX];
    if (stat(shown.at, &st) != 0) {
        return add_problem(inputs, shown, strerror(errno));
    }
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) {
        return add_special(inputs, shown);
    }
    if (!realpath(shown.at, real)) {
        return add_problem(inputs, shown, strerror(errno));
    }
    struct slice kept = arena_copy(arena, slice_text(real));
    if (!kept.at) {
        return ERR_MEMORY;
    }
    TRY(add_root(inputs, kept));
    if (S_ISDIR(st.st_mode)) {
        return walk(inputs, (struct folder){shown, kept});
    }
    return add_file(inputs, (struct input){.path = shown,
                                    .real = kept,
                                    .size = (uint64_t)st.st_size,
                                    .written_ns = written_ns(&st),
                                    .named = true,
                                    .regular = true,
                                    .fd = -1});
}

static int by_real_then_path(const void *a, const void *b)
{
    const struct input *x = a, *y = b;
    int order = slice_compare(x->real, y->real);
    return order ? order : slice_compare(x->path, y->path);
}

static int by_path(const void *a, const void *b)
{
    const struct input *x = a, *y = b;
    return slice_compare(x->path, y->path);
}

static int problems_by_path(const void *a, const void *b)
{
    const struct input_problem *x = a, *y = b;
    return slice_compare(x->path, y->path);
}

enum err inputs_finish(struct inputs *inputs)
{
    size_t kept = 0;
    if (inputs->problem_count > 0) {
        qsort(inputs->problems, inputs->problem_count, sizeof *inputs->problems, problems_by_path);
    }
    if (inputs->count == 0) {
        return OK;
    }
    qsort(inputs->files, inputs->count, sizeof *inputs->files, by_real_then_path);
    for (size_t i = 0; i < inputs->count; i++) {
        struct input *file = &inputs->files[i];
        if (kept > 0 && slice_equal(inputs->files[kept - 1].real, file->real)) {
            /* Reached twice: the first path in byte order is shown, whoever named it. */
            inputs->files[kept - 1].named |= file->named;
            if (file->fd > STDERR_FILENO) {
                close(file->fd);
            }
            continue;
        }
        inputs->files[kept++] = *file;
    }
    inputs->count = kept;
    qsort(inputs->files, inputs->count, sizeof *inputs->files, by_path);
    for (size_t i = 0; i < inputs->count; i++) {
        inputs->bytes += inputs->files[i].size;
    }
    return OK;
}

bool inputs_open_all(struct inputs *inputs)
{
    enum { SPARE = 32 }; /* for everything else that is open */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    limit.rlim_cur = limit.rlim_max;
    if (inputs->count + SPARE > limit.rlim_max || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    for (size_t i = 0; i < inputs->count; i++) {
        struct input *file = &inputs->files[i];
        if (file->fd >= 0) {
            continue;
        }
        file->fd = open(file->path.at, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (file->fd < 0 && (errno == EMFILE || errno == ENFILE)) {
            return false;
        }
    }
    return true;
}
