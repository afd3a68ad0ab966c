#include "app/hunt_ioc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/hunt_source.h"
#include "app/run.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/figures.h"
#include "cli/load.h"
#include "decode/json_form.h"
#include "detect/engine.h"
#include "intel/ioc_file.h"

enum { COLUMNS = 11, TOLD = 20, PLACE_BYTES = 24 };

struct hunt_ioc {
    const struct hunt_request *request;
    struct loaded loaded;
    struct engine *engine;
    struct indicators *set;
    struct ioc_load load;
    uint64_t unreadable, expired;
    int64_t now;
    struct observable_scan scan;
    struct hunt_source source;
    struct hunt_pass pass;
    struct row_column columns[COLUMNS];
    struct hunt_rows rows;
    struct progress progress;
    bool draw;
    uint64_t *last; /* by indicator: the value that it was last found in */
    uint64_t value; /* its number */
    uint64_t hits, hit_events, unwalked;
    /* The event at hand. */
    bool maybe;
    const struct query_event *event;
    struct slice path, text;
    struct row_value time;
    bool timed;
    struct buf scratch, place;
    enum err failed;
    struct diag *diag;
};

/* ---- rows -------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    uint8_t kind; /* enum row_kind */
} names[COLUMNS] = {
        {"_time", ROW_TIME},
        {"indicator", ROW_TEXT},
        {"kind", ROW_TEXT},
        {"field", ROW_TEXT},
        {"value", ROW_TEXT},
        {"_source", ROW_TEXT},
        {"_id", ROW_TEXT},
        {"label", ROW_TEXT},
        {"valid_until", ROW_TIME},
        {"expired", ROW_TEXT},
        {"origin", ROW_TEXT},
};

static struct row_value text_of(struct slice text)
{
    return (struct row_value){.kind = ROW_TEXT, .text = text};
}

static enum err write_row(struct hunt_ioc *h, const struct indicator *it)
{
    bool limited = it->valid_until != INT64_MAX;
    int64_t at = h->timed ? h->time.integer : h->now;
    buf_clear(&h->place);
    buf_add(&h->place, it->file);
    if (it->line > 0) {
        buf_byte(&h->place, ':');
        buf_u64(&h->place, it->line);
    }
    const struct row_value values[COLUMNS] = {h->time, text_of(it->given),
            text_of(slice_text(observable_name((enum observable_kind)it->kind))), text_of(h->path),
            text_of(h->text), text_of(h->event->source), text_of(h->event->id), text_of(it->label),
            {.kind = ROW_TIME, .integer = it->valid_until},
            text_of(limited && it->valid_until <= at ? SLICE("yes") : SLICE("")),
            text_of(buf_slice(&h->place))};
    struct row_cell cells[COLUMNS];
    for (uint32_t i = 0; i < COLUMNS; i++) {
        bool there = values[i].kind == ROW_TEXT ? values[i].text.size > 0
                     : i == 0                   ? h->timed
                                                : limited;
        cells[i] = (struct row_cell){&values[i], there};
    }
    return hunt_rows_add(&h->rows, cells, COLUMNS, h->diag);
}

/* ---- events -----------------------------------------------------------------------------------
 */

static bool take_found(void *context, const struct indicator *it)
{
    struct hunt_ioc *h = context;
    uint64_t *last = &h->last[indicators_number(h->set, it)];
    if (*last == h->value) {
        return true;
    }
    *last = h->value;
    h->hits++;
    h->failed = write_row(h, it);
    return h->failed == OK;
}

static bool take_observable(void *context, const struct observable *observable)
{
    struct hunt_ioc *h = context;
    indicators_find(h->set, observable, take_found, h);
    return h->failed == OK;
}

static bool take_maybe(void *context, const struct observable *observable)
{
    struct hunt_ioc *h = context;
    h->maybe = indicators_maybe(h->set, observable);
    return !h->maybe;
}

/* An account is all of a value, or what stands behind the domain. */
static void look_for_account(struct hunt_ioc *h)
{
    struct observable account = {.kind = OBSERVABLE_ACCOUNT, .given = h->text};
    if (!observable_path_of_account(h->path)) {
        return;
    }
    if (observable_account(&h->scan, h->text, &account.key)) {
        take_observable(h, &account);
    }
    size_t slash = slice_find_byte(h->text, '\\');
    if (slash < h->text.size && h->failed == OK &&
            observable_account(&h->scan, slice_from(h->text, slash + 1), &account.key)) {
        take_observable(h, &account);
    }
}

static bool take_value(void *context, struct slice path, const struct value *value)
{
    struct hunt_ioc *h = context;
    if (value->kind == VALUE_NULL || value->kind == VALUE_OBJECT) {
        return true;
    }
    h->path = path;
    h->text = value_slice(value, &h->scratch);
    h->value++;
    observable_scan(&h->scan, h->text);
    if (h->failed == OK && indicators_kinds(h->set) & 1u << OBSERVABLE_ACCOUNT) {
        look_for_account(h);
    }
    return h->failed == OK;
}

/* Can the event be passed over? Between JSON's values stand quotes; what other formats have there
 * may be part of a name. */
static bool is_clean(struct hunt_ioc *h, const struct event *event)
{
    if (!event->plain_text || event->form != &json_form ||
            indicators_kinds(h->set) & 1u << OBSERVABLE_ACCOUNT) {
        return false;
    }
    h->maybe = false;
    h->scan.take = take_maybe;
    h->scan.escaped = true;
    observable_scan(&h->scan, event->raw);
    if (!h->maybe && event->constants.size > 0) {
        observable_scan(&h->scan, event->constants);
    }
    if (!h->maybe && event->late && event->late_constants.size > 0) {
        observable_scan(&h->scan, event->late_constants);
    }
    return !h->maybe;
}

static enum err take_event(void *context, const struct query_event *event, struct diag *diag)
{
    struct hunt_ioc *h = context;
    if (is_clean(h, event->event)) {
        return OK;
    }
    const struct value *time;
    uint64_t hits = h->hits;
    event_finish(event->event);
    time = event_value(event->event, h->loaded.time_field);
    h->time = (struct row_value){.kind = ROW_TIME};
    h->timed = time && time_parse(value_slice(time, &h->scratch), &h->time.integer);
    h->event = event;
    h->diag = diag;
    h->failed = OK;
    h->scan.take = take_observable;
    h->scan.escaped = false;
    enum err e = event->event->form->walk(event->event, take_value, h);
    h->hit_events += h->hits > hits;
    if (h->failed != OK) {
        return h->failed;
    }
    h->unwalked += e != OK;
    return OK;
}

/* ---- indicators -------------------------------------------------------------------------------
 */

static void say_refused(void *context, struct slice file, uint32_t line, const char *words)
{
    struct hunt_ioc *h = context;
    if (h->load.refused > TOLD) {
        return;
    }
    if (line > 0) {
        verb_say("%.*s:%u: %s", SLICE_ARG(file), line, words);
    } else {
        verb_say("%.*s: %s", SLICE_ARG(file), words);
    }
}

static enum err read_indicators(struct hunt_ioc *h, struct diag *diag)
{
    const struct indicators_limits limits = {INDICATORS_COUNT, h->request->state_limit};
    TRY(indicators_new(&limits, &h->set));
    h->load = (struct ioc_load){.set = h->set, .say = say_refused, .context = h};
    for (size_t i = 0; i < h->request->iocs.count; i++) {
        struct diag why = {0};
        enum err e = ioc_file_read(&h->load, h->request->iocs.at[i], &why);
        if (e != OK) {
            return diag_say(diag, e, "%s: %s", h->request->iocs.at[i], why.words);
        }
    }
    if (h->load.refused > TOLD) {
        verb_say("further indicators that cannot be used: %llu",
                (unsigned long long)(h->load.refused - TOLD));
    }
    TRY(indicators_close(h->set, diag));
    if (indicators_count(h->set) == 0) {
        return diag_say(diag, ERR_NOT_FOUND, "no indicator to hunt with");
    }
    for (size_t i = 0; i < indicators_count(h->set); i++) {
        h->expired += indicators_at(h->set, i)->valid_until <= h->now;
    }
    h->last = memory_alloc_array(indicators_count(h->set), sizeof *h->last);
    return h->last ? OK : diag_say(diag, ERR_MEMORY, "no memory for indicators");
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static enum err prepare(struct hunt_ioc *h, struct diag *diag)
{
    const struct load_request load = {.taxonomies = h->request->input.taxonomies};
    const struct engine_options options = {0};
    TRY(read_indicators(h, diag));
    TRY(load_rules(&load, &h->loaded, diag));
    TRY(engine_new(h->loaded.set, h->loaded.taxonomy, &options, &h->engine, diag));
    h->scan.wants = indicators_kinds(h->set);
    h->scan.tops = indicators_tops(h->set);
    h->scan.context = h;
    TRY(hunt_source_open(&h->source, &h->request->input, false, diag));
    hunt_source_progress(&h->source, false, h->draw, &h->progress);
    h->rows.form = h->request->form;
    h->rows.progress = &h->progress;
    h->pass = (struct hunt_pass){.paths = engine_paths(h->engine),
            .field_count = engine_field_count(h->engine),
            .take = take_event,
            .context = h,
            .limits = &h->request->input.limits,
            .stop = run_catch_signals(),
            .progress = &h->progress};
    for (uint32_t i = 0; i < COLUMNS; i++) {
        h->columns[i] = (struct row_column){slice_text(names[i].name), names[i].kind};
    }
    return hunt_rows_begin(&h->rows, h->columns, COLUMNS, diag);
}

static void say_summary(const struct hunt_ioc *h)
{
    struct buf out = {0};
    figures_count(&out, indicators_count(h->set));
    buf_format(&out, " indicators (refused ");
    figures_count(&out, h->load.refused);
    buf_add(&out, SLICE(", passed over "));
    figures_count(&out, h->load.passed);
    buf_add(&out, SLICE(", given twice "));
    figures_count(&out, indicators_repeated(h->set));
    buf_add(&out, SLICE(", expired "));
    figures_count(&out, h->expired);
    buf_add(&out, SLICE("): "));
    figures_count(&out, h->hits);
    buf_add(&out, SLICE(" hits in "));
    figures_count(&out, h->hit_events);
    buf_add(&out, SLICE(" of "));
    figures_count(&out, h->pass.events);
    buf_add(&out, SLICE(" events"));
    verb_say("%.*s", SLICE_ARG(buf_slice(&out)));
    buf_fini(&out);
}

static bool say_left_out(const struct hunt_ioc *h)
{
    bool partial = hunt_source_partial(&h->source, &h->pass);
    if (h->unwalked > 0) {
        verb_say("not complete: events that could not be taken apart: %llu",
                (unsigned long long)h->unwalked);
        partial = true;
    }
    return partial || h->load.refused > 0;
}

static void free_hunt(struct hunt_ioc *h)
{
    engine_free(h->engine);
    hunt_source_fini(&h->source);
    hunt_rows_fini(&h->rows);
    indicators_free(h->set);
    ioc_load_fini(&h->load);
    memory_free(h->last);
    buf_fini(&h->scratch);
    buf_fini(&h->place);
    load_fini(&h->loaded);
}

int hunt_ioc_run(const struct hunt_request *request)
{
    static struct hunt_ioc hunt;
    struct hunt_ioc *h = &hunt;
    struct diag diag = {0};
    int code = VERB_SOME;
    h->request = request;
    h->rows.terminal = run_columns();
    h->draw = !request->quiet && isatty(STDERR_FILENO);
    h->now = clock_wall_ns();
    enum err e = prepare(h, &diag);
    e = e == OK ? hunt_source_read(&h->source, &h->pass, &diag) : e;
    e = e == OK ? hunt_rows_end(&h->rows, &diag) : e;
    progress_wipe(&h->progress);
    if (e == OK) {
        code = say_left_out(h) ? VERB_SOME : VERB_DONE;
        if (!request->quiet) {
            say_summary(h);
        }
    } else {
        struct diag ignored;
        bool shown = h->rows.written > 0 && e != ERR_IO && hunt_rows_end(&h->rows, &ignored) == OK;
        verb_say("%s%s", diag.words[0] ? diag.words : err_name(e),
                shown ? "; there may be more rows" : "");
    }
    free_hunt(h);
    return code;
}
