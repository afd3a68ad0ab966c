#include "sigma/tree.h"

#include "sigma/predicate.h"

struct frame {
    const struct node *node;
    uint32_t next;
    bool bracket;
};

struct writer {
    const struct predicate *predicates;
    const struct fields *fields;
    struct buf *out;
    struct frame frames[TREE_DEPTH];
    uint32_t depth;
};

static void enter(struct writer *w, const struct node *node)
{
    if (node->kind == NODE_PREDICATE) {
        predicate_write(&w->predicates[node->predicate], w->fields, w->out);
        return;
    }
    if (node->kind == NODE_TRUE || node->kind == NODE_FALSE) {
        buf_add(w->out, node->kind == NODE_TRUE ? SLICE("always") : SLICE("never"));
        return;
    }
    if (w->depth == TREE_DEPTH) {
        buf_add(w->out, SLICE("..."));
        return;
    }
    bool counted = node->kind == NODE_AT_LEAST;
    bool inner = w->depth > 0 && node->kind != NODE_NOT;
    if (counted) {
        buf_u64(w->out, node->threshold);
        buf_add(w->out, SLICE(" of "));
    }
    if (counted || inner) {
        buf_byte(w->out, '(');
    }
    w->frames[w->depth++] = (struct frame){node, 0, counted || inner};
}

static void join(struct writer *w, const struct frame *frame)
{
    if (frame->node->kind == NODE_NOT) {
        buf_add(w->out, SLICE("not "));
    } else if (frame->next > 0) {
        buf_add(w->out, frame->node->kind == NODE_AND  ? SLICE(" and ")
                        : frame->node->kind == NODE_OR ? SLICE(" or ")
                                                       : SLICE(", "));
    }
}

void tree_write(const struct node *root, const struct predicate *predicates,
        const struct fields *fields, struct buf *out)
{
    struct writer w = {.predicates = predicates, .fields = fields, .out = out};
    enter(&w, root);
    while (w.depth > 0) {
        struct frame *top = &w.frames[w.depth - 1];
        if (top->next == top->node->count) {
            if (top->bracket) {
                buf_byte(out, ')');
            }
            w.depth--;
            continue;
        }
        join(&w, top);
        enter(&w, top->node->children[top->next++]);
    }
}
