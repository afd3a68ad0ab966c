#include "sigma/condition.h"

#include <string.h>

/* An open bracket, or the whole. Operands wait in two stacks: those of the `and` that is being
 * read, and those of the `or` around it. */
struct frame {
    uint32_t ands; /* where this bracket's begin */
    uint32_t ors;
    bool negated; /* an odd number of `not` before it */
    uint32_t column;
};

struct parser {
    struct maker *m;
    struct slice text;
    size_t at;
    struct condition_name *names;
    uint32_t name_count;
    struct node **ands, **ors; /* in scratch: as many as the text may have words */
    uint32_t and_count, or_count;
    struct frame frames[CONDITION_DEPTH + 1];
    uint32_t depth;
    bool negated;   /* `not` before the operand that comes next */
    uint32_t nodes; /* of the tree so far, shared parts counted at each use */
};

struct word {
    struct slice text; /* empty: the end */
    uint32_t column;
};

static enum err fail(struct parser *p, uint32_t column, enum err e, const char *words)
{
    return diag_set(p->m->diag, e, 0, column, "condition: %s", words);
}

static enum err fail_word(struct parser *p, struct word word, enum err e, const char *words)
{
    return diag_set(
            p->m->diag, e, 0, word.column, "condition: %s '%.*s'", words, SLICE_ARG(word.text));
}

/* ---- words --------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct word next_word(struct parser *p)
{
    while (p->at < p->text.size && is_blank(p->text.at[p->at])) {
        p->at++;
    }
    size_t from = p->at;
    while (p->at < p->text.size && !is_blank(p->text.at[p->at])) {
        char c = p->text.at[p->at];
        if (c == '(' || c == ')' || c == '|') {
            p->at += p->at == from;
            break;
        }
        p->at++;
    }
    return (struct word){slice_of(p->text.at + from, p->at - from), (uint32_t)from + 1};
}

static bool is_word(struct word word, struct slice want)
{
    return slice_equal_nocase(word.text, want);
}

/* The next word is `of`: then the word before it is a quantifier. */
static bool of_follows(struct parser *p)
{
    size_t at = p->at;
    bool of = is_word(next_word(p), SLICE("of"));
    if (!of) {
        p->at = at;
    }
    return of;
}

/* ---- operands ------------------------------------------------------------------------------ */

bool condition_fits(struct slice pattern, struct slice name)
{
    size_t i = 0, k = 0, star = SIZE_MAX, mark = 0;
    while (i < name.size) {
        if (k < pattern.size && pattern.at[k] == '*') {
            star = k++;
            mark = i;
        } else if (k < pattern.size && pattern.at[k] == name.at[i]) {
            i++;
            k++;
        } else if (star != SIZE_MAX) {
            k = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (k < pattern.size && pattern.at[k] == '*') {
        k++;
    }
    return k == pattern.size;
}

static enum err count_nodes(struct parser *p, struct word word, uint32_t more)
{
    if (more > MAKER_NODES - p->nodes) {
        return fail_word(p, word, ERR_LIMIT, "the tree grows over the limit of 1000000 nodes at");
    }
    p->nodes += more;
    return OK;
}

static enum err push(struct parser *p, struct node *node)
{
    struct node *operand = node;
    if (p->negated) {
        TRY(maker_group(p->m, NODE_NOT, &operand, 1, &operand));
    }
    p->negated = false;
    p->ands[p->and_count++] = operand;
    return OK;
}

static enum err read_name(struct parser *p, struct word word)
{
    for (uint32_t i = 0; i < p->name_count; i++) {
        if (slice_equal(p->names[i].name, word.text)) {
            p->names[i].used = true;
            TRY(count_nodes(p, word, p->names[i].nodes));
            return push(p, p->names[i].node);
        }
    }
    return fail_word(p, word, ERR_NOT_FOUND, "unknown search identifier");
}

/* How many: 0 for all. */
static bool read_quantity(struct word word, uint32_t *quantity)
{
    if (is_word(word, SLICE("all")) || is_word(word, SLICE("any"))) {
        *quantity = is_word(word, SLICE("any"));
        return true;
    }
    uint32_t n = 0;
    for (size_t i = 0; i < word.text.size; i++) {
        char c = word.text.at[i];
        if (c < '0' || c > '9' || n > 100000) {
            return false;
        }
        n = n * 10 + (uint32_t)(c - '0');
    }
    *quantity = n;
    return n > 0;
}

/* "N of": that many of the children, and where there are fewer it can never hold. */
static enum err make_quantity(struct parser *p, uint32_t quantity, struct node *const *children,
        uint32_t count, struct node **out)
{
    if (count == 0 || quantity > count) {
        return maker_group(p->m, NODE_FALSE, NULL, 0, out);
    }
    if (quantity == 1) {
        return maker_group(p->m, NODE_OR, children, count, out);
    }
    if (quantity == 0 || quantity == count) {
        return maker_group(p->m, NODE_AND, children, count, out);
    }
    TRY(maker_group(p->m, NODE_AT_LEAST, children, count, out));
    (*out)->threshold = quantity;
    return OK;
}

static enum err read_selector(struct parser *p, uint32_t quantity)
{
    struct word pattern = next_word(p);
    if (pattern.text.size == 0 || pattern.text.at[0] == '(' || pattern.text.at[0] == ')') {
        return fail(p, pattern.column, ERR_SYNTAX, "expected a pattern or 'them' after 'of'");
    }
    bool them = is_word(pattern, SLICE("them"));
    struct node **children = ARENA_ARRAY(&p->m->scratch, struct node *, p->name_count);
    if (!children) {
        return maker_no_memory(p->m);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->name_count; i++) {
        struct condition_name *name = &p->names[i];
        if (name->name.size && name->name.at[0] == '_') {
            continue;
        }
        if (them || condition_fits(pattern.text, name->name)) {
            TRY(count_nodes(p, pattern, name->nodes));
            name->used = true;
            children[count++] = name->node;
        }
    }
    if (count == 0 && !them && slice_find_byte(pattern.text, '*') == pattern.text.size) {
        return fail_word(p, pattern, ERR_NOT_FOUND, "unknown search identifier");
    }
    struct node *node;
    TRY(count_nodes(p, pattern, 1));
    TRY(make_quantity(p, quantity, children, count, &node));
    return push(p, node);
}

/* ---- the expression ------------------------------------------------------------------------ */

static enum err open_bracket(struct parser *p, uint32_t column)
{
    if (p->depth == CONDITION_DEPTH) {
        return fail(p, column, ERR_LIMIT, "brackets nested deeper than the limit of 64");
    }
    p->frames[++p->depth] = (struct frame){
            .ands = p->and_count, .ors = p->or_count, .negated = p->negated, .column = column};
    p->negated = false;
    return OK;
}

/* The operands of the `and` that ends here become one of the `or`. */
static enum err end_and(struct parser *p)
{
    uint32_t from = p->frames[p->depth].ands;
    struct node *node;
    TRY(maker_group(p->m, NODE_AND, p->ands + from, p->and_count - from, &node));
    p->and_count = from;
    p->ors[p->or_count++] = node;
    return OK;
}

static enum err end_or(struct parser *p, struct node **out)
{
    TRY(end_and(p));
    uint32_t from = p->frames[p->depth].ors;
    TRY(maker_group(p->m, NODE_OR, p->ors + from, p->or_count - from, out));
    p->or_count = from;
    return OK;
}

/* One operand, or what stands before it; *complete: an operand is there. */
static enum err read_operand(struct parser *p, struct word word, bool *complete)
{
    uint32_t quantity;
    *complete = false;
    if (word.text.size == 0) {
        return fail(p, word.column, ERR_SYNTAX, "ends where an operand is expected");
    }
    if (is_word(word, SLICE("not"))) {
        p->negated = !p->negated;
        return count_nodes(p, word, 1);
    }
    if (word.text.at[0] == '(') {
        return open_bracket(p, word.column);
    }
    if (word.text.at[0] == ')' || is_word(word, SLICE("and")) || is_word(word, SLICE("or"))) {
        return fail_word(p, word, ERR_SYNTAX, "expected an operand before");
    }
    *complete = true;
    if (of_follows(p)) {
        if (!read_quantity(word, &quantity)) {
            return fail_word(
                    p, word, ERR_SYNTAX, "expected 1, any, all or a number before 'of', not");
        }
        return read_selector(p, quantity);
    }
    return read_name(p, word);
}

/* What follows an operand; *expect: an operand comes next. */
static enum err read_operator(struct parser *p, struct word word, bool *expect)
{
    *expect = true;
    if (is_word(word, SLICE("and"))) {
        return count_nodes(p, word, 1);
    }
    if (is_word(word, SLICE("or"))) {
        TRY(count_nodes(p, word, 1));
        return end_and(p);
    }
    *expect = false;
    if (word.text.at[0] != ')') {
        return fail_word(p, word, ERR_SYNTAX, "expected 'and', 'or' or the end, not");
    }
    if (p->depth == 0) {
        return fail(p, word.column, ERR_SYNTAX, "')' without '('");
    }
    struct node *node;
    TRY(end_or(p, &node));
    p->negated = p->frames[p->depth--].negated;
    return push(p, node);
}

static enum err read_all(struct parser *p, struct node **out)
{
    bool expect = true;
    for (;;) {
        struct word word = next_word(p);
        if (word.text.size && word.text.at[0] == '|') {
            return fail(p, word.column, ERR_UNSUPPORTED,
                    "aggregation after '|' was replaced by correlation rules");
        }
        if (expect) {
            bool complete;
            TRY(read_operand(p, word, &complete));
            expect = !complete;
        } else if (word.text.size) {
            TRY(read_operator(p, word, &expect));
        } else if (p->depth > 0) {
            return fail(p, p->frames[p->depth].column, ERR_SYNTAX, "'(' without ')'");
        } else {
            return end_or(p, out);
        }
    }
}

enum err condition_make(struct maker *m, struct slice text, struct condition_name *names,
        uint32_t count, struct node **out)
{
    if (text.size > CONDITION_BYTES) {
        return diag_set(m->diag, ERR_LIMIT, 0, 1, "condition: %zu bytes, more than the limit of %d",
                text.size, (int)CONDITION_BYTES);
    }
    struct parser *p = ARENA_NEW(&m->scratch, struct parser);
    if (!p) {
        return maker_no_memory(m);
    }
    *p = (struct parser){.m = m, .text = text, .names = names, .name_count = count};
    p->ands = ARENA_ARRAY(&m->scratch, struct node *, text.size + 1);
    p->ors = ARENA_ARRAY(&m->scratch, struct node *, text.size + 1);
    if (!p->ands || !p->ors) {
        return maker_no_memory(m);
    }
    return read_all(p, out);
}
