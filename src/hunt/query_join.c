#include "hunt/query_join.h"

#include "hunt/query_scope.h"
#include "hunt/query_stage.h"

static enum err expected(struct query_reader *q, const char *what)
{
    char room[80];
    struct slice shown = query_lex_shown(&q->lexer, room);
    return query_lex_fail(&q->lexer, q->lexer.word.at, ERR_SYNTAX, "expected %s, found %.*s", what,
            SLICE_ARG(shown));
}

static bool is_name(const struct query_reader *q)
{
    return q->lexer.word.kind == LEX_WORD || q->lexer.word.kind == LEX_QUOTED;
}

/* `A`, `A = B` or `A=B`. */
static enum err read_on(struct query_reader *q, struct slice *left, struct slice *right)
{
    if (!is_name(q)) {
        return expected(q, "the name of a field after 'on'");
    }
    struct slice word = q->lexer.word.text;
    *left = *right = word;
    if (q->lexer.word.kind == LEX_WORD && slice_find_byte(word, '=') < word.size) {
        *right = word;
        *left = slice_cut(right, '=');
        if (left->size == 0 || right->size == 0) {
            return expected(q, "a field on both sides of '='");
        }
        return query_lex_next(&q->lexer);
    }
    TRY(query_lex_next(&q->lexer));
    if (!query_lex_is_word(&q->lexer, SLICE("="))) {
        return OK;
    }
    TRY(query_lex_next(&q->lexer));
    if (!is_name(q)) {
        return expected(q, "the name of a field after '='");
    }
    *right = q->lexer.word.text;
    return query_lex_next(&q->lexer);
}

enum err query_join_read(struct query_reader *q, size_t at)
{
    struct slice left, right;
    struct stage_plan *plan;
    uint32_t slot;
    bool inverse = query_lex_is_word(&q->lexer, SLICE("not"));
    if (inverse) {
        TRY(query_lex_next(&q->lexer));
    }
    if (!query_lex_is_word(&q->lexer, SLICE("on"))) {
        return expected(q, "'on' and a field");
    }
    TRY(query_lex_next(&q->lexer));
    size_t place = q->lexer.word.at;
    TRY(read_on(q, &left, &right));
    if (!query_lex_is_sign(&q->lexer, '(')) {
        return expected(q, "'(' and the other query");
    }
    TRY(query_lex_next(&q->lexer));
    TRY(query_scope_find(q, left, place, &slot));
    TRY(query_stage_add(q, STAGE_JOIN, at, &plan));
    plan->inverse = inverse;
    plan->fields = ARENA_NEW(q->arena, uint32_t);
    if (!plan->fields) {
        return diag_say(q->lexer.diag, ERR_MEMORY, "no memory for the query");
    }
    plan->fields[0] = slot;
    plan->field_count = 1;
    q->pipe->scope.event = false;
    q->join = plan;
    q->join_on = right;
    q->join_place = place;
    return OK;
}

/* The other query's columns but the compared one are added behind ours. */
static enum err add_columns(
        struct query_reader *q, const struct query_scope *from, struct stage_plan *plan)
{
    struct query_scope *scope = &q->pipe->scope;
    struct row_column columns[QUERY_COLUMNS * 2];
    uint32_t count = 0, n = 0;
    for (uint32_t i = 0; !scope->open && i < scope->count; i++) {
        columns[count++] = scope->columns[i];
    }
    for (uint32_t i = 0; i < from->count; i++) {
        if (i == plan->right[0]) {
            continue;
        }
        plan->right[1 + n] = i;
        if (scope->open) {
            TRY(query_scope_add(q, &from->columns[i], plan->at, &plan->added[n]));
        } else {
            plan->added[n] = count;
            columns[count++] = from->columns[i];
        }
        n++;
    }
    plan->right_count = n + 1;
    return scope->open ? OK : query_scope_close(q, columns, count, plan->at);
}

enum err query_join_end(struct query_reader *q, const struct query_pipe *joined, uint32_t number)
{
    struct stage_plan *plan = q->join;
    const struct query_scope *from = &joined->scope;
    struct query_scope keep = q->pipe->scope;
    q->join = NULL;
    plan->pipe = number;
    plan->right = ARENA_ARRAY(q->arena, uint32_t, from->count + 1);
    plan->added = ARENA_ARRAY(q->arena, uint32_t, from->count + 1);
    if (!plan->right || !plan->added) {
        return diag_say(q->lexer.diag, ERR_MEMORY, "no memory for the query");
    }
    q->pipe->scope = *from; /* the other field is one of theirs */
    enum err e = query_scope_find(q, q->join_on, q->join_place, &plan->right[0]);
    q->pipe->scope = keep;
    plan->right_count = 1;
    TRY(e);
    if (!query_lex_is_sign(&q->lexer, ')')) {
        return expected(q, "')' after the other query");
    }
    TRY(query_lex_next(&q->lexer));
    return plan->inverse ? OK : add_columns(q, from, plan);
}
