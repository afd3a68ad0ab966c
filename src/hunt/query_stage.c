#include "hunt/query_stage.h"

#include <string.h>

#include "base/near.h"
#include "base/time.h"
#include "hunt/beacon.h"
#include "hunt/query_filter.h"
#include "hunt/query_join.h"
#include "hunt/query_scope.h"
#include "hunt/query_span.h"
#include "hunt/stage_forms.h"

#define OPEN_WIDTH UINT32_MAX

/* ---- words --------------------------------------------------------------------------------- */

static bool is_word(const struct query_reader *q, const char *word)
{
    return query_lex_is_word(&q->lexer, slice_text(word));
}

static bool is_name(const struct query_reader *q)
{
    return q->lexer.word.kind == LEX_QUOTED ||
           (q->lexer.word.kind == LEX_WORD && !is_word(q, "by") && !is_word(q, "as"));
}

/* How many rows; where no number stands, `otherwise`. */
static enum err read_rows(struct query_reader *q, uint64_t otherwise, uint64_t *out)
{
    struct slice rest;
    *out = otherwise;
    if (q->lexer.word.kind != LEX_WORD || !query_lex_digits(q->lexer.word.text, out, &rest)) {
        *out = otherwise;
        return OK;
    }
    if (rest.size || *out == 0 || *out > QUERY_ROWS) {
        return query_lex_fail(&q->lexer, q->lexer.word.at, rest.size ? ERR_SYNTAX : ERR_LIMIT,
                "expected a number of rows from 1 to %d", (int)QUERY_ROWS);
    }
    return query_lex_next(&q->lexer);
}

struct names {
    uint32_t slots[QUERY_FIELDS];
    size_t places[QUERY_FIELDS];
    uint32_t count;
};

static enum err read_name(struct query_reader *q, struct names *to)
{
    if (!is_name(q)) {
        return query_lex_expected(&q->lexer, "the name of a field");
    }
    if (to->count == QUERY_FIELDS) {
        return query_lex_fail(&q->lexer, q->lexer.word.at, ERR_LIMIT, "over %d fields in one stage",
                (int)QUERY_FIELDS);
    }
    struct query_word word = q->lexer.word;
    uint32_t slot;
    if (word.text.size == 0) {
        return query_lex_expected(&q->lexer, "the name of a field");
    }
    TRY(query_scope_find(q, word.text, word.at, &slot));
    to->places[to->count] = word.at;
    to->slots[to->count++] = slot;
    return query_lex_next(&q->lexer);
}

/* Names with commas between them. */
static enum err read_names(struct query_reader *q, struct names *to)
{
    for (;;) {
        TRY(read_name(q, to));
        if (!query_lex_is_sign(&q->lexer, ',')) {
            return OK;
        }
        TRY(query_lex_next(&q->lexer));
    }
}

/* `by` and names, if it stands there. */
static enum err read_by(struct query_reader *q, struct names *to)
{
    if (!is_word(q, "by")) {
        return OK;
    }
    TRY(query_lex_next(&q->lexer));
    return read_names(q, to);
}

/* ---- plans --------------------------------------------------------------------------------- */

static enum err no_memory(struct query_reader *q)
{
    return diag_say(q->lexer.diag, ERR_MEMORY, "no memory for the query");
}

static enum err add_plan(
        struct query_reader *q, enum stage_kind kind, size_t at, struct stage_plan **out)
{
    struct query_pipe *p = q->pipe;
    if (p->stage_count == QUERY_STAGES) {
        return query_lex_fail(&q->lexer, at, ERR_LIMIT, "over %d stages", (int)QUERY_STAGES);
    }
    struct stage_plan *plan = ARENA_NEW(q->arena, struct stage_plan);
    if (!plan) {
        return no_memory(q);
    }
    *plan = (struct stage_plan){.kind = kind,
            .at = at,
            .time_slot = FIELD_NONE,
            .width = p->scope.open ? OPEN_WIDTH : p->scope.count};
    if (p->last) {
        p->last->next = plan;
    } else {
        p->first = plan;
    }
    p->last = plan;
    p->stage_count++;
    *out = plan;
    return OK;
}

static enum err keep_slots(
        struct query_reader *q, const uint32_t *from, uint32_t count, uint32_t **to)
{
    *to = ARENA_ARRAY(q->arena, uint32_t, count);
    if (!*to) {
        return no_memory(q);
    }
    if (count) {
        memcpy(*to, from, count * sizeof **to);
    }
    return OK;
}

static enum err keep_fields(
        struct query_reader *q, struct stage_plan *plan, const struct names *names)
{
    plan->field_count = names->count;
    return keep_slots(q, names->slots, names->count, &plan->fields);
}

static enum err keep_by(struct query_reader *q, struct stage_plan *plan, const struct names *names)
{
    plan->by_count = names->count;
    return keep_slots(q, names->slots, names->count, &plan->by);
}

/* Columns that a stage makes. */
struct made {
    struct row_column columns[QUERY_FIELDS * 2 + 12];
    uint32_t count;
};

static void make_column(struct made *made, struct slice name, enum row_kind kind)
{
    made->columns[made->count++] = (struct row_column){name, (uint8_t)kind};
}

static void make_same(const struct query_reader *q, struct made *made, const struct names *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        made->columns[made->count++] = *query_scope_column(q, names->slots[i]);
    }
}

/* Rows that follow one another as before. */
static void rank_by(struct query_reader *q, uint32_t slot)
{
    struct query_scope *scope = &q->pipe->scope;
    scope->ranks[scope->rank_count++] = slot;
}

/* ---- stages that count --------------------------------------------------------------------- */

static enum err make_count(struct query_reader *q, size_t at, const struct names *by)
{
    struct stage_plan *plan;
    struct made made = {0};
    TRY(add_plan(q, STAGE_COUNT, at, &plan));
    TRY(keep_fields(q, plan, by));
    make_same(q, &made, by);
    make_column(&made, SLICE("count"), ROW_NUMBER);
    TRY(query_scope_close(q, made.columns, made.count, at));
    q->pipe->scope.rank_count = 0;
    rank_by(q, by->count);
    return OK;
}

static enum err read_count(struct query_reader *q, size_t at)
{
    struct names by = {0};
    TRY(read_by(q, &by));
    return make_count(q, at, &by);
}

static enum err make_stack(
        struct query_reader *q, size_t at, const struct names *names, const struct names *by)
{
    struct made made = {0};
    struct stage_plan *plan;
    uint32_t time_slot;
    TRY(query_scope_time(q, at, &time_slot));
    TRY(add_plan(q, STAGE_STACK, at, &plan));
    plan->time_slot = time_slot;
    TRY(keep_fields(q, plan, names));
    TRY(keep_by(q, plan, by));
    make_same(q, &made, names);
    make_column(&made, SLICE("count"), ROW_NUMBER);
    for (uint32_t i = 0; i < by->count; i++) {
        struct buf name = {0};
        buf_add(&name, query_scope_column(q, by->slots[i])->name);
        buf_add(&name, SLICE("_count"));
        make_column(&made, arena_copy(q->arena, buf_slice(&name)), ROW_NUMBER);
        buf_fini(&name);
        if (!made.columns[made.count - 1].name.at) {
            return no_memory(q);
        }
    }
    make_column(&made, SLICE("first"), ROW_TIME);
    make_column(&made, SLICE("last"), ROW_TIME);
    TRY(query_scope_close(q, made.columns, made.count, at));
    q->pipe->scope.rank_count = 0;
    for (uint32_t i = 0; i < by->count; i++) {
        rank_by(q, names->count + 1 + i);
    }
    rank_by(q, names->count);
    return OK;
}

static enum err read_stack(struct query_reader *q, size_t at)
{
    struct names names = {0}, by = {0};
    TRY(read_names(q, &names));
    TRY(read_by(q, &by));
    return make_stack(q, at, &names, &by);
}

static enum err read_distinct(struct query_reader *q, size_t at)
{
    struct names names = {0};
    struct made made = {0};
    struct stage_plan *plan;
    TRY(read_names(q, &names));
    TRY(add_plan(q, STAGE_DISTINCT, at, &plan));
    TRY(keep_fields(q, plan, &names));
    make_same(q, &made, &names);
    q->pipe->scope.rank_count = 0;
    return query_scope_close(q, made.columns, made.count, at);
}

static enum err read_timechart(struct query_reader *q, size_t at)
{
    struct names by = {0};
    struct made made = {0};
    struct stage_plan *plan;
    int64_t span_ns = 0, zone_ns = 0;
    uint32_t time_slot;
    TRY(query_span_read(q, &span_ns));
    TRY(read_by(q, &by));
    TRY(query_span_zone(q, &zone_ns));
    TRY(query_scope_time(q, at, &time_slot));
    if (time_slot == FIELD_NONE) {
        return query_lex_fail(
                &q->lexer, at, ERR_SYNTAX, "timechart needs _time, which these rows do not have");
    }
    TRY(add_plan(q, STAGE_TIMECHART, at, &plan));
    plan->span_ns = span_ns;
    plan->zone_ns = zone_ns;
    plan->time_slot = time_slot;
    TRY(keep_fields(q, plan, &by));
    make_column(&made, SLICE("_time"), ROW_TIME);
    make_same(q, &made, &by);
    make_column(&made, SLICE("count"), ROW_NUMBER);
    TRY(query_scope_close(q, made.columns, made.count, at));
    q->pipe->scope.rank_count = 0;
    rank_by(q, by.count + 1);
    return OK;
}

/* ---- stages that order --------------------------------------------------------------------- */

static enum err keep_orders(struct query_reader *q, struct stage_plan *plan,
        const struct stage_order *orders, uint32_t count)
{
    plan->orders = ARENA_ARRAY(q->arena, struct stage_order, count);
    if (!plan->orders) {
        return no_memory(q);
    }
    if (count) {
        memcpy(plan->orders, orders, count * sizeof *orders);
    }
    plan->order_count = count;
    return OK;
}

/* By what the rows were ranked by, then by the other columns, so that ties have one order. */
static enum err read_ranked(struct query_reader *q, size_t at, enum stage_kind kind)
{
    struct stage_order orders[QUERY_COLUMNS + QUERY_FIELDS + 1];
    struct names names = {0}, by = {0};
    struct stage_plan *plan;
    uint64_t limit;
    uint32_t n = 0;
    TRY(read_rows(q, 10, &limit));
    if (is_name(q)) {
        TRY(read_names(q, &names));
        TRY(read_by(q, &by));
        TRY(by.count ? make_stack(q, at, &names, &by) : make_count(q, at, &names));
    }
    const struct query_scope *scope = &q->pipe->scope;
    if (scope->rank_count == 0) {
        return query_lex_fail(&q->lexer, at, ERR_SYNTAX,
                "%s needs fields to count by, or a stage before it that counts (stack, count)",
                kind == STAGE_TOP ? "top" : "rare");
    }
    TRY(add_plan(q, kind, at, &plan));
    plan->limit = limit;
    plan->rank_count = scope->rank_count;
    for (uint32_t i = 0; i < scope->rank_count; i++) {
        orders[n++] = (struct stage_order){scope->ranks[i], AS_IS, kind == STAGE_TOP};
    }
    for (uint32_t i = 0; i < scope->count; i++) {
        orders[n++] = (struct stage_order){i, AS_IS, false};
    }
    return keep_orders(q, plan, orders, n);
}

static enum err read_top(struct query_reader *q, size_t at)
{
    return read_ranked(q, at, STAGE_TOP);
}

static enum err read_rare(struct query_reader *q, size_t at)
{
    return read_ranked(q, at, STAGE_RARE);
}

/* `as number`, `desc` behind a field of sort. */
static enum err read_order(struct query_reader *q, struct stage_order *order)
{
    if (is_word(q, "as")) {
        TRY(query_lex_next(&q->lexer));
        order->as = is_word(q, "number") ? AS_NUMBER
                    : is_word(q, "time") ? AS_TIME
                    : is_word(q, "text") ? AS_TEXT
                                         : AS_IS;
        if (order->as == AS_IS) {
            return query_lex_expected(&q->lexer, "number, time or text after 'as'");
        }
        TRY(query_lex_next(&q->lexer));
    }
    if (is_word(q, "asc") || is_word(q, "desc")) {
        order->descending = is_word(q, "desc");
        return query_lex_next(&q->lexer);
    }
    return OK;
}

static enum err read_sort(struct query_reader *q, size_t at)
{
    struct stage_order orders[QUERY_FIELDS];
    struct names names = {0};
    struct stage_plan *plan;
    for (bool more = true; more;) {
        TRY(read_name(q, &names));
        struct stage_order *order = &orders[names.count - 1];
        *order = (struct stage_order){names.slots[names.count - 1], AS_IS, false};
        TRY(read_order(q, order));
        more = query_lex_is_sign(&q->lexer, ',');
        if (more) {
            TRY(query_lex_next(&q->lexer));
        }
    }
    TRY(add_plan(q, STAGE_SORT, at, &plan));
    q->pipe->scope.event = false;
    return keep_orders(q, plan, orders, names.count);
}

static enum err read_edge(struct query_reader *q, size_t at, enum stage_kind kind)
{
    struct names by = {0};
    struct stage_plan *plan;
    uint64_t limit;
    uint32_t time_slot;
    TRY(read_rows(q, 1, &limit));
    TRY(read_by(q, &by));
    TRY(query_scope_time(q, at, &time_slot));
    if (time_slot == FIELD_NONE) {
        return query_lex_fail(&q->lexer, at, ERR_SYNTAX,
                "%s needs _time, which these rows do not have (after stack, sort by its columns)",
                kind == STAGE_FIRST ? "first" : "last");
    }
    TRY(add_plan(q, kind, at, &plan));
    plan->limit = limit;
    plan->time_slot = time_slot;
    q->pipe->scope.event = false;
    struct stage_order order = {time_slot, AS_IS, kind == STAGE_LAST};
    TRY(keep_orders(q, plan, &order, 1));
    return keep_by(q, plan, &by);
}

static enum err read_first(struct query_reader *q, size_t at)
{
    return read_edge(q, at, STAGE_FIRST);
}

static enum err read_last(struct query_reader *q, size_t at)
{
    return read_edge(q, at, STAGE_LAST);
}

static enum err read_head(struct query_reader *q, size_t at)
{
    struct stage_plan *plan, *before = q->pipe->last;
    uint64_t limit;
    TRY(read_rows(q, 10, &limit));
    if (before && before->kind == STAGE_SORT && before->limit == 0) {
        before->limit = limit; /* what head would drop need not be kept */
    }
    TRY(add_plan(q, STAGE_HEAD, at, &plan));
    plan->limit = limit;
    q->pipe->scope.event = false;
    return OK;
}

/* ---- stages that choose -------------------------------------------------------------------- */

static enum err read_where(struct query_reader *q, size_t at)
{
    if (q->pipe->scope.event) {
        return query_rule_read(&q->pipe->rule, &q->lexer);
    }
    struct stage_plan *plan; /* first: it owns the filter */
    TRY(add_plan(q, STAGE_WHERE, at, &plan));
    return query_filter_read(q, at, &plan->filter);
}

/* A time up to the end of the stage. */
static enum err read_time(struct query_reader *q, int64_t *ns)
{
    size_t from = q->lexer.word.at, end = from;
    while (q->lexer.word.kind != LEX_END && !query_lex_is_sign(&q->lexer, '|') &&
            !query_lex_is_sign(&q->lexer, ')')) {
        TRY(query_lex_next(&q->lexer));
        end = q->lexer.word.at;
    }
    struct slice text = slice_trim(slice_of(q->lexer.text.at + from, end - from));
    if (text.size > 2 && (text.at[0] == '\'' || text.at[0] == '"')) {
        text = slice_of(text.at + 1, text.size - 2);
    }
    if (!time_parse(text, ns)) {
        return query_lex_fail(&q->lexer, from, ERR_SYNTAX,
                "expected a time, as 2026-01-31T08:00:00Z (UTC where no zone is given)");
    }
    return OK;
}

static enum err read_moment(struct query_reader *q, size_t at, enum stage_kind kind)
{
    struct stage_plan *plan;
    uint32_t time_slot;
    int64_t ns;
    TRY(read_time(q, &ns));
    TRY(query_scope_time(q, at, &time_slot));
    if (time_slot == FIELD_NONE) {
        return query_lex_fail(&q->lexer, at, ERR_SYNTAX, "these rows have no _time");
    }
    struct query_pipe *p = q->pipe;
    if (p->scope.event && kind == STAGE_SINCE && ns > p->from_ns) {
        p->from_ns = ns;
    } else if (p->scope.event && kind == STAGE_UNTIL && ns < p->to_ns) {
        p->to_ns = ns;
    }
    TRY(add_plan(q, kind, at, &plan));
    plan->time_ns = ns;
    plan->time_slot = time_slot;
    return OK;
}

static enum err read_since(struct query_reader *q, size_t at)
{
    return read_moment(q, at, STAGE_SINCE);
}

static enum err read_until(struct query_reader *q, size_t at)
{
    return read_moment(q, at, STAGE_UNTIL);
}

/* ---- stages that watch times --------------------------------------------------------------- */

/* Fields, then those of `by`, as one list: both tell groups apart. */
static enum err read_groups(struct query_reader *q, struct names *to)
{
    TRY(read_names(q, to));
    return read_by(q, to);
}

static enum err need_time(struct query_reader *q, size_t at, const char *word, uint32_t *slot)
{
    TRY(query_scope_time(q, at, slot));
    return *slot != FIELD_NONE ? OK
                               : query_lex_fail(&q->lexer, at, ERR_SYNTAX,
                                         "%s needs _time, which these rows do not have", word);
}

static enum err read_firstseen(struct query_reader *q, size_t at)
{
    struct names names = {0};
    struct made made = {0};
    struct stage_plan *plan;
    uint32_t place[2], time_slot;
    int64_t since_ns = INT64_MIN;
    bool events = q->pipe->scope.open;
    TRY(read_groups(q, &names));
    if (is_word(q, "since")) {
        TRY(query_lex_next(&q->lexer));
        TRY(read_time(q, &since_ns));
    }
    TRY(need_time(q, at, "firstseen", &time_slot));
    if (events) {
        TRY(query_scope_find(q, SLICE("_source"), at, &place[0]));
        TRY(query_scope_find(q, SLICE("_id"), at, &place[1]));
    }
    TRY(add_plan(q, STAGE_FIRSTSEEN, at, &plan));
    plan->time_slot = time_slot;
    plan->time_ns = since_ns;
    TRY(keep_fields(q, plan, &names));
    make_same(q, &made, &names);
    make_column(&made, SLICE("first"), ROW_TIME);
    make_column(&made, SLICE("count"), ROW_NUMBER);
    if (events) {
        plan->right_count = 2;
        TRY(keep_slots(q, place, 2, &plan->right));
        make_column(&made, SLICE("first_source"), ROW_TEXT);
        make_column(&made, SLICE("first_id"), ROW_TEXT);
    }
    TRY(query_scope_close(q, made.columns, made.count, at));
    q->pipe->scope.rank_count = 0;
    rank_by(q, names.count + 1);
    return OK;
}

/* `min N`: how many moments a group needs to be told of. */
static enum err read_min(struct query_reader *q, uint64_t *min)
{
    struct slice rest;
    *min = 10;
    if (!is_word(q, "min")) {
        return OK;
    }
    TRY(query_lex_next(&q->lexer));
    bool number = q->lexer.word.kind == LEX_WORD &&
                  query_lex_digits(q->lexer.word.text, min, &rest) && rest.size == 0;
    if (!number || *min < BEACON_TIMES || *min > STAGE_TIMES) {
        return query_lex_fail(&q->lexer, q->lexer.word.at, number ? ERR_LIMIT : ERR_SYNTAX,
                "expected a number of moments from %d to %d", (int)BEACON_TIMES, (int)STAGE_TIMES);
    }
    return query_lex_next(&q->lexer);
}

static enum err read_beacon(struct query_reader *q, size_t at)
{
    const struct row_column shown[] = {{SLICE("score"), ROW_DECIMAL}, {SLICE("count"), ROW_NUMBER},
            {SLICE("measured"), ROW_NUMBER}, {SLICE("median_s"), ROW_DECIMAL},
            {SLICE("mean_s"), ROW_DECIMAL}, {SLICE("jitter"), ROW_DECIMAL},
            {SLICE("first"), ROW_TIME}, {SLICE("last"), ROW_TIME}};
    struct names names = {0};
    struct made made = {0};
    struct stage_plan *plan;
    uint32_t time_slot;
    uint64_t min;
    TRY(read_groups(q, &names));
    TRY(read_min(q, &min));
    TRY(need_time(q, at, "beacon", &time_slot));
    TRY(add_plan(q, STAGE_BEACON, at, &plan));
    plan->time_slot = time_slot;
    plan->limit = min;
    TRY(keep_fields(q, plan, &names));
    make_same(q, &made, &names);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        make_column(&made, shown[i].name, shown[i].kind);
    }
    TRY(query_scope_close(q, made.columns, made.count, at));
    q->pipe->scope.rank_count = 0;
    rank_by(q, names.count);
    return OK;
}

/* What rows were ranked by stays so, under its new place. */
static void keep_ranks(struct query_scope *scope, const struct names *names)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scope->rank_count; i++) {
        for (uint32_t k = 0; k < names->count; k++) {
            if (names->slots[k] == scope->ranks[i]) {
                scope->ranks[count++] = k;
                break;
            }
        }
    }
    scope->rank_count = count;
}

static enum err read_fields(struct query_reader *q, size_t at)
{
    struct names names = {0};
    struct made made = {0};
    struct stage_plan *plan;
    for (bool more = true; more;) {
        TRY(read_name(q, &names));
        made.columns[made.count++] = *query_scope_column(q, names.slots[names.count - 1]);
        if (is_word(q, "as")) {
            TRY(query_lex_next(&q->lexer));
            if (!is_name(q)) {
                return query_lex_expected(&q->lexer, "a name after 'as'");
            }
            made.columns[made.count - 1].name = q->lexer.word.text;
            TRY(query_lex_next(&q->lexer));
        }
        more = query_lex_is_sign(&q->lexer, ',');
        if (more) {
            TRY(query_lex_next(&q->lexer));
        }
    }
    TRY(add_plan(q, STAGE_FIELDS, at, &plan));
    TRY(keep_fields(q, plan, &names));
    keep_ranks(&q->pipe->scope, &names);
    return query_scope_close(q, made.columns, made.count, at);
}

/* ---- all of them --------------------------------------------------------------------------- */

static const struct {
    const char *word;
    enum err (*read)(struct query_reader *q, size_t at);
} stages[] = {
        {"where", read_where},
        {"fields", read_fields},
        {"stack", read_stack},
        {"count", read_count},
        {"distinct", read_distinct},
        {"timechart", read_timechart},
        {"top", read_top},
        {"rare", read_rare},
        {"first", read_first},
        {"last", read_last},
        {"firstseen", read_firstseen},
        {"beacon", read_beacon},
        {"sort", read_sort},
        {"head", read_head},
        {"since", read_since},
        {"until", read_until},
        {"join", query_join_read},
};
enum { STAGES = sizeof stages / sizeof *stages };

/* What other query languages call it, or what is nearest to it. */
static enum err unknown_stage(struct query_reader *q)
{
    static const struct {
        const char *theirs, *ours;
    } others[] = {{"stats", "count by"}, {"summarize", "count by"}, {"filter", "where"},
            {"search", "where"}, {"table", "fields"}, {"project", "fields"}, {"select", "fields"},
            {"limit", "head"}, {"take", "head"}, {"dedup", "distinct"}, {"uniq", "distinct"},
            {"order", "sort"}, {"tail", "last"}, {"group", "count by"}, {"bin", "timechart"}};
    struct slice word = q->lexer.word.text;
    const char *near = NULL;
    size_t fewest = 3;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (slice_equal_nocase(word, slice_text(others[i].theirs))) {
            near = others[i].ours;
            fewest = 0;
        }
    }
    for (size_t i = 0; i < STAGES; i++) {
        size_t slips = near_distance(word, slice_text(stages[i].word));
        if (slips < fewest && slips < word.size) {
            fewest = slips;
            near = stages[i].word;
        }
    }
    char room[80];
    struct slice shown = query_lex_shown(&q->lexer, room);
    return near ? query_lex_fail(&q->lexer, q->lexer.word.at, ERR_SYNTAX,
                          "unknown stage %.*s; did you mean '%s'?", SLICE_ARG(shown), near)
                : query_lex_fail(&q->lexer, q->lexer.word.at, ERR_SYNTAX,
                          "expected a stage (where, fields, stack, count, distinct, timechart, "
                          "top, rare, first, last, firstseen, beacon, sort, head, since, until, "
                          "join), "
                          "found %.*s",
                          SLICE_ARG(shown));
}

enum err query_stage_read(struct query_reader *q)
{
    size_t at = q->lexer.word.at;
    for (size_t i = 0; i < STAGES; i++) {
        if (is_word(q, stages[i].word)) {
            TRY(query_lex_next(&q->lexer));
            return stages[i].read(q, at);
        }
    }
    return unknown_stage(q);
}

/* Rows that are still events: when, where, which, what a join added, and the record. */
static enum err show_events(struct query_reader *q)
{
    static const char *const shown[] = {"_time", "_source", "_id"};
    struct row_column columns[QUERY_COLUMNS + 4];
    uint32_t slots[QUERY_COLUMNS + 4], count = 0, slot;
    struct stage_plan *plan;
    size_t at = q->lexer.word.at;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        TRY(query_scope_find(q, slice_text(shown[i]), at, &slots[count++]));
    }
    for (slot = 0; slot < q->pipe->column_count; slot++) {
        if (q->pipe->columns[slot].origin == ORIGIN_JOIN) {
            slots[count++] = slot;
        }
    }
    TRY(query_scope_find(q, SLICE("_raw"), at, &slots[count++]));
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = *query_scope_column(q, slots[i]);
    }
    TRY(add_plan(q, STAGE_FIELDS, at, &plan));
    plan->field_count = count;
    TRY(keep_slots(q, slots, count, &plan->fields));
    return query_scope_close(q, columns, count, at);
}

/* Of the other query of a join nothing but the compared field is asked. */
static enum err show_joined(struct query_reader *q)
{
    struct names names = {.count = 1};
    struct stage_plan *plan;
    TRY(query_scope_find(q, q->join_on, q->join_place, &names.slots[0]));
    struct row_column column = *query_scope_column(q, names.slots[0]);
    TRY(add_plan(q, STAGE_DISTINCT, q->join_place, &plan));
    TRY(keep_fields(q, plan, &names));
    return query_scope_close(q, &column, 1, q->join_place);
}

enum err query_stage_finish(struct query_reader *q)
{
    struct query_pipe *p = q->pipe;
    if (p->scope.open) {
        TRY(q->inner ? show_joined(q) : show_events(q));
    }
    for (struct stage_plan *plan = p->first; plan; plan = plan->next) {
        plan->width = plan->width == OPEN_WIDTH ? p->column_count : plan->width;
    }
    for (struct stage_plan *plan = p->first; plan; plan = plan->next) {
        plan->out = plan->next ? plan->next->width : p->scope.count;
    }
    return OK;
}

enum err query_stage_add(
        struct query_reader *q, enum stage_kind kind, size_t at, struct stage_plan **out)
{
    return add_plan(q, kind, at, out);
}
