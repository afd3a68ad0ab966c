/* content: the rule files of a pack, in memory, in the order of their paths, with their digest.
 *
 *     struct content content;
 *     content_init(&content);
 *     TRY(content_add(&content, SLICE("rules/a.yml"), text, diag));     // any number of times
 *     TRY(content_finish(&content, diag));
 *     content.digest, content.files[i]
 *     content_fini(&content);
 *
 * Paths are relative and go only downwards: what an archive calls its entries is outside input. The
 * digest is SHA-256 over a line a file in order: hex SHA-256 of its bytes, blank, path, newline. It
 * depends on paths and bytes alone, not on how they came here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    CONTENT_FILES = 100000,
    CONTENT_FILE_BYTES = 16 << 20, /* as for any file of rules */
    CONTENT_PATH_BYTES = 1000,
    CONTENT_PATH_PARTS = 64,
};
#define CONTENT_BYTES ((uint64_t)512 << 20) /* of all files */

struct content_file {
    struct slice path;
    struct slice bytes;
    char hash[DIGEST_HEX];
};

struct content {
    struct arena arena;
    struct content_file *files;
    size_t count;
    size_t room;
    uint64_t bytes;
    uint64_t others; /* entries that are no rule files, passed over */
    uint64_t links;  /* links, passed over */
    char digest[DIGEST_HEX];
};

void content_init(struct content *content);
void content_fini(struct content *content);
/* Is it the name of a rule file: *.yml, *.yaml? */
bool content_is_rule(struct slice path);
/* Copies both. ERR_SYNTAX: the path leads out, or is no plain path; ERR_LIMIT. */
enum err content_add(struct content *content, struct slice path, struct slice bytes,
        struct diag *diag) MUST_CHECK;
/* Sorts, and computes the hashes. ERR_SYNTAX: two files of one path. Nothing is added afterwards.
 */
enum err content_finish(struct content *content, struct diag *diag) MUST_CHECK;
/* Where all paths begin with the same folder, it is left out: archives are often made of one, whose
 * name changes with the version. Before content_finish. */
void content_strip(struct content *content);
