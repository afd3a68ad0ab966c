#include "cli/yaml_json.h"

static void add_string(struct buf *out, struct slice text)
{
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

static size_t skip_digits(struct slice s, size_t at)
{
    while (at < s.size && s.at[at] >= '0' && s.at[at] <= '9') {
        at++;
    }
    return at;
}

/* RFC 8259, section 6. */
static bool is_json_number(struct slice s)
{
    size_t at = s.size > 0 && s.at[0] == '-';
    size_t whole = skip_digits(s, at);
    if (whole == at || (s.at[at] == '0' && whole > at + 1)) {
        return false;
    }
    at = whole;
    if (at < s.size && s.at[at] == '.') {
        size_t end = skip_digits(s, at + 1);
        if (end == at + 1) {
            return false;
        }
        at = end;
    }
    if (at < s.size && (s.at[at] == 'e' || s.at[at] == 'E')) {
        at += 1 + (at + 1 < s.size && (s.at[at + 1] == '+' || s.at[at + 1] == '-'));
        size_t end = skip_digits(s, at);
        if (end == at) {
            return false;
        }
        at = end;
    }
    return at == s.size;
}

static void add_scalar(struct buf *out, const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_NULL:
        buf_add(out, SLICE("null"));
        return;
    case YAML_BOOL:
        buf_add(out, node->integer ? SLICE("true") : SLICE("false"));
        return;
    case YAML_INT:
    case YAML_FLOAT:
        if (is_json_number(node->text)) {
            buf_add(out, node->text);
            return;
        }
        add_string(out, node->text);
        return;
    default:
        add_string(out, node->text);
    }
}

static bool is_open(const struct yaml_node *node)
{
    return node->kind == YAML_LIST || node->kind == YAML_MAP;
}

/* What is open: the node and those above it. */
struct trail {
    const struct yaml_node *open[YAML_JSON_DEPTH];
    size_t depth;
    struct buf *out;
};

static bool begin(struct trail *t, const struct yaml_node *node)
{
    if (!is_open(node)) {
        add_scalar(t->out, node);
        return true;
    }
    if (t->depth == YAML_JSON_DEPTH) {
        return false;
    }
    buf_byte(t->out, node->kind == YAML_MAP ? '{' : '[');
    t->open[t->depth++] = node;
    return true;
}

/* The node after one that was begun: its first child; else what comes next, here or further up,
 * where what has ended is closed. NULL: all has ended. */
static const struct yaml_node *following(struct trail *t, const struct yaml_node *node)
{
    if (is_open(node) && node->first) {
        return node->first;
    }
    while (t->depth > 0) {
        if (node == t->open[t->depth - 1]) {
            buf_byte(t->out, node->kind == YAML_MAP ? '}' : ']');
            t->depth--;
        }
        if (t->depth > 0 && node->next) {
            buf_byte(t->out, ',');
            return node->next;
        }
        node = t->depth > 0 ? t->open[t->depth - 1] : node;
    }
    return NULL;
}

enum err yaml_json_write(const struct yaml_node *node, struct buf *out, struct diag *diag)
{
    struct trail t = {.out = out};
    while (node) {
        if (!begin(&t, node)) {
            return diag_set(diag, ERR_LIMIT, node->line, node->column, "over %d levels",
                    (int)YAML_JSON_DEPTH);
        }
        node = following(&t, node);
        if (node && t.open[t.depth - 1]->kind == YAML_MAP) {
            add_string(out, node->key->text);
            buf_byte(out, ':');
        }
    }
    return out->failed ? diag_say(diag, ERR_MEMORY, "no memory for an event") : OK;
}
