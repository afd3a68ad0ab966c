/* A condition that is read says what it says whatever it is called with: its tree is within the
 * limits, and each of its leaves is a search identifier's. What is refused is refused with words.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "sigma/condition.h"
#include "sigma/meaning.h"

enum { NAMES = 5, NODES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_names(struct maker *m, struct condition_name *names)
{
    static const struct slice texts[NAMES] = {
            {"a", 1}, {"sel_1", 5}, {"sel_2", 5}, {"_x", 2}, {"not_b", 5}};
    for (int i = 0; i < NAMES; i++) {
        struct predicate p = {.op = OP_EQUAL, .field = FIELD_NONE, .other = FIELD_NONE};
        p.text = texts[i];
        names[i] = (struct condition_name){.name = texts[i], .nodes = 1};
        assert(maker_leaf(m, &p, &names[i].node) == OK);
    }
}

static void check(const struct node *node)
{
    if (node->kind == NODE_AT_LEAST) {
        assert(node->threshold > 1 && node->threshold < node->count);
    }
    assert(node->kind != NODE_NOT || node->count == 1);
    assert(node->kind != NODE_AND || node->count > 1);
    assert(node->kind != NODE_OR || node->count > 1);
    assert(node->kind != NODE_PREDICATE || (node->predicate < NAMES && node->label.size == 0));
    assert(node->kind != NODE_TRUE);
}

/* All nodes, by a stack as deep as the limits allow. */
static void check_tree(const struct node *root)
{
    struct {
        const struct node *node;
        uint32_t next;
    } stack[4 * CONDITION_DEPTH + 8];
    uint32_t depth = 1, visited = 0;
    stack[0].node = root;
    stack[0].next = 0;
    check(root);
    while (depth > 0) {
        if (stack[depth - 1].next == stack[depth - 1].node->count) {
            depth--;
            continue;
        }
        const struct node *child = stack[depth - 1].node->children[stack[depth - 1].next++];
        assert(depth < sizeof stack / sizeof stack[0] && visited++ < NODES);
        stack[depth].node = child;
        stack[depth++].next = 0;
        check(child);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maker maker;
    struct diag diag = {0};
    struct condition_name names[NAMES];
    struct node *root = NULL;
    assert(maker_init(&maker, NULL) == OK);
    maker_file(&maker, SLICE("f"));
    maker_begin(&maker, &diag);
    make_names(&maker, names);
    enum err e = condition_make(&maker, slice_of((const char *)data, size), names, NAMES, &root);
    if (e == OK) {
        struct logsource source = {0};
        char hash[65];
        check_tree(root);
        assert(meaning_hash(&maker, &maker.pool, root, &source, hash) == OK);
    } else {
        assert(diag.words[0] && diag.column > 0 && diag.column <= size + 1);
    }
    maker_fini(&maker);
    return 0;
}
