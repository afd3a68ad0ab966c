#include "app/hunt_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/hunt_ioc.h"
#include "app/hunt_near.h"
#include "app/hunt_rules.h"
#include "app/hunt_source.h"
#include "app/run.h"
#include "cli/figures.h"
#include "cli/hunt_frames.h"
#include "cli/load.h"

struct hunt {
    const struct hunt_request *request;
    struct loaded loaded;
    struct query *query;
    struct query_run *run;
    struct hunt_source source;
    struct hunt_pass pass;
    struct hunt_rows rows;
    struct progress progress;
    bool draw; /* the progress */
};

/* ---- preparing --------------------------------------------------------------------------------
 */

static enum err prepare_query(struct hunt *h, struct diag *diag)
{
    const struct load_request load = {.taxonomies = h->request->input.taxonomies};
    TRY(load_rules(&load, &h->loaded, diag));
    return query_new(slice_text(h->request->query), h->loaded.taxonomy, &h->query, diag);
}

static bool reads_again(const struct hunt *h)
{
    return query_passes(h->query) > 1;
}

static bool of_book(const struct hunt *h)
{
    return h->request->form == HUNT_FRAMES;
}

static enum err add_row(
        void *context, const struct row_cell *cells, uint32_t width, struct diag *diag)
{
    return hunt_rows_add(context, cells, width, diag);
}

static enum err take_event(void *context, const struct query_event *event, struct diag *diag)
{
    return query_run_event(context, event, diag);
}

static enum err prepare_output(struct hunt *h, struct diag *diag)
{
    const struct query_run_options options = {.memory_bytes = h->request->state_limit,
            .sink = add_row,
            .context = &h->rows,
            .span = of_book(h)};
    uint32_t count;
    const struct row_column *columns = query_columns(h->query, &count);
    hunt_source_progress(&h->source, reads_again(h), h->draw, &h->progress);
    h->rows.form = h->request->form;
    h->rows.progress = &h->progress;
    TRY(hunt_rows_begin(&h->rows, columns, count, diag));
    TRY(query_run_new(h->query, &options, &h->run, diag));
    h->pass = (struct hunt_pass){.take = take_event,
            .context = h->run,
            .limits = &h->request->input.limits,
            .stop = run_catch_signals(),
            .progress = &h->progress};
    return OK;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static enum err read_once(struct hunt *h, uint32_t number, struct diag *diag)
{
    const struct query_scan *scan = query_scan(h->query, number);
    h->pass.paths = scan->paths;
    h->pass.field_count = scan->field_count;
    h->pass.told = number > 0;
    TRY(query_run_begin(h->run, number, diag));
    TRY(hunt_source_read(&h->source, &h->pass, diag));
    return query_run_end(h->run, diag);
}

static enum err read_all(struct hunt *h, struct diag *diag)
{
    for (uint32_t n = 0; n < query_passes(h->query); n++) {
        TRY(read_once(h, n, diag));
    }
    if (of_book(h)) {
        const struct hunt_frames_end end = {query_run_counts(h->run), h->pass.events};
        hunt_frames_end(&h->rows.out, &end);
    }
    return hunt_rows_end(&h->rows, diag);
}

static void add_count(struct buf *out, uint64_t n, const char *one, const char *many)
{
    figures_count(out, n);
    buf_format(out, " %s", n == 1 ? one : many);
}

/* true: something was left out. */
static bool say_left_out(struct hunt *h)
{
    struct slice notes = query_run_notes(h->run);
    while (notes.size > 0) {
        struct slice line = slice_cut(&notes, '\n');
        verb_say("%.*s", SLICE_ARG(line));
    }
    return hunt_source_partial(&h->source, &h->pass) || query_run_partial(h->run);
}

static void say_summary(const struct hunt *h)
{
    struct query_run_counts counts = query_run_counts(h->run);
    struct buf out = {0};
    if (h->request->quiet) {
        return;
    }
    add_count(&out, counts.rows, "row from ", "rows from ");
    figures_count(&out, counts.matched);
    buf_add(&out, SLICE(" of "));
    add_count(&out, h->pass.events, "event", "events");
    if (reads_again(h)) {
        buf_format(&out, ", read %u times", query_passes(h->query));
    }
    verb_say("%.*s", SLICE_ARG(buf_slice(&out)));
    buf_fini(&out);
}

static void free_hunt(struct hunt *h)
{
    query_run_free(h->run);
    query_free(h->query);
    hunt_rows_fini(&h->rows);
    hunt_source_fini(&h->source);
    load_fini(&h->loaded);
}

static int hunt_all(struct hunt *h, struct diag *diag)
{
    /* What is sealed cannot ask what its terminal is. */
    h->rows.terminal = run_columns();
    h->draw = !h->request->quiet && isatty(STDERR_FILENO);
    bool again = reads_again(h) || of_book(h);
    enum err e = hunt_source_open(&h->source, &h->request->input, again, diag);
    e = e == OK ? prepare_output(h, diag) : e;
    e = e == OK ? read_all(h, diag) : e;
    progress_wipe(&h->progress);
    if (e != OK) {
        struct diag ignored;
        bool shown = h->rows.written > 0 && e != ERR_IO && hunt_rows_end(&h->rows, &ignored) == OK;
        verb_say("%s%s", diag->words[0] ? diag->words : err_name(e),
                shown ? "; there may be more rows" : "");
        return VERB_SOME;
    }
    bool left_out = say_left_out(h);
    say_summary(h);
    return left_out ? VERB_SOME : VERB_DONE;
}

int hunt_run(const struct hunt_request *request)
{
    static struct hunt hunt;
    struct diag diag = {0};
    int code = VERB_USAGE;
    if (request->iocs.count > 0) {
        return hunt_ioc_run(request);
    }
    if (request->near) {
        return hunt_near_run(request);
    }
    if (request->rules.count > 0) { /* --rule, or a backtest */
        return hunt_rules_run(request);
    }
    hunt.request = request;
    enum err e = prepare_query(&hunt, &diag);
    if (e == OK) {
        code = hunt_all(&hunt, &diag);
    } else if (diag.line > 0) {
        verb_say("query: line %u, column %u: %s", diag.line, diag.column, diag.words);
    } else {
        verb_say("%s", diag.words[0] ? diag.words : err_name(e));
        code = e == ERR_MEMORY || e == ERR_IO ? VERB_SOME : VERB_USAGE;
    }
    free_hunt(&hunt);
    return code;
}
