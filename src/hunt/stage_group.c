/* count, stack, distinct and timechart: groups of rows, exactly counted. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/time.h"
#include "hunt/stage_forms.h"
#include "hunt/stage_table.h"

enum { GROUP_BUCKETS = 100000 /* of a timechart's span, empty ones counted */ };

struct group {
    struct stage stage;
    struct stage_table table;
    struct stage_table others; /* of stack by: which group saw which value */
    int64_t *other_counts;     /* by group number, then by */
    size_t other_room;
    struct row_cell *cells;   /* of a row: what it is grouped by; of one that goes on */
    struct row_value *values; /* of one that goes on */
    struct row_value bucket;
};

static void group_free(struct stage *s)
{
    struct group *g = (struct group *)s;
    stage_table_fini(&g->table);
    stage_table_fini(&g->others);
    memory_free(g->other_counts);
    memory_free(g->cells);
    memory_free(g->values);
    memory_free(g);
}

/* ---- a row comes in ------------------------------------------------------------------------ */

/* Each different value of `by` counts once for the group. */
static enum err count_others(
        struct group *g, uint32_t number, const struct row_cell *cells, struct diag *diag)
{
    const struct stage_plan *plan = g->stage.plan;
    for (uint32_t i = 0; i < plan->by_count; i++) {
        const struct row_cell *cell = &cells[plan->by[i]];
        for (uint32_t k = 0; k < cell->count; k++) {
            struct row_value key[3] = {{.kind = ROW_NUMBER, .integer = number},
                    {.kind = ROW_NUMBER, .integer = i}, cell->values[k]};
            uint32_t before = g->others.count, other;
            TRY(stage_table_put(&g->others, &g->stage, key, &other, diag));
            g->other_counts[(size_t)number * plan->by_count + i] += g->others.count > before;
        }
    }
    return OK;
}

static enum err make_counts(struct group *g, struct diag *diag)
{
    uint32_t each = g->stage.plan->by_count;
    size_t need = (size_t)g->table.count * each, before = g->other_room;
    if (need <= before) {
        return OK;
    }
    size_t room = before ? before * 2 : 64;
    room = room < need ? need : room;
    TRY(stage_take(&g->stage, (room - before) * sizeof *g->other_counts, diag));
    int64_t *counts = memory_resize(g->other_counts, room * sizeof *counts);
    if (!counts) {
        return stage_no_memory(diag);
    }
    memset(counts + before, 0, (room - before) * sizeof *counts);
    g->other_counts = counts;
    g->other_room = room;
    return OK;
}

/* The start of the span that a time lies in. Weeks begin on Monday: 1970-01-05 was one. */
static int64_t bucket_of(const struct stage_plan *plan, int64_t ns)
{
    __int128_t shift = plan->zone_ns - (plan->span_ns % (7 * TIME_DAY) == 0 ? 4 * TIME_DAY : 0);
    __int128_t at = ns + shift;
    __int128_t rest = at % plan->span_ns;
    __int128_t start = at - (rest < 0 ? rest + plan->span_ns : rest) - shift;
    return start < INT64_MIN ? INT64_MIN : (int64_t)start;
}

static enum err group_give(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    struct group *g = (struct group *)s;
    const struct stage_plan *plan = s->plan;
    const struct row_cell *time = plan->time_slot == FIELD_NONE ? NULL : &cells[plan->time_slot];
    bool timed = time && time->count;
    uint32_t n = 0;
    if (plan->kind == STAGE_TIMECHART) {
        g->bucket = (struct row_value){.kind = ROW_TIME};
        g->bucket.integer = timed ? bucket_of(plan, time->values[0].integer) : 0;
        g->cells[n++] = (struct row_cell){&g->bucket, timed};
    }
    for (uint32_t i = 0; i < plan->field_count; i++) {
        g->cells[n++] = cells[plan->fields[i]];
    }
    TRY(stage_table_each(&g->table, s, g->cells, diag));
    TRY(make_counts(g, diag));
    for (uint32_t i = 0; i < g->table.found_count; i++) {
        struct stage_group *group = &g->table.groups[g->table.found[i]];
        group->count++;
        if (timed) {
            int64_t ns = time->values[0].integer;
            group->first_ns = ns < group->first_ns ? ns : group->first_ns;
            group->last_ns = ns > group->last_ns ? ns : group->last_ns;
        }
        TRY(count_others(g, group->number, cells, diag));
    }
    return OK;
}

/* ---- rows go on ---------------------------------------------------------------------------- */

static int by_count(const void *a, const void *b, void *table)
{
    const struct stage_group *x = a, *y = b;
    if (x->count != y->count) {
        return x->count > y->count ? -1 : 1;
    }
    return stage_table_compare(table, x, y);
}

static int by_key(const void *a, const void *b, void *table)
{
    return stage_table_compare(table, a, b);
}

static void put(struct group *g, uint32_t *n, const struct row_value *value)
{
    g->values[*n] = *value;
    g->cells[*n] = (struct row_cell){&g->values[*n], value->kind != ROW_ABSENT};
    ++*n;
}

static void put_number(struct group *g, uint32_t *n, int64_t number)
{
    put(g, n, &(struct row_value){.kind = ROW_NUMBER, .integer = number});
}

static enum err give_group(struct group *g, const struct stage_group *group, struct diag *diag)
{
    const struct stage_plan *plan = g->stage.plan;
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->table.width; i++) {
        put(g, &n, &group->key[i]);
    }
    if (plan->kind != STAGE_DISTINCT) {
        put_number(g, &n, group->count);
    }
    if (plan->kind == STAGE_STACK) {
        for (uint32_t i = 0; i < plan->by_count; i++) {
            put_number(g, &n, g->other_counts[(size_t)group->number * plan->by_count + i]);
        }
        enum row_kind kind = group->first_ns <= group->last_ns ? ROW_TIME : ROW_ABSENT;
        put(g, &n, &(struct row_value){.kind = (uint8_t)kind, .integer = group->first_ns});
        put(g, &n, &(struct row_value){.kind = (uint8_t)kind, .integer = group->last_ns});
    }
    return stage_give(g->stage.next, g->cells, diag);
}

/* Spans between two groups, in which nothing was: rows that count 0. */
static enum err give_gap(struct group *g, int64_t from_ns, int64_t to_ns, struct diag *diag)
{
    int64_t span_ns = g->stage.plan->span_ns;
    for (__int128_t at = (__int128_t)from_ns + span_ns; at < to_ns; at += span_ns) {
        uint32_t n = 0;
        put(g, &n, &(struct row_value){.kind = ROW_TIME, .integer = (int64_t)at});
        put_number(g, &n, 0);
        TRY(stage_give(g->stage.next, g->cells, diag));
    }
    return OK;
}

/* Groups in order: those with a time first. */
static enum err check_buckets(const struct group *g, struct diag *diag)
{
    uint32_t count = g->table.count;
    while (count > 0 && g->table.groups[count - 1].key[0].kind != ROW_TIME) {
        count--;
    }
    if (count == 0) {
        return OK;
    }
    __int128_t from_ns = g->table.groups[0].key[0].integer;
    __int128_t to_ns = g->table.groups[count - 1].key[0].integer;
    if ((to_ns - from_ns) / g->stage.plan->span_ns >= GROUP_BUCKETS) {
        return diag_say(diag, ERR_LIMIT,
                "stage 'timechart' (column %zu): over %d spans between the first event and the "
                "last: choose a longer span, or since and until",
                g->stage.plan->at + 1, (int)GROUP_BUCKETS);
    }
    return OK;
}

static enum err group_end(struct stage *s, struct diag *diag)
{
    struct group *g = (struct group *)s;
    const struct stage_plan *plan = s->plan;
    bool counted = plan->kind == STAGE_COUNT || plan->kind == STAGE_STACK;
    bool filled = plan->kind == STAGE_TIMECHART && plan->field_count == 0;
    if (plan->kind == STAGE_COUNT && plan->field_count == 0 && g->table.count == 0) {
        uint32_t n = 0;
        put_number(g, &n, 0);
        return stage_give(s->next, g->cells, diag);
    }
    if (g->table.count) {
        qsort_r(g->table.groups, g->table.count, sizeof *g->table.groups,
                counted ? by_count : by_key, &g->table);
    }
    TRY(filled ? check_buckets(g, diag) : OK);
    for (uint32_t i = 0; i < g->table.count; i++) {
        const struct stage_group *group = &g->table.groups[i];
        bool gap = filled && i > 0 && group->key[0].kind == ROW_TIME;
        if (gap) {
            int64_t before_ns = g->table.groups[i - 1].key[0].integer;
            TRY(give_gap(g, before_ns, group->key[0].integer, diag));
        }
        TRY(give_group(g, group, diag));
    }
    return OK;
}

static const struct stage_form group_form = {
        .give = group_give, .end = group_end, .free = group_free};

enum err stage_group_new(const struct stage_plan *plan, struct stage **out)
{
    struct group *g = memory_alloc(sizeof *g);
    if (!g) {
        return ERR_MEMORY;
    }
    g->stage.form = &group_form;
    uint32_t width = plan->field_count + (plan->kind == STAGE_TIMECHART);
    size_t room = width + plan->by_count + 4;
    g->cells = memory_alloc_array(room, sizeof *g->cells);
    g->values = memory_alloc_array(room, sizeof *g->values);
    enum err e = stage_table_init(&g->table, width);
    enum err other = stage_table_init(&g->others, 3);
    if (e != OK || other != OK || !g->cells || !g->values) {
        group_free(&g->stage);
        return ERR_MEMORY;
    }
    *out = &g->stage;
    return OK;
}
