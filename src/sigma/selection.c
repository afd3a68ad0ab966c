#include "sigma/selection.h"

#include <stdio.h>
#include <string.h>

#include "base/fold.h"
#include "sigma/address.h"
#include "sigma/literal.h"
#include "sigma/modifier.h"

/* `field|modifiers` of one item. */
struct item {
    const struct yaml_node *key; /* NULL: a keyword of a list */
    struct slice field;          /* empty: a keyword */
    uint32_t field_id;
    struct modifier_chain chain;
};

struct nodes {
    struct node **items; /* in scratch */
    uint32_t count;
    uint32_t room;
};

static enum err nodes_add(struct maker *m, struct nodes *nodes, struct node *node)
{
    if (nodes->count == nodes->room) {
        uint32_t room = nodes->room ? nodes->room * 2 : 16;
        struct node **items = ARENA_ARRAY(&m->scratch, struct node *, room);
        if (!items) {
            return maker_no_memory(m);
        }
        if (nodes->count) {
            memcpy(items, nodes->items, nodes->count * sizeof *items);
        }
        nodes->items = items;
        nodes->room = room;
    }
    nodes->items[nodes->count++] = node;
    return OK;
}

/* ---- one term: one predicate --------------------------------------------------------------- */

/* Wildcards at the ends are tests of their own, which the engine has indexes for. */
static void classify(struct predicate *p, struct slice text)
{
    bool front = text.size > 0 && text.at[0] == PATTERN_MANY;
    bool back = text.size > 0 && text.at[text.size - 1] == PATTERN_MANY;
    struct slice inner = slice_of(text.at + front, text.size - front - (back && text.size > 1));
    if (text.size == 1 && front) {
        p->op = OP_PRESENT;
        p->cased = false;
        p->text = slice_of("", 0);
    } else if (literal_has_marks(inner)) {
        p->op = OP_PATTERN;
        p->text = text;
    } else {
        p->op = front && back ? OP_CONTAINS : front ? OP_SUFFIX : back ? OP_PREFIX : OP_EQUAL;
        p->text = inner;
    }
}

static enum err text_predicate(
        struct maker *m, const struct item *item, struct slice text, struct predicate *p)
{
    bool keyword = item->field.size == 0 && !item->chain.placed;
    char *copy = arena_alloc(&m->scratch, text.size * 2 + 4, 1);
    if (!copy) {
        return maker_no_memory(m);
    }
    size_t n = 0;
    if (keyword) {
        copy[n++] = PATTERN_MANY;
    }
    if (p->cased) {
        memcpy(copy + n, text.at, text.size);
        n += text.size;
    } else {
        n += fold_text(text, copy + n);
    }
    if (keyword) {
        copy[n++] = PATTERN_MANY;
    }
    classify(p, literal_squeeze(copy, n));
    return OK;
}

/* A number has one spelling, whatever the rule's is. */
static enum err number_predicate(struct maker *m, const struct term *term, struct predicate *p)
{
    p->number = term->number;
    p->is_integer = term->is_integer;
    p->integer = term->integer;
    double limit = 9007199254740992.0; /* 2^53: whole doubles up to here are exact integers */
    if (!p->is_integer && p->number >= -limit && p->number <= limit &&
            p->number == (double)(int64_t)p->number) {
        p->is_integer = true;
        p->integer = (int64_t)p->number;
    }
    if (p->is_integer) {
        p->number = (double)p->integer;
    } else {
        p->integer = 0;
    }
    char text[64];
    int size = p->is_integer ? snprintf(text, sizeof text, "%lld", (long long)p->integer)
                             : snprintf(text, sizeof text, "%.17g", p->number);
    p->text = arena_copy(&m->scratch, slice_of(text, (size_t)size));
    return p->text.at ? OK : maker_no_memory(m);
}

/* startswith, endswith and contains of a regex: `.` may be no newline, so anchors it is. */
static enum err regex_predicate(struct maker *m, const struct term *term, struct predicate *p)
{
    p->op = OP_REGEX;
    p->text = term->text;
    p->regex_flags = term->regex_flags;
    if (term->starts == term->ends) {
        return OK;
    }
    struct buf text = {0};
    buf_add(&text, term->starts ? SLICE("\\A(?:") : SLICE("(?:"));
    buf_add(&text, term->text);
    buf_add(&text, term->ends ? SLICE(")\\z") : SLICE(")"));
    p->text = text.failed ? slice_of(NULL, 0) : arena_copy(&m->scratch, buf_slice(&text));
    buf_fini(&text);
    return p->text.at ? OK : maker_no_memory(m);
}

static enum err field_id(
        struct maker *m, const struct yaml_node *at, struct slice name, uint32_t *id)
{
    enum err e = field_intern(m->pool.fields, name, id);
    if (e == ERR_LIMIT) {
        return maker_fail(m, at, e, "more field names than the limit of %d", (int)FIELD_LIMIT);
    }
    return e == OK ? OK : maker_no_memory(m);
}

static enum err field_predicate(struct maker *m, const struct term *term,
        const struct yaml_node *value, struct predicate *p)
{
    p->op = term->starts && term->ends ? OP_FIELD_CONTAINS
            : term->starts             ? OP_FIELD_PREFIX
            : term->ends               ? OP_FIELD_SUFFIX
                                       : OP_FIELD_EQUAL;
    p->text = term->text;
    return field_id(m, value, term->text, &p->other);
}

static enum err cidr_predicate(struct maker *m, const struct term *term, struct predicate *p)
{
    char text[ADDRESS_TEXT];
    p->op = OP_CIDR;
    p->cidr = term->cidr;
    p->text = arena_copy(&m->scratch, address_write(&p->cidr, text));
    return p->text.at ? OK : maker_no_memory(m);
}

/* The predicate of a term; *negated: its opposite (`exists: false`). */
static enum err make_predicate(struct maker *m, const struct item *item, const struct term *term,
        const struct yaml_node *value, struct predicate *p)
{
    p->field = item->field_id;
    p->cased = term->cased && (term->kind == TERM_TEXT || term->kind == TERM_FIELD);
    switch (term->kind) {
    case TERM_NULL:
        p->op = OP_NULL;
        return OK;
    case TERM_EXISTS:
        p->op = OP_EXISTS;
        return OK;
    case TERM_NUMBER:
        if (item->field.size == 0) {
            return text_predicate(m, item, term->text, p); /* a keyword is a text */
        }
        p->op = OP_NUMBER;
        return number_predicate(m, term, p);
    case TERM_COMPARE:
    case TERM_TIME:
        p->op = term->op;
        return number_predicate(m, term, p);
    case TERM_REGEX:
        return regex_predicate(m, term, p);
    case TERM_CIDR:
        return cidr_predicate(m, term, p);
    case TERM_FIELD:
        return field_predicate(m, term, value, p);
    default:
        return text_predicate(m, item, term->text, p);
    }
}

static enum err check_keyword(struct maker *m, const struct item *item, const struct term *term,
        const struct yaml_node *value)
{
    bool needs_field =
            term->kind == TERM_NULL || term->kind == TERM_EXISTS || term->kind == TERM_FIELD;
    if (item->field.size == 0 && needs_field) {
        return maker_fail(m, value, ERR_SYNTAX, "%s needs a field",
                term->kind == TERM_NULL     ? "null"
                : term->kind == TERM_EXISTS ? "modifier 'exists'"
                                            : "modifier 'fieldref'");
    }
    return OK;
}

static enum err term_node(struct maker *m, const struct item *item, const struct term *term,
        const struct yaml_node *value, struct node **out)
{
    struct predicate p = {.other = FIELD_NONE, .text = {"", 0}};
    TRY(check_keyword(m, item, term, value));
    TRY(make_predicate(m, item, term, value, &p));
    struct diag inner = {0};
    struct diag *outer = m->diag;
    m->diag = &inner;
    enum err e = maker_leaf(m, &p, out);
    m->diag = outer;
    if (e != OK) {
        bool regex = p.op == OP_REGEX && inner.column > 0;
        return regex ? maker_fail(m, value, e, "regular expression, character %u: %s", inner.column,
                               inner.words)
                     : maker_fail(m, value, e, "%s", inner.words);
    }
    if (term->kind == TERM_EXISTS && !term->yes) {
        return maker_group(m, NODE_NOT, out, 1, out);
    }
    return OK;
}

/* ---- one item ------------------------------------------------------------------------------ */

/* What one value expands to is linked by OR, under `all`, too. */
static enum err value_node(
        struct maker *m, const struct item *item, const struct yaml_node *value, struct node **out)
{
    struct modifier_terms terms;
    if (value->kind == YAML_LIST || value->kind == YAML_MAP) {
        return maker_fail(m, value, ERR_SYNTAX, "expected a value or a list of values");
    }
    TRY(modifier_apply(m, &item->chain, value, &terms));
    if (terms.count == 1) {
        return term_node(m, item, &terms.items[0], value, out);
    }
    struct nodes nodes = {0};
    for (uint32_t i = 0; i < terms.count; i++) {
        struct node *node;
        TRY(term_node(m, item, &terms.items[i], value, &node));
        TRY(nodes_add(m, &nodes, node));
    }
    return maker_group(m, NODE_OR, nodes.items, nodes.count, out);
}

static enum err item_node(
        struct maker *m, const struct item *item, const struct yaml_node *values, struct node **out)
{
    struct nodes nodes = {0};
    bool list = values->kind == YAML_LIST;
    if (list && values->count == 0) {
        return maker_fail(m, values, ERR_SYNTAX, "empty list of values");
    }
    for (const struct yaml_node *v = list ? values->first : values; v; v = list ? v->next : NULL) {
        struct node *node;
        TRY(value_node(m, item, v, &node));
        TRY(nodes_add(m, &nodes, node));
    }
    TRY(maker_group(m, item->chain.all ? NODE_AND : NODE_OR, nodes.items, nodes.count, out));
    return item->chain.negated ? maker_group(m, NODE_NOT, out, 1, out) : OK;
}

static enum err make_item(struct maker *m, const struct yaml_node *entry, struct node **out)
{
    struct item item = {.key = entry->key, .field_id = FIELD_NONE};
    struct slice key = entry->key->text;
    size_t bar = slice_find_byte(key, '|');
    item.field = slice_of(key.at, bar);
    if (bar < key.size) {
        TRY(modifier_parse(
                m, entry->key, slice_of(key.at + bar + 1, key.size - bar - 1), &item.chain));
    }
    if (item.field.size) {
        TRY(field_id(m, entry->key, item.field, &item.field_id));
    }
    return item_node(m, &item, entry, out);
}

static enum err map_node(struct maker *m, const struct yaml_node *map, struct node **out)
{
    struct nodes nodes = {0};
    if (map->count == 0) {
        return maker_fail(m, map, ERR_SYNTAX, "empty map in a detection");
    }
    for (const struct yaml_node *entry = map->first; entry; entry = entry->next) {
        struct node *node;
        TRY(make_item(m, entry, &node));
        TRY(nodes_add(m, &nodes, node));
    }
    return maker_group(m, NODE_AND, nodes.items, nodes.count, out);
}

/* ---- one search identifier ----------------------------------------------------------------- */

/* A map, or a keyword. */
static enum err part_node(struct maker *m, const struct yaml_node *part, struct node **out)
{
    if (part->kind == YAML_MAP) {
        return map_node(m, part, out);
    }
    struct item keyword = {.field_id = FIELD_NONE};
    return value_node(m, &keyword, part, out);
}

/* Lists in lists are one list: all are linked by OR. */
static enum err list_node(struct maker *m, const struct yaml_node *list, struct node **out)
{
    struct yaml_limits limits = YAML_LIMITS;
    const struct yaml_node **stack =
            ARENA_ARRAY(&m->scratch, const struct yaml_node *, limits.depth);
    struct nodes nodes = {0};
    uint32_t depth = 0;
    if (!stack) {
        return maker_no_memory(m);
    }
    const struct yaml_node *at = list->first;
    for (;;) {
        if (!at) {
            if (depth == 0) {
                break;
            }
            at = stack[--depth]->next;
        } else if (at->kind == YAML_LIST && depth < limits.depth) {
            stack[depth++] = at;
            at = at->first;
        } else {
            struct node *node;
            TRY(part_node(m, at, &node));
            TRY(nodes_add(m, &nodes, node));
            at = at->next;
        }
    }
    if (nodes.count == 0) {
        return maker_fail(m, list, ERR_SYNTAX, "empty list in a detection");
    }
    return maker_group(m, NODE_OR, nodes.items, nodes.count, out);
}

enum err selection_make(struct maker *m, const struct yaml_node *definition, struct node **out)
{
    if (definition->kind == YAML_NULL) {
        return maker_fail(m, definition, ERR_SYNTAX, "empty search identifier");
    }
    return definition->kind == YAML_LIST ? list_node(m, definition, out)
                                         : part_node(m, definition, out);
}
