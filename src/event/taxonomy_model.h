/* taxonomy_model: what a taxonomy holds; shared by reading and looking up, nobody else's.
 *
 *     taxonomy.c        new, add, resolve
 *     taxonomy_read.c   one file's YAML into it */
#pragma once

#include "base/arena.h"
#include "base/digest.h"
#include "base/yaml.h"
#include "event/taxonomy.h"

struct taxonomy {
    struct arena arena;
    struct path_pattern *patterns;
    size_t pattern_count, pattern_room;
    struct taxonomy_route *routes;
    size_t route_count, route_room;
    /* Those that files list; then those made of them: a category or service without its product,
     * and last, the one that always holds. */
    struct taxonomy_entry *entries;
    size_t entry_count; /* listed */
    size_t all_count;
    size_t entry_room;
    struct digest digest; /* of the files so far */
};

/* Appends a file's patterns, routes and entries. On failure some may have been appended: the caller
 * cuts them off. `extends` gets a bit for each new entry, for those that extend: an array of
 * TAXONOMY_ENTRIES bools by place in t->entries. */
enum err taxonomy_read(struct taxonomy *t, struct slice file, const struct yaml_node *root,
        bool *extends, struct diag *diag) MUST_CHECK;
