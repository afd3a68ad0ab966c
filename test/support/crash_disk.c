#include "support/crash_disk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "property/dice.h"
#include "support/crash_state.h"

enum { HANDLES = 256, NO_NODE = -1 };

/* One call, with what is needed to do it again. */
struct call {
    enum crash_disk_kind kind;
    bool done; /* it had its effect, or the part that `bytes` says */
    uint32_t node;
    uint64_t at;
    char from[CRASH_STATE_PATH], to[CRASH_STATE_PATH];
    struct crash_bytes bytes;
};

struct handle {
    int64_t node;
    bool lock;
};

struct crash_disk {
    struct disk calls;
    struct crash_state first, now;
    struct call *record;
    size_t count, room;
    struct handle handles[HANDLES];
    uint64_t nth, more; /* calls until failing starts, and how many fail then */
    uint64_t kind_nth;
    enum crash_disk_kind kind;
    enum err failure, kind_failure;
    uint64_t limit;
    bool frozen;
    struct call nothing;
};

static struct crash_disk *of(const struct disk *disk)
{
    return disk->context;
}

/* ---- the record --------------------------------------------------------------------------- */

static struct call *remember(struct crash_disk *disk, enum crash_disk_kind kind)
{
    if (disk->count == disk->room) {
        disk->room = disk->room ? disk->room * 2 : 64;
        disk->record = realloc(disk->record, disk->room * sizeof *disk->record);
        if (!disk->record) {
            abort();
        }
    }
    struct call *call = &disk->record[disk->count++];
    *call = (struct call){.kind = kind};
    return call;
}

/* The seed of what a failing call leaves: the same each time that the record is gone through. */
static uint64_t seed_of(size_t index)
{
    return index * 0x9E3779B97F4A7C15u + 2;
}

static void repeat_name(struct crash_state *state, const struct call *call)
{
    switch (call->kind) {
    case CRASH_DISK_CREATE:
    case CRASH_DISK_LOCK:
    case CRASH_DISK_MAKE_DIRECTORY:
        crash_state_create(state, call->to, call->kind == CRASH_DISK_MAKE_DIRECTORY);
        break;
    case CRASH_DISK_SYNC_DIRECTORY:
        crash_state_sync_names(state, call->to);
        break;
    case CRASH_DISK_RENAME:
        crash_state_rename(state, call->from, call->to);
        break;
    case CRASH_DISK_REMOVE:
        crash_state_remove(state, call->from);
        break;
    default:
        break;
    }
}

static void repeat(struct crash_state *state, const struct call *call, size_t index)
{
    switch (call->kind) {
    case CRASH_DISK_WRITE:
        if (call->bytes.size) {
            crash_state_write(
                    state, call->node, call->at, slice_of(call->bytes.at, call->bytes.size));
        }
        break;
    case CRASH_DISK_SYNC:
        if (call->done) {
            crash_state_sync(state, call->node);
        } else if (call->node != UINT32_MAX) {
            crash_state_lose(state, call->node, seed_of(index));
        }
        break;
    default:
        if (call->done) {
            repeat_name(state, call);
        }
        break;
    }
}

static void path_to(char *to, const char *path)
{
    int n = snprintf(to, CRASH_STATE_PATH, "%s", path);
    assert(n >= 0 && n < CRASH_STATE_PATH);
}

/* ---- failing ------------------------------------------------------------------------------ */

static enum err planned(struct crash_disk *disk, enum crash_disk_kind kind)
{
    if (disk->kind_nth && disk->kind == kind && --disk->kind_nth == 0) {
        return disk->kind_failure;
    }
    if (disk->nth > 1) {
        disk->nth--;
    } else if (disk->nth == 1) {
        disk->nth = disk->more ? 1 : 0;
        disk->more -= disk->more ? 1 : 0;
        return disk->failure;
    }
    return OK;
}

static enum err say(struct diag *diag, enum err e)
{
    return diag_say(diag, e, "%s", e == ERR_LIMIT ? "No space left on device" : "planned failure");
}

/* Remembers the call; what it is to fail with, or OK. */
static enum err begin(
        struct crash_disk *disk, enum crash_disk_kind kind, struct call **call, struct diag *diag)
{
    *call = disk->frozen ? &disk->nothing : remember(disk, kind);
    **call = (struct call){.kind = kind, .node = UINT32_MAX};
    if (disk->frozen) {
        return diag_say(diag, ERR_IO, "frozen");
    }
    enum err e = planned(disk, kind);
    return e == OK ? OK : say(diag, e);
}

/* ---- handles ------------------------------------------------------------------------------ */

static int take_handle(struct crash_disk *disk, uint32_t node, bool lock)
{
    for (int i = 0; i < HANDLES; i++) {
        if (disk->handles[i].node == NO_NODE) {
            disk->handles[i] = (struct handle){node, lock};
            return i;
        }
    }
    abort(); /* a leak of handles */
}

static struct crash_node *node_of(struct crash_disk *disk, int file)
{
    assert(file >= 0 && file < HANDLES && disk->handles[file].node != NO_NODE);
    return &disk->now.nodes[disk->handles[file].node];
}

static bool held(const struct crash_disk *disk, uint32_t node)
{
    for (int i = 0; i < HANDLES; i++) {
        if (disk->handles[i].node == (int64_t)node && disk->handles[i].lock) {
            return true;
        }
    }
    return false;
}

static bool has_directory(const struct crash_disk *disk, const char *path)
{
    uint32_t node = crash_state_find(&disk->now, path);
    return strcmp(path, ".") == 0 || (node != UINT32_MAX && disk->now.nodes[node].directory);
}

static bool above_there(const struct crash_disk *disk, const char *path)
{
    char above[CRASH_STATE_PATH];
    crash_state_above(above, path);
    return has_directory(disk, above);
}

/* ---- the calls ---------------------------------------------------------------------------- */

static enum err make(struct crash_disk *disk, struct call *call, const char *path)
{
    path_to(call->to, path);
    call->done = true;
    repeat(&disk->now, call, disk->count - 1);
    return OK;
}

static enum err do_create(const struct disk *calls, const char *path, int *file, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    TRY(begin(disk, CRASH_DISK_CREATE, &call, diag));
    if (!above_there(disk, path)) {
        return diag_say(diag, ERR_NOT_FOUND, "%s: no such directory", path);
    }
    if (crash_state_find(&disk->now, path) != UINT32_MAX) {
        return diag_say(diag, ERR_IO, "%s: File exists", path);
    }
    TRY(make(disk, call, path));
    *file = take_handle(disk, crash_state_find(&disk->now, path), false);
    return OK;
}

static enum err do_open(const struct disk *calls, const char *path, int *file, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    TRY(begin(disk, CRASH_DISK_OPEN, &call, diag));
    uint32_t node = crash_state_find(&disk->now, path);
    if (node == UINT32_MAX) {
        return diag_say(diag, ERR_NOT_FOUND, "%s: No such file", path);
    }
    *file = take_handle(disk, node, false);
    return OK;
}

static enum err do_lock(const struct disk *calls, const char *path, int *file, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    TRY(begin(disk, CRASH_DISK_LOCK, &call, diag));
    uint32_t node = crash_state_find(&disk->now, path);
    if (node == UINT32_MAX) {
        TRY(make(disk, call, path));
        node = crash_state_find(&disk->now, path);
    }
    if (held(disk, node)) {
        return diag_say(diag, ERR_USAGE, "%s: another process has it open", path);
    }
    *file = take_handle(disk, node, true);
    return OK;
}

static void do_close(const struct disk *calls, int file)
{
    node_of(of(calls), file);
    of(calls)->handles[file].node = NO_NODE;
}

static enum err do_read(
        const struct disk *calls, int file, uint64_t at, struct disk_read *read, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    const struct crash_node *node = node_of(disk, file);
    TRY(begin(disk, CRASH_DISK_READ, &call, diag));
    size_t there = at < node->seen.size ? node->seen.size - (size_t)at : 0;
    read->got = there < read->size ? there : read->size;
    if (read->got) {
        memcpy(read->to, node->seen.at + at, read->got);
    }
    return OK;
}

/* How much of the write there is room for. */
static size_t room_for(const struct crash_disk *disk, int file, uint64_t at, size_t size)
{
    const struct crash_node *node = &disk->now.nodes[disk->handles[file].node];
    uint64_t used = crash_state_used(&disk->now), end = at + size;
    uint64_t more = end > node->seen.size ? end - node->seen.size : 0;
    uint64_t room = disk->limit > used ? disk->limit - used : 0;
    uint64_t over = more > room ? more - room : 0;
    return over < size ? size - (size_t)over : 0;
}

static enum err do_write(
        const struct disk *calls, int file, uint64_t at, struct slice bytes, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    node_of(disk, file);
    enum err e = begin(disk, CRASH_DISK_WRITE, &call, diag);
    size_t size = bytes.size;
    if (disk->frozen) {
        return e;
    }
    if (e != OK) {
        struct dice dice = dice_of(seed_of(disk->count - 1));
        size = dice_below(&dice, (uint32_t)size + 1);
    }
    size_t fits = room_for(disk, file, at, size);
    if (fits < size && e == OK) {
        e = say(diag, ERR_LIMIT);
    }
    size = fits < size ? fits : size;
    call->node = (uint32_t)disk->handles[file].node;
    call->at = at;
    if (size) {
        call->bytes = (struct crash_bytes){malloc(size), size, size};
        if (!call->bytes.at) {
            abort();
        }
        memcpy(call->bytes.at, bytes.at, size);
    }
    call->done = e == OK;
    repeat(&disk->now, call, disk->count - 1);
    return e;
}

static enum err do_sync(const struct disk *calls, int file, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    node_of(disk, file);
    enum err e = begin(disk, CRASH_DISK_SYNC, &call, diag);
    if (disk->frozen) {
        return e;
    }
    call->node = (uint32_t)disk->handles[file].node;
    call->done = e == OK;
    repeat(&disk->now, call, disk->count - 1);
    return e;
}

static enum err do_size(const struct disk *calls, int file, uint64_t *size, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    const struct crash_node *node = node_of(disk, file);
    TRY(begin(disk, CRASH_DISK_SIZE, &call, diag));
    *size = node->seen.size;
    return OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err do_list(const struct disk *calls, const char *directory, struct arena *arena,
        struct disk_names *names, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    TRY(begin(disk, CRASH_DISK_LIST, &call, diag));
    if (!has_directory(disk, directory)) {
        return diag_say(diag, ERR_NOT_FOUND, "%s: No such directory", directory);
    }
    const struct crash_names *seen = &disk->now.seen;
    const char **at = ARENA_ARRAY(arena, const char *, seen->count);
    size_t count = 0;
    for (size_t i = 0; at && i < seen->count; i++) {
        char above[CRASH_STATE_PATH];
        const char *path = seen->at[i].path, *slash = strrchr(path, '/');
        crash_state_above(above, path);
        if (strcmp(above, directory) == 0) {
            struct slice copy = arena_copy(arena, slice_text(slash ? slash + 1 : path));
            if (!copy.at) {
                return ERR_MEMORY;
            }
            at[count++] = copy.at;
        }
    }
    if (!at) {
        return ERR_MEMORY;
    }
    if (count) {
        qsort(at, count, sizeof *at, compare_names);
    }
    *names = (struct disk_names){at, count};
    return OK;
}

static enum err do_make_directory(const struct disk *calls, const char *path, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    TRY(begin(disk, CRASH_DISK_MAKE_DIRECTORY, &call, diag));
    if (has_directory(disk, path)) {
        return OK;
    }
    if (!above_there(disk, path)) {
        return diag_say(diag, ERR_NOT_FOUND, "%s: No such directory above it", path);
    }
    return make(disk, call, path);
}

static enum err do_sync_directory(const struct disk *calls, const char *path, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    TRY(begin(disk, CRASH_DISK_SYNC_DIRECTORY, &call, diag));
    if (!has_directory(disk, path)) {
        return diag_say(diag, ERR_NOT_FOUND, "%s: No such directory", path);
    }
    return make(disk, call, path);
}

static enum err do_rename(
        const struct disk *calls, const char *from, const char *to, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    TRY(begin(disk, CRASH_DISK_RENAME, &call, diag));
    if (crash_state_find(&disk->now, from) == UINT32_MAX) {
        return diag_say(diag, ERR_NOT_FOUND, "%s: No such file", from);
    }
    path_to(call->from, from);
    return make(disk, call, to);
}

static enum err do_remove(const struct disk *calls, const char *path, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    TRY(begin(disk, CRASH_DISK_REMOVE, &call, diag));
    if (crash_state_find(&disk->now, path) == UINT32_MAX) {
        return diag_say(diag, ERR_NOT_FOUND, "%s: No such file", path);
    }
    path_to(call->from, path);
    return make(disk, call, "");
}

static enum err do_room(
        const struct disk *calls, const char *directory, uint64_t *bytes, struct diag *diag)
{
    struct crash_disk *disk = of(calls);
    struct call *call;
    (void)directory;
    TRY(begin(disk, CRASH_DISK_ROOM, &call, diag));
    uint64_t used = crash_state_used(&disk->now);
    *bytes = disk->limit > used ? disk->limit - used : 0;
    return OK;
}

/* ---- the disk ----------------------------------------------------------------------------- */

struct crash_disk *crash_disk_new(void)
{
    struct crash_disk *disk = calloc(1, sizeof *disk);
    if (!disk) {
        abort();
    }
    disk->calls = (struct disk){.context = disk,
            .create = do_create,
            .open = do_open,
            .lock = do_lock,
            .close = do_close,
            .read = do_read,
            .write = do_write,
            .sync = do_sync,
            .size = do_size,
            .list = do_list,
            .make_directory = do_make_directory,
            .sync_directory = do_sync_directory,
            .rename = do_rename,
            .remove = do_remove,
            .room = do_room};
    disk->limit = UINT64_MAX;
    crash_disk_kill(disk);
    return disk;
}

void crash_disk_free(struct crash_disk *disk)
{
    for (size_t i = 0; i < disk->count; i++) {
        free(disk->record[i].bytes.at);
    }
    free(disk->record);
    crash_state_fini(&disk->first);
    crash_state_fini(&disk->now);
    free(disk);
}

const struct disk *crash_disk_calls(struct crash_disk *disk)
{
    return &disk->calls;
}

uint64_t crash_disk_count(const struct crash_disk *disk)
{
    return disk->count;
}

enum crash_disk_kind crash_disk_kind_at(const struct crash_disk *disk, uint64_t call)
{
    assert(call < disk->count);
    return disk->record[call].kind;
}

const char *crash_disk_kind_name(enum crash_disk_kind kind)
{
    static const char *const names[] = {"create", "open", "lock", "read", "write", "sync", "size",
            "list", "make_directory", "sync_directory", "rename", "remove", "room"};
    return kind < CRASH_DISK_KINDS ? names[kind] : "?";
}

struct crash_disk *crash_disk_crash(const struct crash_disk *disk, uint64_t point, uint64_t seed)
{
    assert(point <= disk->count);
    struct crash_disk *after = crash_disk_new();
    crash_state_copy(&after->now, &disk->first);
    for (size_t i = 0; i < point; i++) {
        repeat(&after->now, &disk->record[i], i);
    }
    crash_state_crash(&after->now, seed);
    crash_state_copy(&after->first, &after->now);
    return after;
}

void crash_disk_kill(struct crash_disk *disk)
{
    for (int i = 0; i < HANDLES; i++) {
        disk->handles[i] = (struct handle){.node = NO_NODE};
    }
}

void crash_disk_freeze(struct crash_disk *disk, bool frozen)
{
    disk->frozen = frozen;
}

void crash_disk_fail(struct crash_disk *disk, uint64_t nth, uint64_t more, enum err e)
{
    disk->nth = nth;
    disk->more = more;
    disk->failure = e;
}

void crash_disk_fail_kind(
        struct crash_disk *disk, enum crash_disk_kind kind, uint64_t nth, enum err e)
{
    disk->kind = kind;
    disk->kind_nth = nth;
    disk->kind_failure = e;
}

void crash_disk_limit(struct crash_disk *disk, uint64_t bytes)
{
    disk->limit = bytes;
}

struct slice crash_disk_file(const struct crash_disk *disk, const char *path)
{
    uint32_t node = crash_state_find(&disk->now, path);
    if (node == UINT32_MAX) {
        return (struct slice){0};
    }
    const struct crash_bytes *seen = &disk->now.nodes[node].seen;
    return slice_of(seen->at ? seen->at : "", seen->size);
}

static void put_in(struct crash_state *state, const char *path, struct slice bytes)
{
    char above[CRASH_STATE_PATH], part[CRASH_STATE_PATH];
    crash_state_above(above, path);
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (crash_state_find(state, part) == UINT32_MAX) {
            char parent[CRASH_STATE_PATH];
            crash_state_create(state, part, true);
            crash_state_above(parent, part);
            crash_state_sync_names(state, parent);
        }
    }
    if (crash_state_find(state, path) != UINT32_MAX) {
        crash_state_remove(state, path);
    }
    uint32_t node = crash_state_create(state, path, false);
    crash_state_write(state, node, 0, bytes);
    crash_state_sync(state, node);
    crash_state_sync_names(state, above);
}

void crash_disk_put(struct crash_disk *disk, const char *path, struct slice bytes)
{
    assert(disk->count == 0); /* the record begins with what is put */
    put_in(&disk->first, path, bytes);
    put_in(&disk->now, path, bytes);
}
