#include "support/crash_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "property/dice.h"

/* How much of what is unsure becomes so. */
enum luck { NOTHING, ALL, SOME, SECTORS, ALL_BUT_ONE, FRONT, LUCKS };

static void *more(void *array, size_t *room, size_t need, size_t size)
{
    if (need <= *room) {
        return array;
    }
    *room = need * 2;
    array = realloc(array, *room * size);
    if (!array) {
        abort();
    }
    return array;
}

static void put(struct crash_bytes *bytes, uint64_t at, struct slice from)
{
    size_t end = (size_t)at + from.size;
    bytes->at = more(bytes->at, &bytes->room, end, 1);
    if (end > bytes->size) {
        memset(bytes->at + bytes->size, 0, end - bytes->size);
        bytes->size = end;
    }
    if (from.size) {
        memcpy(bytes->at + at, from.at, from.size);
    }
}

static void set_size(struct crash_bytes *bytes, size_t size)
{
    bytes->at = more(bytes->at, &bytes->room, size, 1);
    if (size > bytes->size) {
        memset(bytes->at + bytes->size, 0, size - bytes->size);
    }
    bytes->size = size;
}

static struct slice slice_bytes(const struct crash_bytes *bytes)
{
    return slice_of(bytes->at, bytes->size);
}

static struct crash_bytes copy_bytes(const struct crash_bytes *from)
{
    struct crash_bytes to = {0};
    put(&to, 0, slice_bytes(from));
    return to;
}

static void copy_names(struct crash_names *to, const struct crash_names *from)
{
    to->at = more(NULL, &to->room, from->count, sizeof *to->at);
    to->count = from->count;
    if (from->count) {
        memcpy(to->at, from->at, from->count * sizeof *to->at);
    }
}

void crash_state_copy(struct crash_state *to, const struct crash_state *from)
{
    *to = (struct crash_state){0};
    to->nodes = more(NULL, &to->node_room, from->node_count, sizeof *to->nodes);
    to->node_count = from->node_count;
    for (size_t i = 0; i < from->node_count; i++) {
        const struct crash_node *node = &from->nodes[i];
        struct crash_node *copy = &to->nodes[i];
        *copy = (struct crash_node){.directory = node->directory};
        copy->seen = copy_bytes(&node->seen);
        copy->sure = copy_bytes(&node->sure);
        copy->writes = more(NULL, &copy->room, node->count, sizeof *copy->writes);
        copy->count = node->count;
        for (size_t w = 0; w < node->count; w++) {
            copy->writes[w].at = node->writes[w].at;
            copy->writes[w].bytes = copy_bytes(&node->writes[w].bytes);
        }
    }
    copy_names(&to->seen, &from->seen);
    copy_names(&to->sure, &from->sure);
    to->changes = more(NULL, &to->change_room, from->change_count, sizeof *to->changes);
    to->change_count = from->change_count;
    if (from->change_count) {
        memcpy(to->changes, from->changes, from->change_count * sizeof *to->changes);
    }
}

static void forget_writes(struct crash_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        free(node->writes[i].bytes.at);
    }
    node->count = 0;
}

void crash_state_fini(struct crash_state *state)
{
    for (size_t i = 0; i < state->node_count; i++) {
        forget_writes(&state->nodes[i]);
        free(state->nodes[i].writes);
        free(state->nodes[i].seen.at);
        free(state->nodes[i].sure.at);
    }
    free(state->nodes);
    free(state->seen.at);
    free(state->sure.at);
    free(state->changes);
    *state = (struct crash_state){0};
}

/* ---- names -------------------------------------------------------------------------------- */

static struct crash_name *find(const struct crash_names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->at[i].path, path) == 0) {
            return &names->at[i];
        }
    }
    return NULL;
}

static void set_path(char *to, const char *path)
{
    int n = snprintf(to, CRASH_STATE_PATH, "%s", path);
    assert(n >= 0 && n < CRASH_STATE_PATH);
}

static void set_name(struct crash_names *names, const char *path, uint32_t node)
{
    struct crash_name *name = find(names, path);
    if (!name) {
        names->at = more(names->at, &names->room, names->count + 1, sizeof *names->at);
        name = &names->at[names->count++];
        set_path(name->path, path);
    }
    name->node = node;
}

static void drop_name(struct crash_names *names, const char *path, uint32_t node)
{
    struct crash_name *name = find(names, path);
    if (name && name->node == node) {
        *name = names->at[--names->count];
    }
}

static void change(struct crash_names *names, const struct crash_change *change)
{
    if (change->from[0]) {
        drop_name(names, change->from, change->node);
    }
    if (change->to[0]) {
        set_name(names, change->to, change->node);
    }
}

static void change_now(struct crash_state *state, const char *from, const char *to, uint32_t node)
{
    state->changes = more(
            state->changes, &state->change_room, state->change_count + 1, sizeof *state->changes);
    struct crash_change *made = &state->changes[state->change_count++];
    set_path(made->from, from);
    set_path(made->to, to);
    made->node = node;
    change(&state->seen, made);
}

uint32_t crash_state_find(const struct crash_state *state, const char *path)
{
    const struct crash_name *name = find(&state->seen, path);
    return name ? name->node : UINT32_MAX;
}

void crash_state_above(char above[CRASH_STATE_PATH], const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(above, CRASH_STATE_PATH, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
}

uint32_t crash_state_create(struct crash_state *state, const char *path, bool directory)
{
    state->nodes =
            more(state->nodes, &state->node_room, state->node_count + 1, sizeof *state->nodes);
    uint32_t node = (uint32_t)state->node_count++;
    state->nodes[node] = (struct crash_node){.directory = directory};
    change_now(state, "", path, node);
    return node;
}

void crash_state_rename(struct crash_state *state, const char *from, const char *to)
{
    change_now(state, from, to, crash_state_find(state, from));
}

void crash_state_remove(struct crash_state *state, const char *path)
{
    change_now(state, path, "", crash_state_find(state, path));
}

void crash_state_sync_names(struct crash_state *state, const char *directory)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->change_count; i++) {
        const struct crash_change *made = &state->changes[i];
        char above[CRASH_STATE_PATH];
        crash_state_above(above, made->to[0] ? made->to : made->from);
        if (strcmp(above, directory) == 0) {
            change(&state->sure, made);
        } else {
            state->changes[kept++] = *made;
        }
    }
    state->change_count = kept;
}

/* ---- bytes -------------------------------------------------------------------------------- */

void crash_state_write(struct crash_state *state, uint32_t node, uint64_t at, struct slice bytes)
{
    struct crash_node *file = &state->nodes[node];
    put(&file->seen, at, bytes);
    file->writes = more(file->writes, &file->room, file->count + 1, sizeof *file->writes);
    struct crash_write *write = &file->writes[file->count++];
    *write = (struct crash_write){.at = at};
    put(&write->bytes, 0, bytes);
}

void crash_state_sync(struct crash_state *state, uint32_t node)
{
    struct crash_node *file = &state->nodes[node];
    for (size_t i = 0; i < file->count; i++) {
        put(&file->sure, file->writes[i].at, slice_bytes(&file->writes[i].bytes));
    }
    forget_writes(file);
}

/* The sectors of one write that `lucky` says are there. */
static void put_sectors(
        struct crash_bytes *to, const struct crash_write *write, enum luck luck, struct dice *dice)
{
    uint64_t end = write->at + write->bytes.size, at = write->at;
    uint64_t sectors =
            (end + CRASH_STATE_SECTOR - 1) / CRASH_STATE_SECTOR - at / CRASH_STATE_SECTOR;
    uint32_t chosen = dice_below(dice, (uint32_t)(sectors ? sectors : 1));
    bool whole = dice_one_in(dice, 2);
    for (uint32_t i = 0; at < end; i++) {
        uint64_t next = (at / CRASH_STATE_SECTOR + 1) * CRASH_STATE_SECTOR;
        next = next < end ? next : end;
        bool there = luck == ALL || (luck == SOME && whole) ||
                     (luck == SECTORS && dice_one_in(dice, 2)) ||
                     (luck == ALL_BUT_ONE && i != chosen) || (luck == FRONT && i < chosen);
        if (there) {
            put(to, at, slice_of(write->bytes.at + (at - write->at), (size_t)(next - at)));
        }
        at = next;
    }
}

static enum luck throw_luck(struct dice *dice, uint64_t seed)
{
    return seed == 0 ? NOTHING : seed == 1 ? ALL : (enum luck)dice_below(dice, LUCKS);
}

static void put_some(struct crash_node *file, struct dice *dice, uint64_t seed)
{
    size_t old = file->sure.size;
    enum luck luck = throw_luck(dice, seed);
    for (size_t i = 0; i < file->count; i++) {
        put_sectors(&file->sure, &file->writes[i], luck, dice);
    }
    if (seed > 1 && file->count) {
        switch (dice_below(dice, 4)) {
        case 0:
            set_size(&file->sure, old);
            break;
        case 1:
            if (file->seen.size > file->sure.size) {
                set_size(&file->sure, file->seen.size);
            }
            break;
        default:
            break;
        }
    }
    forget_writes(file);
}

void crash_state_lose(struct crash_state *state, uint32_t node, uint64_t seed)
{
    struct dice dice = dice_of(seed);
    put_some(&state->nodes[node], &dice, seed);
}

/* ---- the crash ---------------------------------------------------------------------------- */

/* A name whose directory is not there cannot be reached. */
static bool reachable(const struct crash_names *names, const char *path)
{
    char above[CRASH_STATE_PATH];
    set_path(above, path);
    for (;;) {
        char next[CRASH_STATE_PATH];
        crash_state_above(next, above);
        if (strcmp(next, ".") == 0) {
            return true;
        }
        if (!find(names, next)) {
            return false;
        }
        set_path(above, next);
    }
}

static void drop_unreachable(struct crash_names *names)
{
    for (size_t i = 0; i < names->count;) {
        if (reachable(names, names->at[i].path)) {
            i++;
        } else {
            names->at[i] = names->at[--names->count];
            i = 0;
        }
    }
}

void crash_state_crash(struct crash_state *state, uint64_t seed)
{
    struct dice dice = dice_of(seed);
    for (size_t i = 0; i < state->node_count; i++) {
        struct crash_node *file = &state->nodes[i];
        put_some(file, &dice, seed);
        file->seen.size = 0;
        put(&file->seen, 0, slice_bytes(&file->sure));
    }
    enum luck luck = throw_luck(&dice, seed);
    size_t cut = state->change_count ? dice_below(&dice, (uint32_t)state->change_count + 1) : 0;
    for (size_t i = 0; i < state->change_count; i++) {
        bool there = luck == ALL || (luck == FRONT && i < cut) ||
                     (luck == ALL_BUT_ONE && i != cut) ||
                     ((luck == SOME || luck == SECTORS) && dice_one_in(&dice, 2));
        if (there) {
            change(&state->sure, &state->changes[i]);
        }
    }
    state->change_count = 0;
    drop_unreachable(&state->sure);
    free(state->seen.at);
    state->seen = (struct crash_names){0};
    copy_names(&state->seen, &state->sure);
}

uint64_t crash_state_used(const struct crash_state *state)
{
    uint64_t used = 0;
    for (size_t i = 0; i < state->seen.count; i++) {
        used += state->nodes[state->seen.at[i].node].seen.size;
    }
    return used;
}
