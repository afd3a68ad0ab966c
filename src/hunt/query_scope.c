#include "hunt/query_scope.h"

#include <string.h>

#include "base/near.h"

static enum err no_memory(struct query_reader *q, size_t at)
{
    return query_lex_fail(&q->lexer, at, ERR_MEMORY, "no memory for the query");
}

static enum err too_many(struct query_reader *q, size_t at)
{
    return query_lex_fail(&q->lexer, at, ERR_LIMIT, "over %d columns", (int)QUERY_COLUMNS);
}

static enum column_origin origin_of(struct slice name)
{
    return slice_equal(name, SLICE("_time"))     ? ORIGIN_TIME
           : slice_equal(name, SLICE("_id"))     ? ORIGIN_ID
           : slice_equal(name, SLICE("_source")) ? ORIGIN_SOURCE
           : slice_equal(name, SLICE("_raw"))    ? ORIGIN_RAW
                                                 : ORIGIN_FIELD;
}

static enum err add_column(
        struct query_reader *q, struct query_column *column, size_t at, uint32_t *slot)
{
    struct query_pipe *p = q->pipe;
    if (p->column_count == QUERY_COLUMNS) {
        return too_many(q, at);
    }
    if (!p->columns) {
        p->columns = ARENA_ARRAY(q->arena, struct query_column, QUERY_COLUMNS);
    }
    column->column.name = arena_copy(q->arena, column->column.name);
    if (!p->columns || !column->column.name.at) {
        return no_memory(q, at);
    }
    p->columns[p->column_count] = *column;
    *slot = p->column_count++;
    return OK;
}

/* The closed scope's names, by the fewest slips; empty: none is near. */
static struct slice near_name(const struct query_scope *scope, struct slice name)
{
    struct slice best = {0};
    size_t fewest = 3;
    for (uint32_t i = 0; i < scope->count; i++) {
        struct slice other = scope->columns[i].name;
        size_t slips = near_letters(other, name) ? 0 : near_distance(other, name);
        if (slips < fewest && slips < name.size) {
            fewest = slips;
            best = other;
        }
    }
    return best;
}

static enum err find_closed(struct query_reader *q, struct slice name, size_t at, uint32_t *slot)
{
    const struct query_scope *scope = &q->pipe->scope;
    struct buf names = {0};
    for (uint32_t i = 0; i < scope->count; i++) {
        if (slice_equal(scope->columns[i].name, name)) {
            *slot = i;
            buf_fini(&names);
            return OK;
        }
        buf_add(&names, i ? SLICE(", ") : SLICE(""));
        buf_add(&names, scope->columns[i].name);
    }
    struct slice near = near_name(scope, name);
    enum err e = near.size ? query_lex_fail(&q->lexer, at, ERR_NOT_FOUND,
                                     "no column '%.*s' here; did you mean '%.*s'?", SLICE_ARG(name),
                                     SLICE_ARG(near))
                           : query_lex_fail(&q->lexer, at, ERR_NOT_FOUND,
                                     "no column '%.*s' here: there are %.*s", SLICE_ARG(name),
                                     SLICE_ARG(buf_slice(&names)));
    buf_fini(&names);
    return e;
}

enum err query_scope_find(struct query_reader *q, struct slice name, size_t at, uint32_t *slot)
{
    struct query_pipe *p = q->pipe;
    if (!p->scope.open) {
        return find_closed(q, name, at, slot);
    }
    for (uint32_t i = 0; i < p->column_count; i++) {
        if (slice_equal(p->columns[i].column.name, name)) {
            *slot = i;
            return OK;
        }
    }
    struct query_column column = {{name, ROW_TEXT}, origin_of(name), 0};
    column.column.kind = column.origin == ORIGIN_TIME ? ROW_TIME : ROW_TEXT;
    return add_column(q, &column, at, slot);
}

enum err query_scope_time(struct query_reader *q, size_t at, uint32_t *slot)
{
    const struct query_scope *scope = &q->pipe->scope;
    if (scope->open) {
        return query_scope_find(q, SLICE("_time"), at, slot);
    }
    *slot = FIELD_NONE;
    for (uint32_t i = 0; i < scope->count; i++) {
        if (slice_equal(scope->columns[i].name, SLICE("_time")) &&
                scope->columns[i].kind == ROW_TIME) {
            *slot = i;
        }
    }
    return OK;
}

enum err query_scope_add(
        struct query_reader *q, const struct row_column *column, size_t at, uint32_t *slot)
{
    for (uint32_t i = 0; i < q->pipe->column_count; i++) {
        if (slice_equal(q->pipe->columns[i].column.name, column->name)) {
            return query_lex_fail(&q->lexer, at, ERR_SYNTAX,
                    "the join would give a second column '%.*s': name it otherwise in its "
                    "brackets (fields ... as ...)",
                    SLICE_ARG(column->name));
        }
    }
    struct query_column copy = {*column, ORIGIN_JOIN, 0};
    return add_column(q, &copy, at, slot);
}

const struct row_column *query_scope_column(const struct query_reader *q, uint32_t slot)
{
    const struct query_pipe *p = q->pipe;
    return p->scope.open ? &p->columns[slot].column : &p->scope.columns[slot];
}

enum err query_scope_close(
        struct query_reader *q, const struct row_column *columns, uint32_t count, size_t at)
{
    if (count > QUERY_COLUMNS) {
        return too_many(q, at);
    }
    struct row_column *copy = ARENA_ARRAY(q->arena, struct row_column, count);
    if (!copy) {
        return no_memory(q, at);
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (slice_equal(columns[i].name, columns[k].name)) {
                return query_lex_fail(&q->lexer, at, ERR_SYNTAX,
                        "two columns would be named '%.*s'", SLICE_ARG(columns[i].name));
            }
        }
        copy[i].kind = columns[i].kind;
        copy[i].name = arena_copy(q->arena, columns[i].name);
        if (!copy[i].name.at) {
            return no_memory(q, at);
        }
    }
    q->pipe->scope.open = false;
    q->pipe->scope.event = false;
    q->pipe->scope.columns = copy;
    q->pipe->scope.count = count;
    return OK;
}
