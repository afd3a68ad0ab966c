/* A tree of yaml_read keeps what its header promises: nodes, depth and keys within their limits.
 * What yaml_plain takes is the tree that libyaml gives. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/yaml_plain.h"
#include "support/yaml_same.h"

enum { DEPTH = 8, NODES = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Walks the tree with a stack of its own; aliases make it visit a node more than once. */
static void check(const struct yaml_node *root)
{
    const struct yaml_node *stack[DEPTH + 1] = {root};
    size_t depth = root ? 1 : 0;
    uint32_t visited = 0;
    while (depth > 0) {
        const struct yaml_node *node = stack[depth - 1];
        if (!node) {
            depth--;
            continue;
        }
        visited++;
        assert(visited <= NODES);
        stack[depth - 1] = node == root ? NULL : node->next;
        bool inner = node->kind == YAML_LIST || node->kind == YAML_MAP;
        uint32_t children = 0;
        for (const struct yaml_node *n = node->first; n; n = n->next) {
            assert(!n->key == (node->kind != YAML_MAP));
            children++;
        }
        assert(children == node->count && (inner || children == 0));
        assert(node->line > 0 && node->column > 0);
        if (node->first) {
            assert(depth < DEPTH + 1);
            stack[depth++] = node->first;
        }
    }
}

static void check_plain(struct arena *arena, struct slice text, const struct yaml_limits *limits)
{
    struct yaml_document *plain, *any;
    struct diag diag;
    if (yaml_plain_read(arena, text, limits, &plain)) {
        assert(yaml_read_any(arena, text, limits, &any, &diag) == OK && yaml_same(plain, any));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml_limits limits = {.bytes = 4096, .depth = DEPTH, .nodes = NODES};
    struct yaml_document *documents = NULL;
    struct arena arena;
    struct diag diag = {0};
    arena_init(&arena, 8 << 20);
    enum err e = yaml_read(&arena, slice_of((const char *)data, size), &limits, &documents, &diag);
    if (e == OK) {
        for (const struct yaml_document *d = documents; d; d = d->next) {
            check(d->root);
        }
    } else {
        assert(diag.words[0] && !documents);
    }
    check_plain(&arena, slice_of((const char *)data, size), &limits);
    arena_fini(&arena);
    return 0;
}
