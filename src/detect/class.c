#include "detect/class.h"

#include <stdlib.h>

#include "base/hash.h"

#define CLASS_MEMORY ((size_t)512 << 20)
enum { RANKED = 16 }; /* children that a subtree is ranked by */

enum { TREE_DEPTH = 1024 };

/* A child's place in the order of evaluation. */
struct ranked {
    double rank;
    uint32_t index;
};

/* A node whose children are being visited. */
struct frame {
    const struct node *node;
    struct ranked *order;
    uint32_t next; /* child to visit */
    uint32_t step; /* of this node */
};

struct jumps {
    uint32_t yes, no; /* steps to go on at, relative to the rule's; or CODE_YES, CODE_NO */
};

/* Work of one build. */
struct build {
    const struct class_source *source;
    struct class *class;
    struct arena scratch;
    uint32_t *slots; /* hash of (predicate, field, other) -> test, plus 1 */
    uint32_t mask;
    uint32_t step_room, test_room;
    uint32_t most_steps; /* of one rule */
    struct frame *stack; /* TREE_DEPTH of them */
    struct jumps *jumps; /* by step of the rule in hand */
    uint32_t *leaves;
};

/* ---- tests ---- */

static uint32_t seen_as(const struct build *b, uint32_t view, uint32_t field)
{
    const uint32_t *map = b->source->views[view].fields;
    return map && field != FIELD_NONE ? map[field] : field;
}

static struct handle known_handle(struct build *b, uint32_t predicate)
{
    struct handle *h = &b->source->handles[predicate];
    if (h->run_cost <= 0) {
        *h = handle_of(&b->source->set->predicates[predicate]);
    }
    return *h;
}

static uint32_t find_test(struct build *b, uint32_t view, uint32_t predicate)
{
    const struct predicate *p = &b->source->set->predicates[predicate];
    struct test wanted = {.predicate = p, .field = seen_as(b, view, p->field), .other = FIELD_NONE};
    if (p->op >= OP_FIELD_EQUAL && p->op <= OP_FIELD_CONTAINS) {
        wanted.other = seen_as(b, view, p->other);
    }
    uint64_t h = hash_mix((uint64_t)predicate + 0x9E3779B97F4A7C15u,
            ((uint64_t)wanted.field << 32 | wanted.other) ^ 0xD1B54A32D192ED03u);
    for (uint32_t i = (uint32_t)h & b->mask;; i = (i + 1) & b->mask) {
        if (b->slots[i] == 0) {
            wanted.handle = known_handle(b, predicate);
            b->class->tests[b->class->test_count] = wanted;
            b->slots[i] = ++b->class->test_count;
            return b->class->test_count - 1;
        }
        const struct test *t = &b->class->tests[b->slots[i] - 1];
        if (t->predicate == p && t->field == wanted.field && t->other == wanted.other) {
            return b->slots[i] - 1;
        }
    }
}

/* ---- order of children ---- */

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Small first: cheap tests, then small subtrees, negations last. A subtree is ranked by its first
 * children only: this is an order, not a decision. */
static double node_rank(struct build *b, const struct node *node, uint32_t view, bool conjunction)
{
    double negation = 0, sum = 0;
    for (int i = 0; i < 4 && node->kind == NODE_NOT; i++) {
        node = node->children[0];
        negation = 1e6;
    }
    if (node->kind == NODE_PREDICATE) {
        const struct handle *h = &b->class->tests[find_test(b, view, node->predicate)].handle;
        return negation + h->run_cost * (conjunction ? 1 + h->prior : 2 - h->prior);
    }
    for (uint32_t i = 0; i < node->count && i < RANKED; i++) {
        const struct node *c = node->children[i];
        sum += c->kind != NODE_PREDICATE
                       ? 100
                       : b->class->tests[find_test(b, view, c->predicate)].handle.run_cost;
    }
    return negation + (node->count > RANKED ? sum * node->count / RANKED : sum);
}

/* ---- trees to steps ---- */

/* Most lists are: their tests are all of a kind. */
static bool in_order(const struct ranked *list, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (by_rank(&list[i - 1], &list[i]) > 0) {
            return false;
        }
    }
    return true;
}

static enum err open_node(struct build *b, const struct node *node, uint32_t view, struct frame *f)
{
    struct class *c = b->class;
    *f = (struct frame){.node = node, .step = c->step_count};
    struct step *step = &c->steps[c->step_count++];
    *step = (struct step){.kind = (uint8_t)node->kind, .size = 1, .origin = node};
    if (node->kind == NODE_PREDICATE) {
        step->arg = find_test(b, view, node->predicate);
        return OK;
    }
    step->arg = node->threshold;
    f->order = ARENA_ARRAY(&b->scratch, struct ranked, node->count);
    if (!f->order) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        f->order[i].index = i;
        f->order[i].rank = node_rank(b, node->children[i], view, node->kind == NODE_AND);
    }
    if (!in_order(f->order, node->count)) {
        qsort(f->order, node->count, sizeof *f->order, by_rank);
    }
    return OK;
}

static uint32_t child_count(const struct node *node)
{
    return node->kind == NODE_PREDICATE ? 0 : node->count;
}

static enum err flatten(struct build *b, const struct node *root, uint32_t view)
{
    struct frame *stack = b->stack;
    uint32_t depth = 0;
    TRY(open_node(b, root, view, &stack[depth++]));
    while (depth) {
        struct frame *f = &stack[depth - 1];
        if (f->next < child_count(f->node)) {
            if (depth == TREE_DEPTH) {
                return ERR_LIMIT;
            }
            const struct node *child = f->node->children[f->order[f->next++].index];
            TRY(open_node(b, child, view, &stack[depth++]));
            continue;
        }
        b->class->steps[f->step].size = b->class->step_count - f->step;
        depth--;
    }
    return OK;
}

/* ---- steps to a program ---- */

static void aim_children(const struct step *steps, uint32_t at, struct jumps *jumps)
{
    const struct step *s = &steps[at];
    uint32_t end = at + s->size;
    for (uint32_t child = at + 1; child < end; child += steps[child].size) {
        uint32_t next = child + steps[child].size;
        struct jumps to = jumps[at];
        if (s->kind == NODE_NOT) {
            to = (struct jumps){jumps[at].no, jumps[at].yes};
        } else if (s->kind == NODE_AND && next < end) {
            to.yes = next;
        } else if (s->kind == NODE_OR && next < end) {
            to.no = next;
        }
        jumps[child] = to;
    }
}

/* The code at which a step's evaluation begins: its first leaf's. Constants lead on. */
static uint32_t entry_code(
        const struct step *steps, const struct jumps *jumps, const uint32_t *leaf, uint32_t at)
{
    while (at < CODE_NO) {
        const struct step *s = &steps[at];
        if (s->kind == NODE_PREDICATE) {
            return leaf[at];
        }
        if (s->kind == NODE_TRUE || (s->kind == NODE_AND && s->size == 1)) {
            at = jumps[at].yes;
        } else if (s->kind == NODE_FALSE || (s->kind == NODE_OR && s->size == 1)) {
            at = jumps[at].no;
        } else {
            at++;
        }
    }
    return at;
}

static void compile(struct build *b, struct class_rule *rule)
{
    struct class *c = b->class;
    const struct step *steps = c->steps + rule->steps;
    struct jumps *jumps = b->jumps;
    uint32_t *leaf = b->leaves;
    uint32_t codes = c->code_count;
    jumps[0] = (struct jumps){CODE_YES, CODE_NO};
    for (uint32_t i = 0; i < rule->step_count; i++) {
        if (steps[i].kind == NODE_AT_LEAST) {
            rule->slow = true;
            return;
        }
        if (steps[i].kind == NODE_PREDICATE) {
            leaf[i] = codes++;
        } else {
            aim_children(steps, i, jumps);
        }
    }
    for (uint32_t i = 0; i < rule->step_count; i++) {
        if (steps[i].kind == NODE_PREDICATE) {
            c->codes[leaf[i]] =
                    (struct code){steps[i].arg, entry_code(steps, jumps, leaf, jumps[i].yes),
                            entry_code(steps, jumps, leaf, jumps[i].no)};
        }
    }
    c->code_count = codes;
    rule->code = entry_code(steps, jumps, leaf, 0);
}

/* ---- the whole ---- */

static enum err count_nodes(struct build *b)
{
    const struct node **stack = ARENA_ARRAY(&b->scratch, const struct node *, TREE_DEPTH);
    uint32_t *next = ARENA_ARRAY(&b->scratch, uint32_t, TREE_DEPTH);
    if (!stack || !next) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < b->source->member_count; i++) {
        uint32_t depth = 0, before = b->step_room;
        stack[0] = b->source->members[i].rule->condition;
        next[depth++] = 0;
        b->step_room++;
        while (depth) {
            const struct node *node = stack[depth - 1];
            uint32_t child = next[depth - 1]++;
            if (child >= child_count(node)) {
                b->test_room += node->kind == NODE_PREDICATE;
                depth--;
                continue;
            }
            if (depth == TREE_DEPTH) {
                return ERR_LIMIT;
            }
            stack[depth] = node->children[child];
            next[depth++] = 0;
            b->step_room++;
        }
        uint32_t steps = b->step_room - before;
        b->most_steps = steps > b->most_steps ? steps : b->most_steps;
    }
    return OK;
}

static enum err make_room(struct build *b)
{
    struct class *c = b->class;
    TRY(count_nodes(b));
    uint32_t slots = 64;
    while (slots < b->test_room * 2) {
        slots *= 2;
    }
    b->mask = slots - 1;
    b->slots = ARENA_ARRAY(&b->scratch, uint32_t, slots);
    b->stack = ARENA_ARRAY(&b->scratch, struct frame, TREE_DEPTH);
    b->jumps = ARENA_ARRAY(&b->scratch, struct jumps, b->most_steps);
    b->leaves = ARENA_ARRAY(&b->scratch, uint32_t, b->most_steps);
    c->steps = ARENA_ARRAY(&c->arena, struct step, b->step_room);
    c->tests = ARENA_ARRAY(&c->arena, struct test, b->test_room);
    c->codes = ARENA_ARRAY(&c->arena, struct code, b->test_room);
    c->rules = ARENA_ARRAY(&c->arena, struct class_rule, b->source->member_count);
    c->fills = ARENA_ARRAY(&c->arena, struct fill, b->source->fill_count);
    if (!b->slots || !b->stack || !b->jumps || !b->leaves || !c->steps || !c->tests || !c->codes ||
            !c->rules || !c->fills) {
        return ERR_MEMORY;
    }
    if (b->source->fill_count) {
        memcpy(c->fills, b->source->fills, b->source->fill_count * sizeof *c->fills);
    }
    c->fill_count = b->source->fill_count;
    return OK;
}

/* What correlations ask of a rule's events stands where the rule's own fields do. */
static enum err add_wanted(struct build *b, struct class_rule *rule, uint32_t view)
{
    const struct rule *r = rule->rule;
    uint32_t *wanted = ARENA_ARRAY(&b->class->arena, uint32_t, r->wanted_count);
    if (!wanted) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < r->wanted_count; i++) {
        wanted[i] = seen_as(b, view, r->wanted[i]);
    }
    rule->wanted = wanted;
    return OK;
}

static enum err build_rules(struct build *b)
{
    struct class *c = b->class;
    TRY(make_room(b));
    for (uint32_t i = 0; i < b->source->member_count; i++) {
        const struct class_member *m = &b->source->members[i];
        struct class_rule *rule = &c->rules[c->rule_count++];
        *rule = (struct class_rule){.rule = m->rule, .steps = c->step_count};
        TRY(flatten(b, m->rule->condition, m->view));
        rule->step_count = c->step_count - rule->steps;
        compile(b, rule);
        TRY(add_wanted(b, rule, m->view));
    }
    return OK;
}

enum err class_build(const struct class_source *source, struct class *out)
{
    struct class class = {0};
    struct build b = {.source = source, .class = &class};
    arena_init(&class.arena, CLASS_MEMORY);
    arena_init(&b.scratch, CLASS_MEMORY);
    enum err e = build_rules(&b);
    arena_fini(&b.scratch);
    if (e != OK) {
        arena_fini(&class.arena);
        return e;
    }
    *out = class;
    return OK;
}

void class_fini(struct class *class)
{
    arena_fini(&class->arena);
}
