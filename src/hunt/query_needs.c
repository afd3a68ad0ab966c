#include "hunt/query_needs.h"

#include "base/fold.h"
#include "sigma/tree.h"

struct making {
    const struct ruleset *set;
    const struct taxonomy_entry *entries[TAXONOMY_TERMS];
    size_t entry_count;
    struct arena *arena;
};

static const struct query_need nothing = {.kind = NEED_NOTHING};

static struct query_need *new_need(struct making *m, enum need_kind kind)
{
    struct query_need *need = ARENA_NEW(m->arena, struct query_need);
    if (need) {
        need->kind = kind;
    }
    return need;
}

/* How the logsource may show a field: as it is, by another name, or with other values. */
enum shown { SHOWN_SAME, SHOWN_ELSEWHERE, SHOWN_CHANGED };

static enum shown shown_as(const struct making *m, struct slice field)
{
    enum shown shown = SHOWN_SAME;
    for (size_t e = 0; e < m->entry_count; e++) {
        for (size_t c = 0; c < m->entries[e]->count; c++) {
            const struct taxonomy_case *one = &m->entries[e]->any_of[c];
            for (size_t a = 0; a < one->alias_count; a++) {
                if (!slice_equal(one->aliases[a].name, field)) {
                    continue;
                }
                if (one->aliases[a].map_count) {
                    return SHOWN_CHANGED;
                }
                shown = SHOWN_ELSEWHERE;
            }
        }
    }
    return shown;
}

/* The longest piece between a pattern's wildcards, and how it stands in the value. */
static enum need_kind longest_piece(struct slice pattern, struct slice *piece)
{
    enum need_kind kind = NEED_PRESENT;
    *piece = slice_of("", 0);
    for (size_t from = 0; from <= pattern.size;) {
        size_t to = from;
        while (to < pattern.size && pattern.at[to] != PATTERN_MANY &&
                pattern.at[to] != PATTERN_ONE) {
            to++;
        }
        if (to - from > piece->size) {
            *piece = slice_of(pattern.at + from, to - from);
            kind = from == 0 ? NEED_PREFIX : to == pattern.size ? NEED_SUFFIX : NEED_CONTAINS;
        }
        from = to + 1;
    }
    return kind;
}

static enum need_kind kind_of(const struct predicate *p, struct slice *text)
{
    *text = p->text;
    switch (p->op) {
    case OP_EQUAL:
        return p->text.size ? NEED_EQUAL : NEED_NOTHING;
    case OP_PREFIX:
        return NEED_PREFIX;
    case OP_SUFFIX:
        return NEED_SUFFIX;
    case OP_CONTAINS:
        return NEED_CONTAINS;
    case OP_PATTERN:
        return longest_piece(p->text, text);
    case OP_NULL:    /* of what is not there */
    case OP_EXISTS:  /* null included */
    case OP_PRESENT: /* an object, too, which has no text */
        return NEED_NOTHING;
    default: /* a regex, a number in some spelling, an address, another field... */
        return NEED_PRESENT;
    }
}

/* NULL: no memory. */
static const struct query_need *make_leaf(struct making *m, const struct predicate *p)
{
    struct slice text;
    enum need_kind kind = kind_of(p, &text);
    bool keyword = p->field == FIELD_NONE;
    struct slice field = keyword ? slice_of("", 0) : field_name(m->set->fields, p->field);
    enum shown shown = keyword ? SHOWN_SAME : shown_as(m, field);
    bool weak = kind == NEED_PRESENT && (keyword || shown != SHOWN_SAME);
    if (kind == NEED_NOTHING || shown == SHOWN_CHANGED || weak) {
        return &nothing;
    }
    struct query_need *need = new_need(m, kind);
    if (!need) {
        return NULL;
    }
    need->field = shown == SHOWN_ELSEWHERE ? slice_of("", 0) : arena_copy(m->arena, field);
    need->number = shown == SHOWN_SAME ? p->field : FIELD_NONE;
    if (kind != NEED_PRESENT) {
        char *to = arena_alloc(m->arena, text.size * 2 + 1, 1);
        need->text = slice_of(to, to ? fold_text(text, to) : 0);
        if (!to) {
            return NULL;
        }
    }
    return need->field.at ? need : NULL;
}

/* AND and AT_LEAST and OR over what was made of the children. */
static const struct query_need *make_group(
        struct making *m, const struct node *node, const struct query_need *const *made)
{
    bool all = node->kind == NODE_AND;
    const struct query_need **children =
            ARENA_ARRAY(m->arena, const struct query_need *, node->count);
    uint32_t count = 0;
    if (!children) {
        return NULL;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        if (made[i]->kind != NEED_NOTHING) {
            children[count++] = made[i];
        } else if (!all) {
            return &nothing;
        }
    }
    if (all && count == 0) {
        return &nothing;
    }
    if (count == 1) {
        return children[0];
    }
    struct query_need *need = new_need(m, all ? NEED_AND : NEED_OR);
    if (need) {
        need->children = children;
        need->count = count;
    }
    return need;
}

/* A node whose children are being made. */
struct open {
    const struct node *node;
    const struct query_need **made;
    uint32_t next;
};

static bool is_group(const struct node *node)
{
    return node->kind == NODE_AND || node->kind == NODE_OR || node->kind == NODE_AT_LEAST;
}

static const struct query_need *make_simple(struct making *m, const struct node *node)
{
    if (node->kind == NODE_PREDICATE) {
        return make_leaf(m, &m->set->predicates[node->predicate]);
    }
    return node->kind == NODE_FALSE ? new_need(m, NEED_OR) : &nothing; /* what is negated is weak */
}

static const struct query_need *make_tree(struct making *m, const struct node *root)
{
    struct open *stack = ARENA_ARRAY(m->arena, struct open, TREE_DEPTH + 1);
    const struct node *at = root;
    size_t depth = 0;
    if (!stack) {
        return NULL;
    }
    for (;;) {
        const struct query_need *made;
        if (is_group(at) && at->count && depth < TREE_DEPTH) {
            const struct query_need **room =
                    ARENA_ARRAY(m->arena, const struct query_need *, at->count);
            if (!room) {
                return NULL;
            }
            stack[depth++] = (struct open){at, room, 0};
            at = at->children[0];
            continue;
        }
        made = is_group(at) ? &nothing : make_simple(m, at);
        for (;;) {
            if (!made || depth == 0) {
                return made;
            }
            struct open *top = &stack[depth - 1];
            top->made[top->next++] = made;
            if (top->next < top->node->count) {
                at = top->node->children[top->next];
                break;
            }
            made = make_group(m, top->node, top->made);
            depth--;
        }
    }
}

enum err query_needs_make(const struct ruleset *set, const struct taxonomy *taxonomy,
        struct arena *arena, const struct query_need **out)
{
    struct making m = {.set = set, .arena = arena};
    if (taxonomy) {
        m.entry_count = taxonomy_resolve(taxonomy, &set->rules[0]->logsource, m.entries);
    }
    const struct query_need *made = make_tree(&m, set->rules[0]->condition);
    if (!made) {
        return ERR_MEMORY;
    }
    *out = made;
    return OK;
}
