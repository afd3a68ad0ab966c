/* beacon: how regularly each combination of values comes. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "hunt/beacon.h"
#include "hunt/stage_forms.h"
#include "hunt/stage_table.h"

/* Of a group: what its intervals are told from. */
struct kept {
    int64_t *times;
    uint32_t count, room;
    struct beacon beacon;
};

struct watch {
    struct stage stage;
    struct stage_table table;
    struct kept *kept; /* by group number */
    size_t kept_room;
    uint64_t untimed, few, more;
    struct row_cell *cells;   /* of a row: what it is grouped by; of one that goes on */
    struct row_value *values; /* of one that goes on */
};

static void watch_free(struct stage *s)
{
    struct watch *w = (struct watch *)s;
    for (size_t i = 0; i < w->kept_room; i++) {
        memory_free(w->kept[i].times);
    }
    memory_free(w->kept);
    memory_free(w->cells);
    memory_free(w->values);
    stage_table_fini(&w->table);
    memory_free(w);
}

static enum err make_kept(struct watch *w, struct diag *diag)
{
    size_t before = w->kept_room, need = w->table.count;
    if (need <= before) {
        return OK;
    }
    size_t room = before ? before * 2 : 64;
    room = room < need ? need : room;
    TRY(stage_take(&w->stage, (room - before) * sizeof *w->kept, diag));
    struct kept *kept = memory_resize(w->kept, room * sizeof *kept);
    if (!kept) {
        return stage_no_memory(diag);
    }
    memset(kept + before, 0, (room - before) * sizeof *kept);
    w->kept = kept;
    w->kept_room = room;
    return OK;
}

/* The first ones that come, up to STAGE_TIMES. */
static enum err keep_time(struct watch *w, struct kept *to, int64_t ns, struct diag *diag)
{
    if (to->count == STAGE_TIMES) {
        return OK;
    }
    if (to->count == to->room) {
        uint32_t room = to->room ? to->room * 2 : 4;
        room = room > STAGE_TIMES ? STAGE_TIMES : room;
        TRY(stage_take(&w->stage, (room - to->room) * sizeof *to->times, diag));
        int64_t *times = memory_resize(to->times, room * sizeof *times);
        if (!times) {
            return stage_no_memory(diag);
        }
        to->times = times;
        to->room = room;
    }
    to->times[to->count++] = ns;
    return OK;
}

static enum err watch_give(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    struct watch *w = (struct watch *)s;
    const struct stage_plan *plan = s->plan;
    const struct row_cell *time = &cells[plan->time_slot];
    if (time->count == 0) {
        w->untimed++;
        return OK;
    }
    int64_t ns = time->values[0].integer;
    for (uint32_t i = 0; i < plan->field_count; i++) {
        w->cells[i] = cells[plan->fields[i]];
    }
    TRY(stage_table_each(&w->table, s, w->cells, diag));
    TRY(make_kept(w, diag));
    for (uint32_t i = 0; i < w->table.found_count; i++) {
        struct stage_group *group = &w->table.groups[w->table.found[i]];
        group->count++;
        group->first_ns = ns < group->first_ns ? ns : group->first_ns;
        group->last_ns = ns > group->last_ns ? ns : group->last_ns;
        TRY(keep_time(w, &w->kept[group->number], ns, diag));
    }
    return OK;
}

static int by_score(const void *a, const void *b, void *watch)
{
    const struct watch *w = watch;
    const struct stage_group *x = a, *y = b;
    int64_t p = w->kept[x->number].beacon.score, q = w->kept[y->number].beacon.score;
    if (p != q) {
        return p > q ? -1 : 1;
    }
    if (x->count != y->count) {
        return x->count > y->count ? -1 : 1;
    }
    return stage_table_compare(&w->table, x, y);
}

static void put(struct watch *w, uint32_t *n, enum row_kind kind, int64_t integer)
{
    w->values[*n] = (struct row_value){.kind = (uint8_t)kind, .integer = integer};
    w->cells[*n] = (struct row_cell){&w->values[*n], 1};
    ++*n;
}

static enum err give_group(struct watch *w, const struct stage_group *group, struct diag *diag)
{
    const struct kept *kept = &w->kept[group->number];
    const struct beacon *b = &kept->beacon;
    uint32_t n = 0;
    for (; n < w->table.width; n++) {
        w->values[n] = group->key[n];
        w->cells[n] = (struct row_cell){&w->values[n], group->key[n].kind != ROW_ABSENT};
    }
    put(w, &n, ROW_DECIMAL, b->score / 1000);
    put(w, &n, ROW_NUMBER, group->count);
    put(w, &n, ROW_NUMBER, kept->count);
    put(w, &n, ROW_DECIMAL, b->median_ns / 1000000);
    put(w, &n, ROW_DECIMAL, b->mean_ns / 1000000);
    put(w, &n, ROW_DECIMAL, b->jitter / 1000);
    put(w, &n, ROW_TIME, group->first_ns);
    put(w, &n, ROW_TIME, group->last_ns);
    return stage_give(w->stage.next, w->cells, diag);
}

static void say_what_is_missing(struct watch *w)
{
    struct buf *notes = &w->stage.shared->notes;
    w->stage.shared->partial |= w->untimed || w->more;
    if (w->untimed) {
        buf_format(notes, "beacon: %llu events without a time are left out\n",
                (unsigned long long)w->untimed);
    }
    if (w->more) {
        buf_format(notes,
                "beacon: %llu groups have over %d events: of these the score and the intervals "
                "tell of the first ones that came alone\n",
                (unsigned long long)w->more, (int)STAGE_TIMES);
    }
    if (w->few) {
        buf_format(notes,
                "beacon: %llu groups came at fewer than %llu moments: they are not shown\n",
                (unsigned long long)w->few, (unsigned long long)w->stage.plan->limit);
    }
}

static enum err watch_end(struct stage *s, struct diag *diag)
{
    struct watch *w = (struct watch *)s;
    uint32_t shown = 0;
    for (uint32_t i = 0; i < w->table.count; i++) {
        struct stage_group *group = &w->table.groups[i];
        struct kept *kept = &w->kept[group->number];
        bool enough = beacon_measure(kept->times, kept->count, &kept->beacon) &&
                      kept->beacon.moments >= s->plan->limit;
        if (enough) {
            w->more += group->count > kept->count;
            w->table.groups[shown++] = *group; /* none is looked up any more */
        } else {
            w->few++;
        }
    }
    say_what_is_missing(w);
    if (shown) {
        qsort_r(w->table.groups, shown, sizeof *w->table.groups, by_score, w);
    }
    for (uint32_t i = 0; i < shown; i++) {
        TRY(give_group(w, &w->table.groups[i], diag));
    }
    return OK;
}

static const struct stage_form watch_form = {
        .give = watch_give, .end = watch_end, .free = watch_free};

enum err stage_beacon_new(const struct stage_plan *plan, struct stage **out)
{
    struct watch *w = memory_alloc(sizeof *w);
    if (!w) {
        return ERR_MEMORY;
    }
    w->stage.form = &watch_form;
    size_t room = plan->field_count + 8;
    w->cells = memory_alloc_array(room, sizeof *w->cells);
    w->values = memory_alloc_array(room, sizeof *w->values);
    if (stage_table_init(&w->table, plan->field_count) != OK || !w->cells || !w->values) {
        watch_free(&w->stage);
        return ERR_MEMORY;
    }
    *out = &w->stage;
    return OK;
}
