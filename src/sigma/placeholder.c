#include "sigma/placeholder.h"

#include "base/yaml.h"

static bool is_scalar(const struct yaml_node *node)
{
    return node->kind != YAML_LIST && node->kind != YAML_MAP && node->kind != YAML_NULL;
}

static enum err read_values(const struct yaml_node *node, struct arena *arena,
        struct placeholder *to, struct diag *diag)
{
    bool list = node->kind == YAML_LIST;
    to->name = node->key->text;
    to->count = list ? node->count : 1;
    struct slice *values = ARENA_ARRAY(arena, struct slice, to->count);
    if (!values) {
        return ERR_MEMORY;
    }
    size_t i = 0;
    for (const struct yaml_node *n = list ? node->first : node; n; n = list ? n->next : NULL) {
        if (!is_scalar(n)) {
            return diag_set(diag, ERR_SYNTAX, n->line, n->column,
                    "placeholder '%.*s': expected a value or a list of values",
                    SLICE_ARG(to->name));
        }
        values[i++] = n->text;
    }
    if (i == 0) {
        return diag_set(diag, ERR_SYNTAX, node->line, node->column,
                "placeholder '%.*s' has no value", SLICE_ARG(to->name));
    }
    to->values = values;
    return OK;
}

enum err placeholder_read(
        struct arena *arena, struct slice text, struct placeholders *out, struct diag *diag)
{
    struct yaml_limits limits = YAML_LIMITS;
    struct yaml_document *document;
    TRY(yaml_read(arena, text, &limits, &document, diag));
    const struct yaml_node *root = document ? document->root : NULL;
    if (!root || root->kind == YAML_NULL) {
        *out = (struct placeholders){0};
        return OK;
    }
    if (root->kind != YAML_MAP || document->next) {
        return diag_set(diag, ERR_SYNTAX, root->line, root->column,
                "placeholders: expected one map of name to value or list of values");
    }
    struct placeholder *items = ARENA_ARRAY(arena, struct placeholder, root->count);
    if (!items) {
        return ERR_MEMORY;
    }
    size_t i = 0;
    for (const struct yaml_node *n = root->first; n; n = n->next) {
        TRY(read_values(n, arena, &items[i++], diag));
    }
    *out = (struct placeholders){items, root->count};
    return OK;
}

const struct placeholder *placeholder_find(const struct placeholders *p, struct slice name)
{
    for (size_t i = 0; p && i < p->count; i++) {
        if (slice_equal(p->items[i].name, name)) {
            return &p->items[i];
        }
    }
    return NULL;
}
