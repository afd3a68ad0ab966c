#include "hunt/query.h"

#include <string.h>

#include "base/memory.h"
#include "event/field.h"
#include "hunt/query_filter.h"
#include "hunt/query_join.h"
#include "hunt/query_parts.h"
#include "hunt/query_stage.h"

enum { QUERY_MEMORY = 64 << 20 };

/* ---- from ---------------------------------------------------------------------------------- */

/* `from product: windows category: process_creation`; a field named "from" has a colon behind it.
 */
static bool is_from(const struct query_lexer *l)
{
    struct query_lexer copy = *l;
    copy.diag = NULL;
    return query_lex_is_word(l, SLICE("from")) && query_lex_next(&copy) == OK &&
           copy.word.kind == LEX_WORD;
}

static enum err read_source_part(struct query_reader *q)
{
    struct query_lexer *l = &q->lexer;
    struct logsource *source = &q->pipe->source;
    struct slice *to = query_lex_is_word(l, SLICE("product"))    ? &source->product
                       : query_lex_is_word(l, SLICE("category")) ? &source->category
                       : query_lex_is_word(l, SLICE("service"))  ? &source->service
                                                                 : NULL;
    if (!to || to->at) {
        return query_lex_fail(l, l->word.at, ERR_SYNTAX,
                to ? "named twice in 'from'" : "'from' takes product:, category: and service:");
    }
    TRY(query_lex_next(l));
    if (!query_lex_is_sign(l, ':')) {
        return query_lex_fail(l, l->word.at, ERR_SYNTAX, "expected ':'");
    }
    TRY(query_lex_next(l));
    if ((l->word.kind != LEX_WORD && l->word.kind != LEX_QUOTED) || l->word.text.size == 0) {
        return query_lex_fail(l, l->word.at, ERR_SYNTAX, "expected a name of the log source");
    }
    *to = l->word.text;
    return query_lex_next(l);
}

static enum err read_from(struct query_reader *q)
{
    if (!is_from(&q->lexer)) {
        return OK;
    }
    TRY(query_lex_next(&q->lexer));
    while (q->lexer.word.kind == LEX_WORD) {
        TRY(read_source_part(q));
    }
    if (!query_lex_is_sign(&q->lexer, '|')) {
        return q->lexer.word.kind == LEX_END ? OK
                                             : query_lex_fail(&q->lexer, q->lexer.word.at,
                                                       ERR_SYNTAX, "expected '|' after 'from'");
    }
    struct query_lexer bar = q->lexer;
    TRY(query_lex_next(&q->lexer));
    if (!query_rule_begins(&q->lexer)) { /* a stage at once */
        q->lexer = bar;
    }
    return OK;
}

/* ---- pipes --------------------------------------------------------------------------------- */

static enum err begin_pipe(struct query_reader *q, struct query_pipe *pipe)
{
    q->pipe = pipe;
    pipe->scope.open = pipe->scope.event = true;
    pipe->from_ns = INT64_MIN;
    pipe->to_ns = INT64_MAX;
    TRY(read_from(q));
    return query_rule_read(&pipe->rule, &q->lexer);
}

/* Stages up to the end of the pipe, or to a join's other query (q->join). */
static enum err read_stages(struct query_reader *q)
{
    while (!q->join && query_lex_is_sign(&q->lexer, '|')) {
        TRY(query_lex_next(&q->lexer));
        TRY(query_stage_read(q));
    }
    return q->join ? OK : query_stage_finish(q);
}

/* The other query of a join, whose bracket was opened. */
static enum err read_joined(struct query *query, struct query_reader *q)
{
    struct query_pipe *outer = q->pipe;
    struct stage_plan *join = q->join;
    if (query->pipe_count == QUERY_PIPES) {
        return query_lex_fail(
                &q->lexer, join->at, ERR_LIMIT, "over %d joins", (int)QUERY_PIPES - 1);
    }
    uint32_t number = query->pipe_count++;
    q->join = NULL;
    q->inner = true;
    TRY(begin_pipe(q, &query->pipes[number]));
    TRY(read_stages(q));
    q->inner = false;
    if (q->join) {
        return query_lex_fail(
                &q->lexer, q->join->at, ERR_UNSUPPORTED, "a join in the query of another join");
    }
    q->join = join;
    q->pipe = outer;
    return query_join_end(q, &query->pipes[number], number);
}

static enum err read_query(struct query *query, struct query_reader *q)
{
    query->pipe_count = 1;
    TRY(begin_pipe(q, &query->pipes[0]));
    for (;;) {
        TRY(read_stages(q));
        if (!q->join) {
            break;
        }
        TRY(read_joined(query, q));
    }
    if (q->lexer.word.kind != LEX_END) {
        char room[80];
        struct slice shown = query_lex_shown(&q->lexer, room);
        return query_lex_fail(&q->lexer, q->lexer.word.at, ERR_SYNTAX,
                "expected '|' or the end of the query, found %.*s", SLICE_ARG(shown));
    }
    return OK;
}

/* ---- making -------------------------------------------------------------------------------- */

/* Names that begin with _ and are ours stand in no event. */
static enum err check_fields(
        struct query_reader *q, const struct query_pipe *p, const struct ruleset *set)
{
    static const char *const ours[] = {"_time", "_id", "_source", "_raw"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        struct slice name = slice_text(ours[i]);
        size_t at = query_rule_place(&p->rule, name, SIZE_MAX);
        if (at != SIZE_MAX && field_find(set->fields, name) != FIELD_NONE) {
            return query_lex_fail(&q->lexer, at, ERR_UNSUPPORTED,
                    "'%s' is no field of events: times are chosen by since and until, free text "
                    "stands in quotes alone",
                    ours[i]);
        }
    }
    return OK;
}

/* Where the rule has what the columns need. */
static enum err bind_columns(struct query_reader *q, struct query_pipe *p)
{
    const struct rule *rule = p->set->rules[0];
    for (uint32_t i = 0; i < p->column_count; i++) {
        struct query_column *c = &p->columns[i];
        if (c->origin != ORIGIN_FIELD) {
            continue;
        }
        c->wanted = UINT32_MAX;
        for (uint32_t w = 0; w < rule->wanted_count; w++) {
            if (slice_equal(field_name(p->set->fields, rule->wanted[w]), c->column.name)) {
                c->wanted = w;
            }
        }
        if (c->wanted == UINT32_MAX) {
            return query_lex_fail(&q->lexer, 0, ERR_UNSUPPORTED, "no field can be named '%.*s'",
                    SLICE_ARG(c->column.name));
        }
    }
    return OK;
}

static enum err load_rule(struct query_reader *q, struct query_pipe *p)
{
    struct slice wanted[QUERY_COLUMNS];
    struct query_rule_frame frame = {.source = p->source, .wanted = wanted};
    for (uint32_t i = 0; i < p->column_count; i++) {
        if (p->columns[i].origin == ORIGIN_FIELD) {
            wanted[frame.wanted_count++] = p->columns[i].column.name;
        }
    }
    TRY(query_rule_load(&p->rule, &q->lexer, &frame, &p->set));
    TRY(check_fields(q, p, p->set));
    return bind_columns(q, p);
}

static enum err load_pipe(
        struct query *query, struct query_reader *q, struct query_pipe *p, struct query_scan *scan)
{
    const struct logsource *source = &p->source;
    bool any = !source->product.at && !source->category.at && !source->service.at;
    struct engine_options options = {.any_source = any};
    struct diag reason = {0};
    TRY(load_rule(q, p));
    if (field_intern(p->set->fields, taxonomy_time_field(), &p->time_field) != OK ||
            query_needs_make(p->set, any ? NULL : query->taxonomy, &query->arena, &scan->needs) !=
                    OK) {
        return diag_say(q->lexer.diag, ERR_MEMORY, "no memory for the query");
    }
    TRY(engine_new(p->set, query->taxonomy, &options, &p->engine, q->lexer.diag));
    if (!any && !engine_routable(p->engine, 0, &reason)) {
        return query_lex_fail(&q->lexer, 0, ERR_NOT_FOUND, "from: %s", reason.words);
    }
    scan->paths = engine_paths(p->engine);
    scan->field_count = engine_field_count(p->engine);
    scan->from_ns = p->from_ns;
    scan->to_ns = p->to_ns;
    return OK;
}

static enum err make_query(struct query *query, struct slice text, struct diag *diag)
{
    struct query_reader q = {.arena = &query->arena, .bare = query->bare};
    struct slice copy = arena_copy(&query->arena, text);
    if (!copy.at) {
        return diag_say(diag, ERR_MEMORY, "no memory for the query");
    }
    query->text = copy;
    TRY(query_lex_start(&q.lexer, copy, &query->arena, diag));
    TRY(read_query(query, &q));
    for (uint32_t i = 0; i < query->pipe_count; i++) {
        uint32_t pass = i == 0 ? query->pipe_count - 1 : i - 1;
        TRY(load_pipe(query, &q, &query->pipes[i], &query->scans[pass]));
    }
    return OK;
}

enum err query_new(
        struct slice text, const struct taxonomy *taxonomy, struct query **out, struct diag *diag)
{
    if (text.size > QUERY_BYTES) {
        return diag_say(diag, ERR_LIMIT, "a query of over %d bytes", (int)QUERY_BYTES);
    }
    struct query *query = memory_alloc(sizeof *query);
    if (!query) {
        return diag_say(diag, ERR_MEMORY, "no memory for the query");
    }
    arena_init(&query->arena, QUERY_MEMORY);
    query->taxonomy = taxonomy;
    enum err e = taxonomy_new(&query->bare);
    e = e == OK ? make_query(query, text, diag)
                : diag_say(diag, ERR_MEMORY, "no memory for the query");
    if (e != OK) {
        query_free(query);
        return e == ERR_MEMORY ? diag_say(diag, e, "no memory for the query") : e;
    }
    *out = query;
    return OK;
}

void query_free(struct query *query)
{
    if (!query) {
        return;
    }
    for (uint32_t i = 0; i < QUERY_PIPES; i++) {
        struct query_pipe *p = &query->pipes[i];
        for (struct stage_plan *plan = p->first; plan; plan = plan->next) {
            if (plan->filter) {
                query_filter_free(plan->filter);
            }
        }
        engine_free(p->engine);
        ruleset_free(p->set);
        query_rule_fini(&p->rule);
    }
    taxonomy_free(query->bare);
    arena_fini(&query->arena);
    memory_free(query);
}

uint32_t query_passes(const struct query *query)
{
    return query->pipe_count;
}

const struct query_scan *query_scan(const struct query *query, uint32_t pass)
{
    return &query->scans[pass];
}

const struct row_column *query_columns(const struct query *query, uint32_t *count)
{
    *count = query->pipes[0].scope.count;
    return query->pipes[0].scope.columns;
}
