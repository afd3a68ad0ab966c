#include "hunt/query_run.h"

#include "base/memory.h"
#include "base/time.h"
#include "base/utf8.h"
#include "detect/judge.h"
#include "hunt/query_parts.h"
#include "hunt/stage_forms.h"

/* A pipe that is run. */
struct line {
    struct stage *stages[QUERY_STAGES + 2]; /* the sink stands last */
    uint32_t count;
};

struct query_run {
    const struct query *query;
    struct query_run_options options;
    struct stage_shared shared;
    struct line lines[QUERY_PIPES];
    /* Of the pass at hand. */
    uint32_t pipe;
    struct judge *judge;
    bool done; /* no more events are wanted */
    bool failed;
    struct row_cell *cells; /* of an event: QUERY_COLUMNS */
    struct row_value *values;
    size_t value_room;
    size_t value_count;
    struct arena texts;
    struct buf scratch;
    struct query_run_counts counts;
};

enum { RUN_TEXTS = 256 << 20 /* bytes that the values of one event may take */ };

/* ---- pipes --------------------------------------------------------------------------------- */

static enum err count_row(
        void *context, const struct row_cell *cells, uint32_t width, struct diag *diag)
{
    struct query_run *run = context;
    run->counts.rows++;
    return run->options.sink(run->options.context, cells, width, diag);
}

static enum err to_join(
        void *context, const struct row_cell *cells, uint32_t width, struct diag *diag)
{
    return stage_join_take(context, cells, width, diag);
}

/* The join that takes the rows of a pipe. */
static struct stage *join_of(const struct query_run *run, uint32_t pipe)
{
    const struct line *line = &run->lines[0];
    for (uint32_t i = 0; i + 1 < line->count; i++) {
        const struct stage_plan *plan = line->stages[i]->plan;
        if (plan->kind == STAGE_JOIN && plan->pipe == pipe) {
            return line->stages[i];
        }
    }
    return NULL;
}

static enum err make_line(struct query_run *run, uint32_t pipe, struct diag *diag)
{
    const struct query_pipe *p = &run->query->pipes[pipe];
    struct line *line = &run->lines[pipe];
    for (const struct stage_plan *plan = p->first; plan; plan = plan->next) {
        TRY(stage_new(plan, &run->shared, &line->stages[line->count], diag));
        line->count++;
    }
    struct stage *join = pipe ? join_of(run, pipe) : NULL;
    if (stage_new_sink(pipe ? to_join : count_row, pipe ? (void *)join : (void *)run,
                p->scope.count, &line->stages[line->count]) != OK) {
        return stage_no_memory(diag);
    }
    line->count++;
    for (uint32_t i = 0; i + 1 < line->count; i++) {
        line->stages[i]->next = line->stages[i + 1];
    }
    return OK;
}

enum err query_run_new(const struct query *query, const struct query_run_options *options,
        struct query_run **out, struct diag *diag)
{
    struct query_run *run = memory_alloc(sizeof *run);
    if (!run) {
        return stage_no_memory(diag);
    }
    run->query = query;
    run->options = *options;
    run->shared.memory_bytes = options->memory_bytes;
    run->shared.text = query->text;
    arena_init(&run->texts, RUN_TEXTS);
    run->cells = memory_alloc_array(QUERY_COLUMNS, sizeof *run->cells);
    enum err e = run->cells ? OK : stage_no_memory(diag);
    for (uint32_t i = 0; e == OK && i < query->pipe_count; i++) {
        e = make_line(run, i, diag);
    }
    if (e != OK) {
        query_run_free(run);
        return e;
    }
    *out = run;
    return OK;
}

void query_run_free(struct query_run *run)
{
    if (!run) {
        return;
    }
    for (uint32_t i = 0; i < QUERY_PIPES; i++) {
        for (uint32_t k = 0; k < run->lines[i].count; k++) {
            stage_free(run->lines[i].stages[k]);
        }
    }
    judge_free(run->judge);
    arena_fini(&run->texts);
    buf_fini(&run->scratch);
    buf_fini(&run->shared.notes);
    memory_free(run->cells);
    memory_free(run->values);
    memory_free(run);
}

/* ---- one event ----------------------------------------------------------------------------- */

static enum err add_value(struct query_run *run, const struct row_value *v)
{
    if (!memory_grow(&run->values, &run->value_room, run->value_count + 1, sizeof *v)) {
        return ERR_MEMORY;
    }
    run->values[run->value_count++] = *v;
    return OK;
}

static enum err add_text(struct query_run *run, struct slice text)
{
    struct row_value v = {.kind = ROW_TEXT, .text = text};
    return add_value(run, &v);
}

/* All values of a field, as texts; null and objects have none. */
static enum err add_field(
        struct query_run *run, const struct event *event, const struct value *value)
{
    for (; value; value = event_next(event, value)) {
        if (value->kind == VALUE_NULL || value->kind == VALUE_OBJECT) {
            continue;
        }
        struct slice text = value_slice(value, &run->scratch);
        if (run->scratch.failed) {
            return ERR_MEMORY;
        }
        if (text.at == run->scratch.at) { /* converted: the next one will stand there */
            text = arena_copy(&run->texts, text);
            if (!text.at) {
                return ERR_MEMORY;
            }
        }
        TRY(add_text(run, text));
    }
    return OK;
}

static enum err add_time(struct query_run *run, const struct event *event, uint32_t field)
{
    const struct value *value = event_value(event, field);
    struct row_value v = {.kind = ROW_TIME};
    if (!value || !time_parse(value_slice(value, &run->scratch), &v.integer)) {
        return OK;
    }
    return add_value(run, &v);
}

/* The record as it stands; one that is no text, as JSON. */
static enum err add_raw(struct query_run *run, const struct event *event)
{
    struct slice raw = slice_trim(event->raw);
    if (utf8_valid(raw)) {
        return add_text(run, raw);
    }
    buf_clear(&run->scratch);
    event->form->write_json(event, &run->scratch);
    raw = arena_copy(&run->texts, buf_slice(&run->scratch));
    return run->scratch.failed || !raw.at ? ERR_MEMORY : add_text(run, raw);
}

static enum err add_column(struct query_run *run, const struct query_event *row,
        const struct query_column *column, const struct hit *hit)
{
    switch (column->origin) {
    case ORIGIN_FIELD:
        return add_field(
                run, row->event, judge_wanted(run->judge, row->event, hit, column->wanted));
    case ORIGIN_TIME:
        return add_time(run, row->event, run->query->pipes[run->pipe].time_field);
    case ORIGIN_ID:
        return add_text(run, row->id);
    case ORIGIN_SOURCE:
        return add_text(run, row->source);
    case ORIGIN_RAW:
        return add_raw(run, row->event);
    default:
        return OK; /* a join fills it */
    }
}

static enum err make_row(
        struct query_run *run, const struct query_event *row, const struct hit *hit)
{
    const struct query_pipe *p = &run->query->pipes[run->pipe];
    arena_reset(&run->texts);
    run->value_count = 0;
    event_finish(row->event);
    for (uint32_t i = 0; i < p->column_count; i++) {
        size_t before = run->value_count;
        TRY(add_column(run, row, &p->columns[i], hit));
        run->cells[i].count = (uint32_t)(run->value_count - before);
    }
    size_t at = 0;
    for (uint32_t i = 0; i < p->column_count; i++) {
        run->cells[i].values = run->cells[i].count ? run->values + at : NULL; /* they stay now */
        at += run->cells[i].count;
    }
    return OK;
}

/* The hit of the query's rule; NULL: none. */
static const struct hit *find_hit(struct query_run *run, const struct hit *hits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hits[i].rule->number == 0) {
            run->shared.undetermined += hits[i].undetermined;
            return hits[i].undetermined ? NULL : &hits[i];
        }
    }
    return NULL;
}

static enum err give_event(
        struct query_run *run, const struct query_event *event, struct diag *diag)
{
    const struct hit *hits, *hit;
    size_t count;
    if (event->event->truncated) {
        return diag_say(diag, ERR_LIMIT, "over %d values of one record", (int)EVENT_MORE_LIMIT);
    }
    TRY(judge_event(run->judge, event->event, &hits, &count, diag));
    hit = find_hit(run, hits, count);
    if (!hit) {
        return OK;
    }
    run->counts.matched++;
    if (make_row(run, event, hit) != OK) {
        return stage_no_memory(diag);
    }
    return stage_give(run->lines[run->pipe].stages[0], run->cells, diag);
}

static void see_time(struct query_run *run, struct event *event)
{
    struct query_run_counts *c = &run->counts;
    event_finish(event);
    const struct value *value = event_value(event, run->query->pipes[run->pipe].time_field);
    int64_t ns;
    if (!value || !time_parse(value_slice(value, &run->scratch), &ns)) {
        return;
    }
    c->first_ns = c->timed == 0 || ns < c->first_ns ? ns : c->first_ns;
    c->last_ns = c->timed == 0 || ns > c->last_ns ? ns : c->last_ns;
    c->timed++;
}

enum err query_run_event(struct query_run *run, const struct query_event *event, struct diag *diag)
{
    if (run->done) {
        return ERR_END;
    }
    run->counts.events++;
    if (run->options.span) {
        see_time(run, event->event);
    }
    enum err e = give_event(run, event, diag);
    run->done = e != OK;
    run->failed = run->failed || (e != OK && e != ERR_END);
    return e;
}

/* ---- passes -------------------------------------------------------------------------------- */

enum err query_run_begin(struct query_run *run, uint32_t pass, struct diag *diag)
{
    run->pipe = pass + 1 == run->query->pipe_count ? 0 : pass + 1;
    run->done = false;
    judge_free(run->judge);
    run->judge = NULL;
    return judge_new(run->query->pipes[run->pipe].engine, &run->judge) == OK
                   ? OK
                   : stage_no_memory(diag);
}

static void say_what_is_missing(struct query_run *run)
{
    struct buf *notes = &run->shared.notes;
    if (run->shared.untimed) {
        buf_format(notes, "since, until: %llu events without a time are left out\n",
                (unsigned long long)run->shared.untimed);
    }
    if (run->shared.undetermined) {
        buf_format(notes, "%llu events are undetermined: a limit stopped their evaluation\n",
                (unsigned long long)run->shared.undetermined);
    }
    run->shared.partial |= run->shared.untimed || run->shared.undetermined;
    run->counts.undetermined += run->shared.undetermined;
    run->shared.untimed = run->shared.undetermined = 0;
}

enum err query_run_end(struct query_run *run, struct diag *diag)
{
    struct line *line = &run->lines[run->pipe];
    if (run->failed) {
        return diag_say(diag, ERR_USAGE, "the run failed before its end");
    }
    for (uint32_t i = 0; i < line->count; i++) {
        enum err e = stage_end(line->stages[i], diag);
        if (e != OK) {
            run->failed = true;
            return e;
        }
    }
    run->done = true;
    say_what_is_missing(run);
    return run->shared.notes.failed ? stage_no_memory(diag) : OK;
}

bool query_run_partial(const struct query_run *run)
{
    return run->shared.partial;
}

struct slice query_run_notes(const struct query_run *run)
{
    return buf_slice(&run->shared.notes);
}

struct query_run_counts query_run_counts(const struct query_run *run)
{
    return run->counts;
}
