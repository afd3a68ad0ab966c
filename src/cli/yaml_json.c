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

enum err yaml_json_write(const struct yaml_node *node, struct buf *out, struct diag *diag)
{
    const struct yaml_node *open[YAML_JSON_DEPTH];
    size_t depth = 0;
    for (;;) {
        if (is_open(node)) {
            if (depth == YAML_JSON_DEPTH) {
                return diag_set(diag, ERR_LIMIT, node->line, node->column, "over %d levels",
                        (int)YAML_JSON_DEPTH);
            }
            buf_byte(out, node->kind == YAML_MAP ? '{' : '[');
            open[depth++] = node;
        } else {
            add_scalar(out, node);
        }
        /* Down to the first child; else to what comes next, here or further up. */
        const struct yaml_node *next = is_open(node) ? node->first : NULL;
        bool first = next != NULL;
        while (!next && depth > 0) {
            if (is_open(node) && node == open[depth - 1]) {
                buf_byte(out, node->kind == YAML_MAP ? '}' : ']');
                depth--;
            }
            next = depth > 0 ? node->next : NULL;
            node = depth > 0 && !next ? open[depth - 1] : node;
        }
        if (!next) {
            return out->failed ? diag_say(diag, ERR_MEMORY, "no memory for an event") : OK;
        }
        buf_add(out, first ? SLICE("") : SLICE(","));
        if (open[depth - 1]->kind == YAML_MAP) {
            add_string(out, next->key->text);
            buf_byte(out, ':');
        }
        node = next;
    }
}
