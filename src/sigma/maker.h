/* maker: what one thread makes rules with: memory, predicates so far, and the nodes of the rule at
 * hand.
 *
 *     struct node *leaf, *both;
 *     TRY(maker_leaf(m, &predicate, &leaf));
 *     TRY(maker_group(m, NODE_AND, children, 2, &both));
 *
 * Nodes last as long as the ruleset. Until the threads' work is joined, a leaf's predicate is its
 * number in the maker's own pool. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/yaml.h"
#include "sigma/pool.h"
#include "sigma/rule.h"

enum {
    MAKER_PREDICATES = 200000, /* tests in one rule, repeated ones counted */
    MAKER_NODES = 1000000,     /* nodes of a rule's tree, shared parts counted at each use */
};

/* What the rules of one file may take, their regexes' programs included. */
#define MAKER_FILE_BYTES ((size_t)256 << 20)

struct placeholders;

struct maker {
    struct arena arena;   /* of the ruleset */
    struct arena scratch; /* of the file at hand */
    struct pool pool;
    const struct placeholders *placeholders; /* NULL: none */
    struct diag *diag;
    struct slice file;
    size_t stop;          /* where the arena may not go for this file */
    struct buf text;      /* the file's bytes */
    struct buf meaning;   /* meaning.c's */
    struct node **leaves; /* of the rule at hand, in order of making */
    uint32_t leaf_count;
    uint32_t leaf_room;
};

enum err maker_init(struct maker *m, const struct placeholders *placeholders) MUST_CHECK;
void maker_fini(struct maker *m);
/* Before each file: scratch is empty again. */
void maker_file(struct maker *m, struct slice name);
/* Before each rule. */
void maker_begin(struct maker *m, struct diag *diag);

/* A leaf for a predicate whose text may be in scratch. Compiles its regex when it is new. */
enum err maker_leaf(struct maker *m, struct predicate *p, struct node **out) MUST_CHECK;
/* A node over children (copied). AND and OR of one child are that child. */
enum err maker_group(struct maker *m, enum node_kind kind, struct node *const *children,
        uint32_t count, struct node **out) MUST_CHECK;
/* Failing with words at the place of a YAML node. */
enum err maker_fail(struct maker *m, const struct yaml_node *at, enum err e, const char *format,
        ...) __attribute__((format(printf, 4, 5)));
enum err maker_no_memory(struct maker *m);
