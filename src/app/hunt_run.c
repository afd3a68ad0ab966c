#include "app/hunt_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/feed.h"
#include "app/hunt_log.h"
#include "app/run.h"
#include "app/sandbox.h"
#include "cli/figures.h"
#include "cli/load.h"
#include "cli/look.h"
#include "cli/visible.h"

struct hunt {
    const struct hunt_request *request;
    struct loaded loaded;
    struct query *query;
    struct query_run *run;
    struct inputs *inputs; /* NULL: the log is read */
    struct hunt_log log;
    struct hunt_pass pass;
    struct hunt_rows rows;
    struct progress progress;
    bool draw;    /* the progress */
    bool partial; /* something could not be read; said */
};

/* ---- files ------------------------------------------------------------------------------------
 */

static void say_notes(struct hunt *h, const struct buf *notes)
{
    if (notes->size > 0 && !h->pass.told) {
        progress_wipe(&h->progress);
        fwrite(notes->at, 1, notes->size, stderr);
    }
}

static enum err read_block(struct hunt *h, const struct feed_block *block, struct diag *diag)
{
    const struct hunt_bytes bytes = {.decoder = block->decoder,
            .bytes = block->records,
            .header = buf_slice(&block->header),
            .place = block->place,
            .first = block->first,
            .to = UINT64_MAX,
            .source = block->file,
            .number = "record"};
    say_notes(h, &block->notes);
    return block->decoder && block->records.size > 0 ? hunt_pass_bytes(&h->pass, &bytes, diag) : OK;
}

static enum err read_files(struct hunt *h, struct diag *diag)
{
    struct feed feed = {.inputs = h->inputs,
            .forced = h->request->decoder,
            .limits = h->request->limits,
            .stop = h->pass.stop};
    struct feed_block block = {0};
    enum err e = OK;
    feed_init(&feed);
    while (e == OK && !h->pass.done && feed_next(&feed, &block)) {
        h->pass.bytes = atomic_load(&feed.consumed);
        e = read_block(h, &block, diag);
    }
    h->partial = h->partial || feed.counts.unreadable > 0;
    h->pass.rejected += h->pass.told ? 0 : feed.counts.rejected;
    if (e == OK && feed.no_memory) {
        e = diag_say(diag, ERR_MEMORY, "no memory to read on");
    }
    feed_block_fini(&block);
    feed_fini(&feed);
    return e;
}

/* What is read again must be there again. */
static enum err check_again(const struct hunt *h, struct diag *diag)
{
    for (size_t i = 0; query_passes(h->query) > 1 && i < h->inputs->count; i++) {
        const struct input *input = &h->inputs->files[i];
        if (!input->regular || input->fd >= 0) {
            return diag_say(diag, ERR_UNSUPPORTED,
                    "%.*s: a join reads its input more than once, and this can be read once only",
                    SLICE_ARG(input->path));
        }
    }
    return OK;
}

/* ---- preparing --------------------------------------------------------------------------------
 */

static enum err prepare_query(struct hunt *h, struct diag *diag)
{
    const struct load_request load = {.taxonomies = h->request->taxonomies};
    TRY(load_rules(&load, &h->loaded, diag));
    return query_new(slice_text(h->request->query), h->loaded.taxonomy, &h->query, diag);
}

static enum err prepare_input(struct hunt *h, struct diag *diag)
{
    if (h->request->inputs.count == 0) {
        TRY(hunt_log_open(&h->log, h->request, diag));
        return sandbox_enter(SANDBOX_JUDGE, (const char *[]){h->log.path, NULL},
                getenv("MERLON_SANDBOX_TEST"), diag);
    }
    TRY(look_inputs(&h->request->inputs, &h->inputs, diag));
    h->partial = h->inputs->problem_count > 0;
    TRY(run_seal(h->inputs, diag));
    return check_again(h, diag);
}

static enum err add_row(
        void *context, const struct row_cell *cells, uint32_t width, struct diag *diag)
{
    return hunt_rows_add(context, cells, width, diag);
}

static enum err prepare_output(struct hunt *h, struct diag *diag)
{
    const struct query_run_options options = {h->request->state_limit, add_row, &h->rows};
    uint32_t count;
    const struct row_column *columns = query_columns(h->query, &count);
    progress_begin(&h->progress, h->draw, h->inputs ? h->inputs->bytes : 0,
            !h->inputs || h->inputs->unknown || query_passes(h->query) > 1);
    h->rows.form = h->request->form;
    h->rows.progress = &h->progress;
    TRY(hunt_rows_begin(&h->rows, columns, count, diag));
    TRY(query_run_new(h->query, &options, &h->run, diag));
    h->pass = (struct hunt_pass){.run = h->run,
            .limits = &h->request->limits,
            .stop = run_catch_signals(),
            .progress = &h->progress};
    return OK;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static enum err read_once(struct hunt *h, uint32_t number, struct diag *diag)
{
    h->pass.scan = query_scan(h->query, number);
    h->pass.told = number > 0;
    h->pass.bytes = 0;
    TRY(query_run_begin(h->run, number, diag));
    enum err e = hunt_pass_open(&h->pass, diag);
    if (e == OK) {
        e = h->inputs ? read_files(h, diag) : hunt_log_pass(&h->log, &h->pass, diag);
    }
    hunt_pass_close(&h->pass);
    if (e == OK && atomic_load(h->pass.stop)) {
        return diag_say(diag, ERR_END, "interrupted");
    }
    return e == OK ? query_run_end(h->run, diag) : e;
}

static enum err read_all(struct hunt *h, struct diag *diag)
{
    for (uint32_t n = 0; n < query_passes(h->query); n++) {
        TRY(read_once(h, n, diag));
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
    struct buf out = {0};
    bool some = query_run_partial(h->run);
    while (notes.size > 0) {
        struct slice line = slice_cut(&notes, '\n');
        verb_say("%.*s", SLICE_ARG(line));
    }
    if (h->pass.rejected > 0) {
        add_count(&out, h->pass.rejected, "record", "records");
        verb_say("%.*s could not be read%s", SLICE_ARG(buf_slice(&out)),
                h->pass.rejected > HUNT_PASS_TOLD ? "; the first are named above" : "");
        some = true;
    }
    if (h->log.unread > 0) {
        buf_clear(&out);
        add_count(&out, h->log.unread, "record", "records");
        verb_say("%.*s in quarantine: not searched (merlon log cat --rejected)",
                SLICE_ARG(buf_slice(&out)));
        some = true;
    }
    buf_fini(&out);
    return some || h->partial || h->log.partial;
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
    if (query_passes(h->query) > 1) {
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
    hunt_log_fini(&h->log);
    inputs_free(h->inputs);
    load_fini(&h->loaded);
}

static int hunt_all(struct hunt *h, struct diag *diag)
{
    /* What is sealed cannot ask what its terminal is. */
    h->rows.terminal = run_columns();
    h->draw = !h->request->quiet && isatty(STDERR_FILENO);
    enum err e = prepare_input(h, diag);
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
