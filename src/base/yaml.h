/* yaml: a bounded YAML document tree with places, read by libyaml, the plainest kind by
 * yaml_plain.h.
 *
 *     struct yaml_limits limits = YAML_LIMITS;
 *     TRY(yaml_read(&arena, text, &limits, &docs, diag));     // docs: a list of documents
 *     const struct yaml_node *title = yaml_get(docs->root, SLICE("title"));
 *
 * Scalars are resolved to null, bool, int, float or string after the core schema of YAML 1.2.2
 * (10.3.2), which the Sigma Rules Specification names: yes, on and 1_000 are strings. Tags other
 * than the core schema's and merge keys (<<) are refused by name. Everything lives in the arena. No
 * recursion: depth, nodes, aliases (each use counts its nodes) and bytes are limited by name;
 * duplicate keys of a mapping are an error at the second key's place. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum yaml_kind { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_STRING, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;             /* written in quotes or as a block: never resolved */
    struct slice text;       /* scalars: the text as written, escapes resolved; "" otherwise */
    int64_t integer;         /* YAML_INT that fits, YAML_BOOL 0 or 1 */
    double number;           /* YAML_INT and YAML_FLOAT */
    uint32_t line;           /* from 1 */
    uint32_t column;         /* from 1, in characters */
    uint32_t count;          /* children of a list or map */
    struct yaml_node *first; /* children in order; a map's children are its values */
    struct yaml_node *next;  /* the next sibling */
    struct yaml_node *key;   /* of a map's child: its key, a scalar */
};

struct yaml_document {
    struct yaml_node *root; /* NULL: an empty document */
    struct yaml_document *next;
};

struct yaml_limits {
    size_t bytes;
    uint32_t depth;
    uint32_t nodes; /* of all documents together, alias uses included */
};
/* A rule file of SigmaHQ has at most 0.3 MB, 5,000 nodes and depth 6. */
#define YAML_LIMITS                                                                                \
    {                                                                                              \
        .bytes = 16u << 20, .depth = 64, .nodes = 1000000                                          \
    }

enum {
    YAML_ANCHORS = 1000,   /* in one document */
    YAML_DIRECTIVES = 100, /* lines that begin with a percent sign, in the whole text */
};

/* Reads all documents of a stream. ERR_SYNTAX, ERR_LIMIT or ERR_UNSUPPORTED with the place. *out
 * may be NULL for an empty stream. */
enum err yaml_read(struct arena *arena, struct slice text, const struct yaml_limits *limits,
        struct yaml_document **out, struct diag *diag) MUST_CHECK;
/* The same, but *out is set on failure, too: to the documents that stand whole before the fault. */
enum err yaml_read_part(struct arena *arena, struct slice text, const struct yaml_limits *limits,
        struct yaml_document **out, struct diag *diag) MUST_CHECK;
/* The same by libyaml alone: what yaml_plain.h is checked against. */
enum err yaml_read_any(struct arena *arena, struct slice text, const struct yaml_limits *limits,
        struct yaml_document **out, struct diag *diag) MUST_CHECK;
/* The first key that stands for the second time, or NULL; *failed: no memory to find out. */
const struct yaml_node *yaml_equal_key(const struct yaml_node *map, bool *failed);
/* A plain scalar's kind and value after the core schema: node->text is given, the rest is set. */
void yaml_resolve(struct yaml_node *node);
/* The value of a key of a map; NULL when absent, or when `map` is NULL or no map. */
struct yaml_node *yaml_get(const struct yaml_node *map, struct slice key);
