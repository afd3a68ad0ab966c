#include "support/yaml_same.h"

enum { DEPTH = 64 };

static bool same_scalar(const struct yaml_node *a, const struct yaml_node *b)
{
    return a->kind == b->kind && a->quoted == b->quoted && slice_equal(a->text, b->text) &&
           (!a->text.at || a->text.at[a->text.size] == '\0') && a->integer == b->integer &&
           memcmp(&a->number, &b->number, sizeof a->number) == 0 && a->line == b->line &&
           a->column == b->column && a->count == b->count;
}

static bool same_node(const struct yaml_node *a, const struct yaml_node *b)
{
    return same_scalar(a, b) && !a->key == !b->key && (!a->key || same_scalar(a->key, b->key)) &&
           !a->first == !b->first && !a->next == !b->next;
}

static bool same_tree(const struct yaml_node *a, const struct yaml_node *b)
{
    const struct yaml_node *stack[DEPTH][2] = {{a, b}};
    if (!a || !b) {
        return a == b;
    }
    for (int depth = 1; depth > 0;) {
        a = stack[depth - 1][0];
        b = stack[depth - 1][1];
        if (!a) {
            depth--;
            continue;
        }
        if (!same_node(a, b)) {
            return false;
        }
        stack[depth - 1][0] = a->next;
        stack[depth - 1][1] = b->next;
        if (a->first) {
            if (depth == DEPTH) {
                return false;
            }
            stack[depth][0] = a->first;
            stack[depth++][1] = b->first;
        }
    }
    return true;
}

bool yaml_same(const struct yaml_document *a, const struct yaml_document *b)
{
    for (; a && b; a = a->next, b = b->next) {
        if (!same_tree(a->root, b->root)) {
            return false;
        }
    }
    return !a && !b;
}
