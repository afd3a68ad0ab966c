#include "sigma/maker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sigma/regex.h"

/* Of one thread; a whole SigmaHQ needs 12 MB. */
#define ARENA_BYTES ((size_t)4 << 30)
#define SCRATCH_BYTES ((size_t)1 << 30)

enum err maker_init(struct maker *m, const struct placeholders *placeholders)
{
    *m = (struct maker){.placeholders = placeholders};
    arena_init(&m->arena, ARENA_BYTES);
    arena_init(&m->scratch, SCRATCH_BYTES);
    return pool_init(&m->pool);
}

void maker_fini(struct maker *m)
{
    pool_fini(&m->pool);
    arena_fini(&m->arena);
    arena_fini(&m->scratch);
    buf_fini(&m->text);
    buf_fini(&m->meaning);
    memory_free(m->leaves);
    *m = (struct maker){0};
}

void maker_file(struct maker *m, struct slice name)
{
    arena_reset(&m->scratch);
    m->file = name;
    m->stop = m->arena.used + MAKER_FILE_BYTES;
}

void maker_begin(struct maker *m, struct diag *diag)
{
    m->diag = diag;
    m->leaf_count = 0;
}

enum err maker_fail(
        struct maker *m, const struct yaml_node *at, enum err e, const char *format, ...)
{
    char words[DIAG_WORDS];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(words, sizeof words, format, list);
    va_end(list);
    return diag_set(m->diag, e, at ? at->line : 0, at ? at->column : 0, "%s", words);
}

enum err maker_no_memory(struct maker *m)
{
    return diag_say(m->diag, ERR_MEMORY, "no memory for this rule");
}

static enum err keep_leaf(struct maker *m, struct node *leaf)
{
    if (m->leaf_count == m->leaf_room) {
        uint32_t room = m->leaf_room ? m->leaf_room * 2 : 256;
        struct node **leaves = memory_resize(m->leaves, room * sizeof *leaves);
        if (!leaves) {
            return maker_no_memory(m);
        }
        m->leaves = leaves;
        m->leaf_room = room;
    }
    m->leaves[m->leaf_count++] = leaf;
    return OK;
}

/* Makes what the predicate points to last. */
static enum err keep_predicate(struct maker *m, struct predicate *p)
{
    p->text = arena_copy(&m->arena, p->text);
    if (!p->text.at) {
        return maker_no_memory(m);
    }
    if (p->op != OP_REGEX) {
        return OK;
    }
    struct regex *regex;
    TRY(regex_compile(&m->arena, p->text, p->regex_flags, &regex, m->diag));
    p->regex = regex;
    return OK;
}

enum err maker_leaf(struct maker *m, struct predicate *p, struct node **out)
{
    if (m->leaf_count == MAKER_PREDICATES) {
        return diag_say(m->diag, ERR_LIMIT, "more tests in a rule than the limit of %d",
                (int)MAKER_PREDICATES);
    }
    if (m->arena.used > m->stop) {
        return diag_say(m->diag, ERR_LIMIT,
                "this file's rules take more than the limit of %zu bytes", MAKER_FILE_BYTES);
    }
    uint32_t id;
    if (!pool_find(&m->pool, p, &id)) {
        TRY(keep_predicate(m, p));
        enum err e = pool_add(&m->pool, p, &id);
        if (e != OK) {
            return diag_say(m->diag, e, "too many predicates for this machine");
        }
    }
    struct node *leaf = ARENA_NEW(&m->arena, struct node);
    if (!leaf) {
        return maker_no_memory(m);
    }
    leaf->kind = NODE_PREDICATE;
    leaf->predicate = id;
    TRY(keep_leaf(m, leaf));
    *out = leaf;
    return OK;
}

enum err maker_group(struct maker *m, enum node_kind kind, struct node *const *children,
        uint32_t count, struct node **out)
{
    if (count == 1 && (kind == NODE_AND || kind == NODE_OR)) {
        *out = children[0];
        return OK;
    }
    struct node *node = ARENA_NEW(&m->arena, struct node);
    struct node **copy = ARENA_ARRAY(&m->arena, struct node *, count);
    if (!node || !copy) {
        return maker_no_memory(m);
    }
    if (count) {
        memcpy(copy, children, count * sizeof *copy);
    }
    node->kind = kind;
    node->count = count;
    node->children = (const struct node *const *)copy;
    *out = node;
    return OK;
}
