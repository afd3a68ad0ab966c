#include "sigma/merge.h"

/* A pair of maps still to be merged. */
struct pair {
    struct yaml_node *into;
    const struct yaml_node *base;
    const struct yaml_node *over;
    struct pair *next;
};

struct merging {
    struct maker *m;
    struct pair *waiting;
    struct yaml_node **end; /* where the next child of the map at work goes */
    struct yaml_node *into;
};

static struct yaml_node *add_child(struct merging *g, const struct yaml_node *from)
{
    struct yaml_node *node = ARENA_NEW(&g->m->scratch, struct yaml_node);
    if (node) {
        *node = *from;
        node->next = NULL;
        *g->end = node;
        g->end = &node->next;
        g->into->count++;
    }
    return node;
}

static bool is_action(const struct yaml_node *child)
{
    return slice_equal(child->key->text, SLICE("action"));
}

/* A child that stands in both; maps wait for their own turn. */
static enum err merge_child(
        struct merging *g, const struct yaml_node *base, const struct yaml_node *over)
{
    struct yaml_node *child = add_child(g, over);
    if (!child) {
        return maker_no_memory(g->m);
    }
    if (over == base || over->kind != YAML_MAP || base->kind != YAML_MAP) {
        return OK;
    }
    struct pair *pair = ARENA_NEW(&g->m->scratch, struct pair);
    if (!pair) {
        return maker_no_memory(g->m);
    }
    *pair = (struct pair){child, base, over, g->waiting};
    g->waiting = pair;
    return OK;
}

static enum err merge_pair(struct merging *g, const struct pair *pair)
{
    if (pair->base->count > MERGE_KEYS || pair->over->count > MERGE_KEYS) {
        return maker_fail(
                g->m, pair->over, ERR_LIMIT, "map to merge has more keys than %d", (int)MERGE_KEYS);
    }
    g->into = pair->into;
    g->end = &pair->into->first;
    pair->into->first = NULL;
    pair->into->count = 0;
    for (const struct yaml_node *b = pair->base->first; b; b = b->next) {
        const struct yaml_node *o = yaml_get(pair->over, b->key->text);
        if (!is_action(b)) {
            TRY(merge_child(g, b, o ? o : b));
        }
    }
    for (const struct yaml_node *o = pair->over->first; o; o = o->next) {
        if (!is_action(o) && !yaml_get(pair->base, o->key->text) && !add_child(g, o)) {
            return maker_no_memory(g->m);
        }
    }
    return OK;
}

/* `over` laid over `base`; maps in both are merged, anything else is replaced. */
static enum err merge_maps(struct maker *m, const struct yaml_node *base,
        const struct yaml_node *over, const struct yaml_node **out)
{
    struct yaml_node *root = ARENA_NEW(&m->scratch, struct yaml_node);
    struct pair first = {root, base, over, NULL};
    struct merging g = {.m = m, .waiting = &first};
    if (!root) {
        return maker_no_memory(m);
    }
    *root = *base;
    while (g.waiting) {
        struct pair *pair = g.waiting;
        g.waiting = pair->next;
        TRY(merge_pair(&g, pair));
    }
    *out = root;
    return OK;
}

static enum err merge_action(struct maker *m, struct merge *state, const struct yaml_node *root,
        struct slice action, const struct yaml_node **out)
{
    if (slice_equal(action, SLICE("global"))) {
        const struct yaml_node *global = root;
        if (state->global) {
            TRY(merge_maps(m, state->global, root, &global));
        }
        state->global = global;
        state->previous = global;
        return OK;
    }
    if (slice_equal(action, SLICE("reset"))) {
        state->global = NULL;
        return OK;
    }
    if (slice_equal(action, SLICE("repeat"))) {
        if (!state->previous) {
            return maker_fail(m, root, ERR_SYNTAX, "action 'repeat' without a rule before it");
        }
        TRY(merge_maps(m, state->previous, root, out));
        state->previous = *out;
        return OK;
    }
    return maker_fail(m, root, ERR_SYNTAX, "unknown action '%.*s'", SLICE_ARG(action));
}

enum err merge_document(struct maker *m, struct merge *state, const struct yaml_node *root,
        const struct yaml_node **out)
{
    *out = NULL;
    const struct yaml_node *action = yaml_get(root, SLICE("action"));
    if (action) {
        return merge_action(m, state, root, action->text, out);
    }
    *out = root;
    if (state->global && root->kind == YAML_MAP) {
        TRY(merge_maps(m, root, state->global, out));
    }
    state->previous = *out;
    return OK;
}
