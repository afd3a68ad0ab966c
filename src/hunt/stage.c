#include "hunt/stage.h"

#include "base/memory.h"
#include "hunt/stage_forms.h"

enum err stage_no_memory(struct diag *diag)
{
    return diag_say(diag, ERR_MEMORY, "no memory for the hunt");
}

struct slice stage_word(const struct stage *s)
{
    struct slice text = slice_from(s->shared->text, s->plan->at);
    size_t size = 0;
    while (size < text.size && ((text.at[size] | 32) >= 'a' && (text.at[size] | 32) <= 'z')) {
        size++;
    }
    return slice_of(text.at, size);
}

enum err stage_take(struct stage *s, size_t bytes, struct diag *diag)
{
    if (bytes > s->shared->memory_bytes || s->used > s->shared->memory_bytes - bytes) {
        return diag_say(diag, ERR_LIMIT,
                "stage '%.*s' (column %zu) would keep more than the limit of %zu bytes: choose "
                "fewer "
                "events or fields before it, or allow more memory",
                SLICE_ARG(stage_word(s)), s->plan->at + 1, s->shared->memory_bytes);
    }
    s->used += bytes;
    return OK;
}

/* ---- stages that keep nothing -------------------------------------------------------------- */

struct simple {
    struct stage stage;
    uint64_t count;
    struct row_cell *cells; /* of STAGE_FIELDS: the row that goes on */
};

static enum err simple_new(
        const struct stage_plan *plan, const struct stage_form *form, struct stage **out)
{
    struct simple *simple = memory_alloc(sizeof *simple);
    size_t count = plan->kind == STAGE_FIELDS ? plan->field_count : 1;
    struct row_cell *cells = memory_alloc_array(count, sizeof *cells);
    if (!simple || !cells) {
        memory_free(simple);
        memory_free(cells);
        return ERR_MEMORY;
    }
    simple->stage.form = form;
    simple->cells = cells;
    *out = &simple->stage;
    return OK;
}

static void simple_free(struct stage *s)
{
    memory_free(((struct simple *)s)->cells);
    memory_free(s);
}

static enum err give_fields(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    struct row_cell *to = ((struct simple *)s)->cells;
    for (uint32_t i = 0; i < s->plan->field_count; i++) {
        to[i] = cells[s->plan->fields[i]];
    }
    return stage_give(s->next, to, diag);
}

static enum err give_head(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    struct simple *head = (struct simple *)s;
    if (head->count == s->plan->limit) {
        return ERR_END;
    }
    head->count++;
    TRY(stage_give(s->next, cells, diag));
    return head->count == s->plan->limit ? ERR_END : OK;
}

static enum err give_moment(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    const struct row_cell *time = &cells[s->plan->time_slot];
    if (time->count == 0) {
        s->shared->untimed++;
        return OK;
    }
    bool after = time->values[0].integer >= s->plan->time_ns;
    return after == (s->plan->kind == STAGE_SINCE) ? stage_give(s->next, cells, diag) : OK;
}

static const struct stage_form fields_form = {.give = give_fields, .free = simple_free};
static const struct stage_form head_form = {.give = give_head, .free = simple_free};
static const struct stage_form moment_form = {.give = give_moment, .free = simple_free};

/* ---- the end of a chain -------------------------------------------------------------------- */

struct sink {
    struct stage stage;
    stage_sink *sink;
    void *context;
    uint32_t width;
};

static enum err give_sink(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    struct sink *sink = (struct sink *)s;
    return sink->sink(sink->context, cells, sink->width, diag);
}

static const struct stage_form sink_form = {.give = give_sink};

enum err stage_new_sink(stage_sink *sink, void *context, uint32_t width, struct stage **out)
{
    struct sink *s = memory_alloc(sizeof *s);
    if (!s) {
        return ERR_MEMORY;
    }
    *s = (struct sink){{.form = &sink_form}, sink, context, width};
    *out = &s->stage;
    return OK;
}

/* ---- all ----------------------------------------------------------------------------------- */

static enum err make(const struct stage_plan *plan, struct stage **out)
{
    switch (plan->kind) {
    case STAGE_FIELDS:
        return simple_new(plan, &fields_form, out);
    case STAGE_HEAD:
        return simple_new(plan, &head_form, out);
    case STAGE_SINCE:
    case STAGE_UNTIL:
        return simple_new(plan, &moment_form, out);
    case STAGE_WHERE:
        return stage_where_new(plan, out);
    case STAGE_FIRSTSEEN:
        return stage_seen_new(plan, out);
    case STAGE_BEACON:
        return stage_beacon_new(plan, out);
    case STAGE_JOIN:
        return stage_join_new(plan, out);
    case STAGE_TOP:
    case STAGE_RARE:
    case STAGE_SORT:
    case STAGE_FIRST:
    case STAGE_LAST:
        return stage_keep_new(plan, out);
    default:
        return stage_group_new(plan, out);
    }
}

enum err stage_new(const struct stage_plan *plan, struct stage_shared *shared, struct stage **out,
        struct diag *diag)
{
    enum err e = make(plan, out);
    if (e != OK) {
        return e == ERR_MEMORY ? stage_no_memory(diag) : e;
    }
    (*out)->plan = plan;
    (*out)->shared = shared;
    return OK;
}

void stage_free(struct stage *s)
{
    if (s && s->form->free) {
        s->form->free(s);
    } else {
        memory_free(s);
    }
}

enum err stage_end(struct stage *s, struct diag *diag)
{
    enum err e = s->form->end ? s->form->end(s, diag) : OK;
    return e == ERR_END ? OK : e;
}
