/* firstseen: of each combination of values the earliest event: when, which, and how many there are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "hunt/stage_forms.h"
#include "hunt/stage_table.h"

/* Which event was the first of a group: its _source and _id, one behind the other. */
struct place {
    char *text;
    uint32_t room;
    uint32_t source_size, id_size;
};

struct seen {
    struct stage stage;
    struct stage_table table;
    struct place *places; /* by group number */
    size_t place_room;
    uint64_t untimed;
    struct row_cell *cells;   /* of a row: what it is grouped by; of one that goes on */
    struct row_value *values; /* of one that goes on */
};

static void seen_free(struct stage *s)
{
    struct seen *v = (struct seen *)s;
    for (size_t i = 0; i < v->place_room; i++) {
        memory_free(v->places[i].text);
    }
    memory_free(v->places);
    memory_free(v->cells);
    memory_free(v->values);
    stage_table_fini(&v->table);
    memory_free(v);
}

static enum err make_places(struct seen *v, struct diag *diag)
{
    size_t before = v->place_room, need = v->table.count;
    if (need <= before) {
        return OK;
    }
    size_t room = before ? before * 2 : 64;
    room = room < need ? need : room;
    TRY(stage_take(&v->stage, (room - before) * sizeof *v->places, diag));
    struct place *places = memory_resize(v->places, room * sizeof *places);
    if (!places) {
        return stage_no_memory(diag);
    }
    memset(places + before, 0, (room - before) * sizeof *places);
    v->places = places;
    v->place_room = room;
    return OK;
}

static struct slice text_of(const struct row_cell *cell)
{
    return cell->count ? cell->values[0].text : (struct slice){0};
}

/* The event at hand is the earliest of its group so far. */
static enum err keep_place(
        struct seen *v, struct place *to, const struct row_cell *cells, struct diag *diag)
{
    const struct stage_plan *plan = v->stage.plan;
    if (plan->right_count == 0) {
        return OK; /* rows that are no events */
    }
    struct slice source = text_of(&cells[plan->right[0]]), id = text_of(&cells[plan->right[1]]);
    size_t need = source.size + id.size;
    if (need > to->room) {
        TRY(stage_take(&v->stage, need - to->room, diag));
        char *text = memory_resize(to->text, need);
        if (!text) {
            return stage_no_memory(diag);
        }
        to->text = text;
        to->room = (uint32_t)need;
    }
    if (source.size) {
        memcpy(to->text, source.at, source.size);
    }
    if (id.size) {
        memcpy(to->text + source.size, id.at, id.size);
    }
    to->source_size = (uint32_t)source.size;
    to->id_size = (uint32_t)id.size;
    return OK;
}

static enum err seen_give(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    struct seen *v = (struct seen *)s;
    const struct stage_plan *plan = s->plan;
    const struct row_cell *time = &cells[plan->time_slot];
    if (time->count == 0) {
        v->untimed++;
        return OK;
    }
    int64_t ns = time->values[0].integer;
    for (uint32_t i = 0; i < plan->field_count; i++) {
        v->cells[i] = cells[plan->fields[i]];
    }
    TRY(stage_table_each(&v->table, s, v->cells, diag));
    TRY(make_places(v, diag));
    for (uint32_t i = 0; i < v->table.found_count; i++) {
        struct stage_group *group = &v->table.groups[v->table.found[i]];
        bool earliest = group->count == 0 || ns < group->first_ns; /* of equals, who came first */
        group->count++;
        if (earliest) {
            group->first_ns = ns;
            TRY(keep_place(v, &v->places[group->number], cells, diag));
        }
    }
    return OK;
}

static int by_time(const void *a, const void *b, void *table)
{
    const struct stage_group *x = a, *y = b;
    if (x->first_ns != y->first_ns) {
        return x->first_ns < y->first_ns ? -1 : 1;
    }
    return stage_table_compare(table, x, y);
}

static void put(struct seen *v, uint32_t *n, struct row_value value, bool present)
{
    v->values[*n] = value;
    v->cells[*n] = (struct row_cell){&v->values[*n], present};
    ++*n;
}

static enum err give_group(struct seen *v, const struct stage_group *group, struct diag *diag)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->table.width; i++) {
        put(v, &n, group->key[i], group->key[i].kind != ROW_ABSENT);
    }
    put(v, &n, (struct row_value){.kind = ROW_TIME, .integer = group->first_ns}, true);
    put(v, &n, (struct row_value){.kind = ROW_NUMBER, .integer = group->count}, true);
    if (v->stage.plan->right_count) {
        const struct place *place = &v->places[group->number];
        struct slice source = slice_of(place->text, place->source_size);
        struct slice id = slice_of(place->text + place->source_size, place->id_size);
        put(v, &n, (struct row_value){.kind = ROW_TEXT, .text = source}, source.size > 0);
        put(v, &n, (struct row_value){.kind = ROW_TEXT, .text = id}, id.size > 0);
    }
    return stage_give(v->stage.next, v->cells, diag);
}

static enum err seen_end(struct stage *s, struct diag *diag)
{
    struct seen *v = (struct seen *)s;
    if (v->untimed) {
        s->shared->partial = true;
        buf_format(&s->shared->notes, "firstseen: %llu events without a time are left out\n",
                (unsigned long long)v->untimed);
    }
    if (v->table.count) {
        qsort_r(v->table.groups, v->table.count, sizeof *v->table.groups, by_time, &v->table);
    }
    for (uint32_t i = 0; i < v->table.count; i++) {
        if (v->table.groups[i].first_ns >= s->plan->time_ns) {
            TRY(give_group(v, &v->table.groups[i], diag));
        }
    }
    return OK;
}

static const struct stage_form seen_form = {.give = seen_give, .end = seen_end, .free = seen_free};

enum err stage_seen_new(const struct stage_plan *plan, struct stage **out)
{
    struct seen *v = memory_alloc(sizeof *v);
    if (!v) {
        return ERR_MEMORY;
    }
    v->stage.form = &seen_form;
    size_t room = plan->field_count + 4;
    v->cells = memory_alloc_array(room, sizeof *v->cells);
    v->values = memory_alloc_array(room, sizeof *v->values);
    if (stage_table_init(&v->table, plan->field_count) != OK || !v->cells || !v->values) {
        seen_free(&v->stage);
        return ERR_MEMORY;
    }
    *out = &v->stage;
    return OK;
}
