#include "hunt/query_filter.h"

#include "event/field.h"
#include "hunt/query_scope.h"

/* Each field of the rule is a column. */
static enum err bind_fields(struct query_reader *q, const struct query_rule *rule, size_t at,
        struct stage_filter *filter)
{
    const struct fields *fields = filter->set->fields;
    uint32_t count = field_count(fields);
    filter->fields = ARENA_ARRAY(q->arena, uint32_t, QUERY_COLUMNS);
    if (!filter->fields) {
        return diag_say(q->lexer.diag, ERR_MEMORY, "no memory for the query");
    }
    filter->count = QUERY_COLUMNS;
    for (uint32_t i = 0; i < QUERY_COLUMNS; i++) {
        filter->fields[i] = FIELD_NONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct slice name = field_name(fields, i);
        uint32_t slot;
        if (name.size && name.at[0] == '\x01') {
            continue;
        }
        TRY(query_scope_find(q, name, query_rule_place(rule, name, at), &slot));
        filter->fields[slot] = i;
    }
    return OK;
}

static enum err make_filter(struct query_reader *q, const struct query_rule *rule, size_t at,
        struct stage_filter *filter)
{
    struct query_rule_frame frame = {0};
    struct engine_options options = {.any_source = true};
    TRY(query_rule_load(rule, &q->lexer, &frame, &filter->set));
    if (filter->set->rules[0]->has_keywords && q->pipe->scope.open) {
        return query_lex_fail(&q->lexer, at, ERR_UNSUPPORTED,
                "free text is looked for in events: put this before the stages that keep rows");
    }
    TRY(bind_fields(q, rule, at, filter));
    return engine_new(filter->set, q->bare, &options, &filter->engine, q->lexer.diag);
}

enum err query_filter_read(struct query_reader *q, size_t at, struct stage_filter **out)
{
    struct query_rule rule = {0};
    struct stage_filter *filter = ARENA_NEW(q->arena, struct stage_filter);
    if (!filter) {
        return diag_say(q->lexer.diag, ERR_MEMORY, "no memory for the query");
    }
    enum err e = query_rule_read(&rule, &q->lexer);
    if (e == OK) {
        e = make_filter(q, &rule, at, filter);
    }
    query_rule_fini(&rule);
    if (e != OK) {
        query_filter_free(filter);
        return e;
    }
    *out = filter;
    return OK;
}

void query_filter_free(struct stage_filter *filter)
{
    engine_free(filter->engine);
    ruleset_free(filter->set);
    filter->engine = NULL;
    filter->set = NULL;
}
