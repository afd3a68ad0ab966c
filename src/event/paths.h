/* paths: where a record's keys lead: from key to key down to the fields that rules name.
 *
 *     const struct path_edge *e = paths_find(paths, PATHS_ROOT, SLICE("Event"));
 *     if (!e) skip the value
 *     else if value is an object: go on at e->child (PATHS_NONE: skip it)
 *     else event_put(event, e, &value);
 *
 * The decoder knows only keys; which shapes exist (evtx_dump, winlogbeat, NXLog...) is data
 * (event/taxonomy.h). A field name with dots is reached through nested objects, through one key
 * with dots, and through any mixture: the node of a path is its text. Elements of an array stand
 * at the array's own path. */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/intern.h"
#include "base/slice.h"
#include "event/field.h"

#define PATHS_ROOT 0u
#define PATHS_NONE UINT32_MAX
#define PATHS_ELSEWHERE (UINT32_MAX - 1)
enum { PATHS_TARGETS = 4, PATHS_COMPONENTS = 16, PATHS_NODES_LIMIT = 1 << 22 };

/* What a key under a node means. One cache line. */
struct path_edge {
    alignas(64) struct slice key;
    uint64_t hash;  /* paths_hash(node, key) */
    uint32_t node;  /* the node that it leaves */
    uint32_t child; /* where keys below it are looked up; PATHS_NONE: nowhere */
    /* The fields that a value here belongs to; after the last FIELD_NONE. */
    uint32_t field[PATHS_TARGETS];
    uint8_t weak[PATHS_TARGETS]; /* see event_put_field */
};

struct paths {
    struct path_edge *slots; /* open addressing, power of two; key.at NULL: free */
    uint32_t mask;
    uint64_t *filter; /* a bit where some edge's hash leads: most keys have none, and need not touch
                         the slots, which no near memory holds */
    uint32_t *any;    /* by node: index of the edge for a key that no edge names; PATHS_NONE: a key
                         without an edge leads nowhere; PATHS_ELSEWHERE: no such edge, but `also` */
    struct path_edge *any_edges;
    uint32_t *also;      /* by node: another node whose edges hold here too, or PATHS_NONE */
    struct intern texts; /* of the nodes; the keys stand in it */
    uint32_t node_count;
    uint32_t field_count; /* the field table's size when this was built */
};

/* Cheap: length and both ends of the key. */
static inline uint64_t paths_hash(uint32_t node, struct slice key)
{
    uint64_t a = 0, b = 0;
    if (key.size >= 8) {
        memcpy(&a, key.at, 8);
        memcpy(&b, key.at + key.size - 8, 8);
    } else if (key.size >= 4) {
        uint32_t x, y;
        memcpy(&x, key.at, 4);
        memcpy(&y, key.at + key.size - 4, 4);
        a = x;
        b = y;
    } else if (key.size > 0) {
        a = (uint64_t)(unsigned char)key.at[0] |
            (uint64_t)(unsigned char)key.at[key.size >> 1] << 8 |
            (uint64_t)(unsigned char)key.at[key.size - 1] << 16;
    }
    uint64_t h = (a ^ (uint64_t)node * 0x9E3779B97F4A7C15u) * 0xD1B54A32D192ED03u;
    h ^= (b + key.size) * 0x8CB92BA72F3D8DD7u;
    return h ^ h >> 29;
}

enum { PATHS_FILTER = 4 }; /* bits a slot */

/* Of the hash bits that the slot's number does not have. */
static inline uint64_t *paths_filter(const struct paths *p, uint64_t hash, uint64_t *bit)
{
    uint64_t at = hash >> 32 & ((uint64_t)p->mask * PATHS_FILTER + PATHS_FILTER - 1);
    *bit = (uint64_t)1 << (at & 63);
    return &p->filter[at >> 6];
}

/* The rest of paths_find, where no edge of the node itself has the key and any[node] is not
 * PATHS_NONE. */
const struct path_edge *paths_find_any(const struct paths *p, uint32_t node, struct slice key);

/* The edge for a key under a node; the node's "any key" edge where no other fits; NULL: skip. */
static inline const struct path_edge *paths_find(
        const struct paths *p, uint32_t node, struct slice key)
{
    uint64_t hash = paths_hash(node, key), bit;
    const uint64_t *word = paths_filter(p, hash, &bit); /* first: it sets bit */
    if (!(*word & bit)) {
        return p->any[node] == PATHS_NONE ? NULL : paths_find_any(p, node, key);
    }
    for (uint32_t i = (uint32_t)hash & p->mask;; i = (i + 1) & p->mask) {
        const struct path_edge *e = &p->slots[i];
        if (!e->key.at) {
            return p->any[node] == PATHS_NONE ? NULL : paths_find_any(p, node, key);
        }
        if (e->hash == hash && e->node == node && slice_equal(e->key, key)) {
            return e;
        }
    }
}

/* Building. A pattern is keys joined by dots; `?` stands for any one key, a last `*` for each
 * name of the field table. `name` is the field a value there belongs to (`*`: what the pattern's
 * `*` stood for). Of weak patterns of one name the first that a record has wins. */
struct path_pattern {
    struct slice pattern; /* "Event.EventData.*" */
    struct slice name;    /* "*" */
    bool weak;
};

/* Builds for all names now in `fields`. A pattern whose name nobody interned leads nowhere, but
 * names that begin with '\x01' (routes, the time) are interned here, and `*` never stands for them.
 * Owner of *out: the caller, by paths_free. Every pattern also holds with ".#text" after it (an XML
 * element's text beside its attributes). Only the first PATHS_COMPONENTS - 1 dots of a path divide
 * it. ERR_LIMIT: over PATHS_TARGETS fields at one path, 255 weak patterns of one name, or
 * PATHS_NODES_LIMIT nodes; ERR_UNSUPPORTED: more than one `?` covers the same path. */
enum err paths_build(struct fields *fields, const struct path_pattern *patterns, size_t count,
        struct paths **out) MUST_CHECK;
void paths_free(struct paths *paths);
