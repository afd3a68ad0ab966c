/* join: rows of another query, kept, beside those that come in. */
#include "base/fold.h"
#include "base/memory.h"
#include "hunt/stage_forms.h"
#include "hunt/stage_table.h"

struct other {
    struct row_cell *cells; /* in the arena */
    uint32_t next;          /* a further one of the same value; UINT32_MAX: none */
    uint32_t row;           /* number of the row of the other query */
};

struct join {
    struct stage stage;
    struct stage_table table; /* by value, folded; link: the first of others */
    struct other *others;
    size_t room;
    uint32_t count;
    uint32_t rows;
    struct arena arena;
    struct row_cell *cells; /* of the row that goes on */
    struct buf text;
    uint64_t sequence;
    uint64_t *last_shown; /* by row of the other query: sequence of the row it was last joined to */
    size_t shown_room;
};

static void join_free(struct stage *s)
{
    struct join *j = (struct join *)s;
    stage_table_fini(&j->table);
    arena_fini(&j->arena);
    buf_fini(&j->text);
    memory_free(j->others);
    memory_free(j->last_shown);
    memory_free(j->cells);
    memory_free(j);
}

/* A value as it is compared: a folded text. */
static enum err make_key(
        struct join *j, const struct row_value *v, struct row_value *key, struct diag *diag)
{
    buf_clear(&j->text);
    row_write(v, &j->text);
    size_t size = j->text.size;
    char *to = buf_reserve(&j->text, size * 2 + 1);
    if (!to) {
        return stage_no_memory(diag);
    }
    *key = (struct row_value){.kind = ROW_TEXT};
    key->text = slice_of(to, fold_text(slice_of(j->text.at, size), to));
    return OK;
}

static enum err keep_cells(struct join *j, const struct row_cell *cells, uint32_t width,
        struct row_cell **out, struct diag *diag)
{
    size_t bytes = row_size(cells, width);
    TRY(stage_take(&j->stage, bytes + sizeof *j->last_shown, diag));
    void *block = arena_alloc(&j->arena, bytes, alignof(struct row_value));
    if (!block || !memory_grow(&j->last_shown, &j->shown_room, j->rows + 1u, sizeof(uint64_t))) {
        return stage_no_memory(diag);
    }
    j->last_shown[j->rows] = 0;
    *out = row_copy(cells, width, block);
    return OK;
}

static enum err add_other(
        struct join *j, const struct row_value *key, struct row_cell *cells, struct diag *diag)
{
    uint32_t group;
    TRY(stage_take(&j->stage, sizeof *j->others, diag));
    TRY(stage_table_put(&j->table, &j->stage, key, &group, diag));
    if (!memory_grow(&j->others, &j->room, j->count + 1u, sizeof *j->others)) {
        return stage_no_memory(diag);
    }
    j->others[j->count] = (struct other){cells, UINT32_MAX, j->rows};
    /* Behind those that came before: rows go on in their order. count: the last of the chain. */
    struct stage_group *g = &j->table.groups[group];
    if (g->link == UINT32_MAX) {
        g->link = j->count;
    } else {
        j->others[g->count].next = j->count;
    }
    g->count = j->count++;
    return OK;
}

enum err stage_join_take(
        struct stage *s, const struct row_cell *cells, uint32_t width, struct diag *diag)
{
    struct join *j = (struct join *)s;
    const struct row_cell *on = &cells[s->plan->right[0]];
    struct row_cell *copy = NULL;
    if (on->count == 0) {
        return OK;
    }
    TRY(keep_cells(j, cells, width, &copy, diag));
    for (uint32_t i = 0; i < on->count; i++) {
        struct row_value key;
        TRY(make_key(j, &on->values[i], &key, diag));
        TRY(add_other(j, &key, copy, diag));
    }
    j->rows++;
    return OK;
}

static enum err give_pair(struct join *j, const struct other *other, struct diag *diag)
{
    const struct stage_plan *plan = j->stage.plan;
    for (uint32_t i = 0; i + 1 < plan->right_count; i++) {
        j->cells[plan->added[i]] = other->cells[plan->right[i + 1]];
    }
    return stage_give(j->stage.next, j->cells, diag);
}

static enum err join_give(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    struct join *j = (struct join *)s;
    const struct stage_plan *plan = s->plan;
    const struct row_cell *on = &cells[plan->fields[0]];
    bool found = false;
    uint32_t same = plan->width < plan->out ? plan->width : plan->out;
    for (uint32_t i = 0; i < same; i++) {
        j->cells[i] = cells[i];
    }
    j->sequence++;
    for (uint32_t i = 0; i < on->count; i++) {
        struct row_value key;
        TRY(make_key(j, &on->values[i], &key, diag));
        uint32_t group = stage_table_find(&j->table, &key);
        uint32_t at = group == UINT32_MAX ? UINT32_MAX : j->table.groups[group].link;
        found = found || at != UINT32_MAX;
        for (; at != UINT32_MAX && !plan->inverse; at = j->others[at].next) {
            /* A pair goes on once, however many values they share. */
            if (j->last_shown[j->others[at].row] != j->sequence) {
                j->last_shown[j->others[at].row] = j->sequence;
                TRY(give_pair(j, &j->others[at], diag));
            }
        }
    }
    return plan->inverse && !found ? stage_give(s->next, cells, diag) : OK;
}

static const struct stage_form join_form = {.give = join_give, .free = join_free};

enum err stage_join_new(const struct stage_plan *plan, struct stage **out)
{
    struct join *j = memory_alloc(sizeof *j);
    if (!j) {
        return ERR_MEMORY;
    }
    j->stage.form = &join_form;
    arena_init(&j->arena, SIZE_MAX);
    j->cells = memory_alloc_array((size_t)plan->width + plan->out + 1, sizeof *j->cells);
    if (stage_table_init(&j->table, 1) != OK || !j->cells) {
        join_free(&j->stage);
        return ERR_MEMORY;
    }
    *out = &j->stage;
    return OK;
}
