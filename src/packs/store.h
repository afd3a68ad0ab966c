/* store: installed rule packs: a file each in a data directory, pinned by digest.
 *
 *     struct store store;
 *     TRY(store_open(&store, "/var/lib/merlon", STORE_WRITE, diag));
 *     TRY(store_put(&store, &pack, &content, diag));
 *     TRY(store_get(&store, STORE_NOW("sigma"), &pack, &content, diag));   // verified
 *     store_close(&store);
 *
 * DIR/packs/NAME.pack holds the pack's name, source, digest and files; NAME.previous the state
 * before its last update. A file is written aside, flushed to the disk and then renamed, so that a
 * crash leaves the old state or the new. Reading verifies each file's bytes and the digest: a pack
 * that was changed on disk is refused by name. Writers lock each other and readers out.
 *
 * Format: lines of text ("merlon pack 1", name, source, digest, added, files), a line a file (hash,
 * size, path), an empty line, then the files' bytes one after another. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "packs/content.h"

enum { STORE_NAME_BYTES = 64, STORE_PACKS = 1000, STORE_SOURCE_BYTES = 4096 };

enum store_mode { STORE_READ, STORE_WRITE };

struct store {
    int dir;  /* DIR/packs; -1: a directory that is not there, opened for reading */
    int lock; /* -1: none */
};

/* What a pack says of itself. */
struct store_pack {
    struct slice name;
    struct slice source; /* where it was read from: an absolute path */
    struct slice added;  /* when, RFC 3339 */
    char digest[DIGEST_HEX];
    bool previous; /* there is a state before it */
};

/* STORE_WRITE makes the directory where it is missing. ERR_IO. */
enum err store_open(
        struct store *store, const char *dir, enum store_mode mode, struct diag *diag) MUST_CHECK;
void store_close(struct store *store);
/* Letters, digits, - _ and . (not first), at most STORE_NAME_BYTES, not "previous". */
bool store_name_valid(struct slice name);
/* Names of the packs, sorted, in the arena. */
enum err store_list(struct store *store, struct arena *arena, struct slice **names, size_t *count,
        struct diag *diag) MUST_CHECK;
/* A state of a pack. */
struct store_state {
    const char *name;
    bool previous; /* the one before its last update */
};
#define STORE_NOW(pack) ((struct store_state){(pack), false})
/* Reads a pack and its files. `content` was initialised, and holds what *pack points to.
 * ERR_NOT_FOUND; ERR_SYNTAX: it was changed on disk, diag names pack and file. `previous`: the
 * state before the last update. */
enum err store_get(struct store *store, struct store_state state, struct store_pack *pack,
        struct content *content, struct diag *diag) MUST_CHECK;
/* Writes it; what was there of that name becomes its previous state. */
enum err store_put(struct store *store, const struct store_pack *pack,
        const struct content *content, struct diag *diag) MUST_CHECK;
/* With its previous state. ERR_NOT_FOUND. */
enum err store_remove(struct store *store, const char *name, struct diag *diag) MUST_CHECK;
