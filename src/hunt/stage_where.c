/* where, on rows that are no events any more: a row becomes an event of its columns, which the
 * engine judges. */
#include "base/memory.h"
#include "base/time.h"
#include "detect/judge.h"
#include "event/event.h"
#include "hunt/stage_forms.h"

struct where {
    struct stage stage;
    struct judge *judge;
    struct event event;
    const struct row_cell *cells; /* of the row at hand: what free text is looked for in */
    struct buf text;
};

static void where_free(struct stage *s)
{
    struct where *w = (struct where *)s;
    judge_free(w->judge);
    event_fini(&w->event);
    buf_fini(&w->text);
    memory_free(w);
}

/* Numbers and times are written out; the text is borrowed until the next one. */
static struct value make_value(struct where *w, const struct row_value *v)
{
    bool number = v->kind == ROW_NUMBER || v->kind == ROW_DECIMAL;
    struct value value = {.kind = number ? VALUE_NUMBER : VALUE_STRING};
    value.text = v->text;
    if (v->kind != ROW_TEXT) {
        buf_clear(&w->text);
        row_write(v, &w->text);
        value.text = buf_slice(&w->text);
    }
    return value;
}

/* What keywords are looked for in. */
static enum err walk(const struct event *event, event_visit *visit, void *context)
{
    struct where *w = (struct where *)event->decoder;
    for (uint32_t i = 0; i < w->stage.plan->width; i++) {
        for (uint32_t k = 0; k < w->cells[i].count; k++) {
            struct value value = make_value(w, &w->cells[i].values[k]);
            if (!visit(context, slice_of("", 0), &value)) {
                return OK;
            }
        }
    }
    return w->text.failed ? ERR_MEMORY : OK;
}

static void write_json(const struct event *event, struct buf *out)
{
    (void)event;
    buf_add(out, SLICE("{}"));
}

static const struct event_form row_form = {.name = "row", .walk = walk, .write_json = write_json};

static enum err fill_event(struct where *w, const struct row_cell *cells, struct diag *diag)
{
    const struct stage_filter *filter = w->stage.plan->filter;
    event_begin(&w->event, slice_of("", 0));
    w->event.form = &row_form;
    w->event.decoder = w;
    w->cells = cells;
    for (uint32_t i = 0; i < w->stage.plan->width; i++) {
        for (uint32_t k = 0; filter->fields[i] != FIELD_NONE && k < cells[i].count; k++) {
            struct value value = make_value(w, &cells[i].values[k]);
            value.text = arena_copy(&w->event.scratch, value.text);
            if (!value.text.at || w->text.failed) {
                return stage_no_memory(diag);
            }
            event_put_field(&w->event, filter->fields[i], &value, 0);
        }
    }
    return w->event.truncated
                   ? diag_say(diag, ERR_LIMIT, "over %d values of one row", (int)EVENT_MORE_LIMIT)
                   : OK;
}

static enum err where_give(struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    struct where *w = (struct where *)s;
    const struct hit *hits;
    size_t count;
    if (!w->judge) {
        if (judge_new(s->plan->filter->engine, &w->judge) != OK ||
                event_init(&w->event, engine_field_count(s->plan->filter->engine)) != OK) {
            return stage_no_memory(diag);
        }
    }
    TRY(fill_event(w, cells, diag));
    TRY(judge_event(w->judge, &w->event, &hits, &count, diag));
    if (count && hits[0].undetermined) {
        s->shared->undetermined++;
        return OK;
    }
    return count ? stage_give(s->next, cells, diag) : OK;
}

static const struct stage_form where_form = {.give = where_give, .free = where_free};

enum err stage_where_new(const struct stage_plan *plan, struct stage **out)
{
    (void)plan;
    struct where *w = memory_alloc(sizeof *w);
    if (!w) {
        return ERR_MEMORY;
    }
    w->stage.form = &where_form;
    *out = &w->stage;
    return OK;
}
