#include "sigma/correlation_steps.h"

#include "sigma/condition.h"
#include "sigma/tree.h"

/* ---- names of an expression ---------------------------------------------------------------- */

static bool is_operator(struct slice word)
{
    return slice_equal_nocase(word, SLICE("and")) || slice_equal_nocase(word, SLICE("or")) ||
           slice_equal_nocase(word, SLICE("not"));
}

static bool is_break(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '(' || c == ')';
}

static enum err add_name(
        struct maker *m, const struct yaml_node *at, struct slice name, struct correlation *c)
{
    bool ordered = c->type == CORRELATION_TEMPORAL_ORDERED;
    uint32_t most = ordered ? CORRELATION_ORDERED : CORRELATION_RULES;
    for (uint32_t i = 0; i < c->part_count; i++) {
        if (slice_equal(c->parts[i].reference, name)) {
            return OK;
        }
    }
    if (c->part_count == most) {
        return maker_fail(
                m, at, ERR_LIMIT, "correlation: the condition names more rules than %u", most);
    }
    struct correlation_part *part = &c->parts[c->part_count++];
    part->reference = arena_copy(&m->arena, name);
    part->line = at->line;
    part->column = at->column;
    return part->reference.at ? OK : maker_no_memory(m);
}

enum err correlation_steps_parts(
        struct maker *m, const struct yaml_node *condition, struct correlation *c)
{
    struct slice text = condition->text;
    size_t at = 0;
    c->parts = ARENA_ARRAY(&m->arena, struct correlation_part, CORRELATION_RULES);
    if (!c->parts) {
        return maker_no_memory(m);
    }
    while (at < text.size) {
        size_t from = at;
        while (at < text.size && !is_break(text.at[at])) {
            at++;
        }
        struct slice word = slice_of(text.at + from, at - from);
        if (word.size && !is_operator(word)) {
            TRY(add_name(m, condition, word, c));
        }
        at += word.size == 0;
    }
    return c->part_count ? OK
                         : maker_fail(m, condition, ERR_SYNTAX,
                                   "correlation: the condition names no rule");
}

/* ---- from the tree to steps ---------------------------------------------------------------- */

struct frame {
    const struct node *node;
    uint32_t next;
};

static enum err add_step(struct maker *m, const struct yaml_node *at, struct correlation *c,
        struct correlation_step *steps, const struct node *node)
{
    static const uint16_t kinds[] = {[NODE_AND] = STEP_AND,
            [NODE_OR] = STEP_OR,
            [NODE_NOT] = STEP_NOT,
            [NODE_AT_LEAST] = STEP_AT_LEAST,
            [NODE_PREDICATE] = STEP_PART,
            [NODE_TRUE] = STEP_AND,
            [NODE_FALSE] = STEP_NEVER};
    if (c->step_count == CORRELATION_STEPS) {
        return maker_fail(m, at, ERR_LIMIT,
                "correlation: the condition has more than the limit of %d steps",
                (int)CORRELATION_STEPS);
    }
    bool part = node->kind == NODE_PREDICATE;
    steps[c->step_count++] = (struct correlation_step){.kind = kinds[node->kind],
            .arg = part ? node->predicate : node->count,
            .threshold = node->threshold};
    return OK;
}

/* In postorder: operands first. */
static enum err flatten(
        struct maker *m, const struct yaml_node *at, const struct node *root, struct correlation *c)
{
    struct frame frames[TREE_DEPTH];
    uint32_t depth = 0;
    struct correlation_step *steps =
            ARENA_ARRAY(&m->arena, struct correlation_step, CORRELATION_STEPS);
    if (!steps) {
        return maker_no_memory(m);
    }
    frames[depth++] = (struct frame){root, 0};
    while (depth > 0) {
        struct frame *top = &frames[depth - 1];
        bool leaf = top->node->kind == NODE_PREDICATE;
        if (leaf || top->next == top->node->count) {
            TRY(add_step(m, at, c, steps, top->node));
            depth--;
        } else if (depth == TREE_DEPTH) {
            return maker_fail(m, at, ERR_LIMIT, "correlation: the condition is too deep");
        } else {
            frames[depth++] = (struct frame){top->node->children[top->next++], 0};
        }
    }
    c->steps = steps;
    return OK;
}

/* ---- the expression ------------------------------------------------------------------------ */

static enum err make_names(
        struct maker *m, const struct correlation *c, struct condition_name **out)
{
    struct condition_name *names = ARENA_ARRAY(&m->scratch, struct condition_name, c->part_count);
    if (!names) {
        return maker_no_memory(m);
    }
    for (uint32_t i = 0; i < c->part_count; i++) {
        struct node *leaf = ARENA_NEW(&m->scratch, struct node);
        if (!leaf) {
            return maker_no_memory(m);
        }
        leaf->kind = NODE_PREDICATE;
        leaf->predicate = i;
        names[i] = (struct condition_name){.name = c->parts[i].reference, .node = leaf, .nodes = 1};
    }
    *out = names;
    return OK;
}

static enum err make_tree(struct maker *m, const struct yaml_node *node,
        struct condition_name *names, uint32_t count, struct node **out)
{
    enum err e = condition_make(m, node->text, names, count, out);
    if (e != OK && m->diag && m->diag->line == 0) {
        uint32_t within = m->diag->column ? m->diag->column - 1 : 0;
        m->diag->line = node->line;
        m->diag->column = node->column + within + node->quoted;
    }
    return e;
}

static bool only_and(const struct correlation *c)
{
    for (uint32_t i = 0; i < c->step_count; i++) {
        if (c->steps[i].kind != STEP_PART && c->steps[i].kind != STEP_AND) {
            return false;
        }
    }
    return true;
}

enum err correlation_steps_read(
        struct maker *m, const struct yaml_node *condition, struct correlation *c)
{
    struct condition_name *names = NULL;
    struct node *root = NULL;
    TRY(make_names(m, c, &names));
    TRY(make_tree(m, condition, names, c->part_count, &root));
    for (uint32_t i = 0; i < c->part_count; i++) {
        if (!names[i].used) {
            return maker_fail(m, condition, ERR_SYNTAX,
                    "correlation: rule '%.*s' does not stand in the condition",
                    SLICE_ARG(names[i].name));
        }
    }
    TRY(flatten(m, condition, root, c));
    if (c->type != CORRELATION_TEMPORAL_ORDERED) {
        return OK;
    }
    if (!only_and(c)) {
        return maker_fail(m, condition, ERR_UNSUPPORTED,
                "correlation: in an order, 'or' and 'not' have no meaning: only 'and'");
    }
    c->step_count = 0;
    c->bounds[c->bound_count++] = (struct correlation_bound){CORRELATION_GTE, c->part_count};
    return OK;
}
