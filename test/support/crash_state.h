/* crash_state: files and names as they can be read now, and as they are sure to be after a crash;
 * crash_disk.h says what is legal.
 *
 *     struct crash_state state = {0};
 *     uint32_t node = crash_state_create(&state, "log/a", false);
 *     crash_state_write(&state, node, 0, SLICE("bytes"));
 *     crash_state_sync(&state, node);
 *     crash_state_sync_names(&state, "log");
 *     crash_state_crash(&state, seed);        // now everything in it is sure
 *     crash_state_fini(&state);
 *
 * Aborts where memory is refused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { CRASH_STATE_PATH = 120, CRASH_STATE_SECTOR = 512 };

struct crash_bytes {
    char *at;
    size_t size, room;
};

struct crash_write {
    uint64_t at;
    struct crash_bytes bytes;
};

struct crash_node {
    bool directory;
    struct crash_bytes seen, sure;
    struct crash_write *writes; /* since the last sync */
    size_t count, room;
};

struct crash_name {
    char path[CRASH_STATE_PATH];
    uint32_t node;
};

struct crash_names {
    struct crash_name *at;
    size_t count, room;
};

/* A name made (from: ""), renamed, or removed (to: ""). */
struct crash_change {
    char from[CRASH_STATE_PATH], to[CRASH_STATE_PATH];
    uint32_t node;
};

struct crash_state {
    struct crash_node *nodes;
    size_t node_count, node_room;
    struct crash_names seen, sure;
    struct crash_change *changes; /* since the last sync of their directory */
    size_t change_count, change_room;
};

void crash_state_copy(struct crash_state *to, const struct crash_state *from); /* into {0} */
void crash_state_fini(struct crash_state *state);
/* The node of a name that can be read, or UINT32_MAX. */
uint32_t crash_state_find(const struct crash_state *state, const char *path);
/* The directory that holds the name: "." where it has no slash. */
void crash_state_above(char above[CRASH_STATE_PATH], const char *path);
uint32_t crash_state_create(struct crash_state *state, const char *path, bool directory);
void crash_state_write(struct crash_state *state, uint32_t node, uint64_t at, struct slice bytes);
void crash_state_sync(struct crash_state *state, uint32_t node);
/* A sync that fails: some sectors become sure, none of the rest ever will. */
void crash_state_lose(struct crash_state *state, uint32_t node, uint64_t seed);
void crash_state_rename(struct crash_state *state, const char *from, const char *to);
void crash_state_remove(struct crash_state *state, const char *path);
void crash_state_sync_names(struct crash_state *state, const char *directory);
void crash_state_crash(struct crash_state *state, uint64_t seed);
/* Bytes of all files that have a name. */
uint64_t crash_state_used(const struct crash_state *state);
