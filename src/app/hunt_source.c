#include "app/hunt_source.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/feed.h"
#include "app/run.h"
#include "app/sandbox.h"
#include "cli/figures.h"
#include "cli/look.h"

/* ---- files ------------------------------------------------------------------------------------
 */

static enum err read_block(
        struct hunt_pass *pass, const struct feed_block *block, struct diag *diag)
{
    const struct hunt_bytes bytes = {.decoder = block->decoder,
            .bytes = block->records,
            .header = buf_slice(&block->header),
            .place = block->place,
            .first = block->first,
            .to = UINT64_MAX,
            .source = block->file,
            .number = "record"};
    if (block->notes.size > 0 && !pass->told) {
        progress_wipe(pass->progress);
        fwrite(block->notes.at, 1, block->notes.size, stderr);
    }
    return block->decoder && block->records.size > 0 ? hunt_pass_bytes(pass, &bytes, diag) : OK;
}

static enum err read_files(struct hunt_source *source, struct hunt_pass *pass, struct diag *diag)
{
    struct feed feed = {.inputs = source->inputs,
            .forced = source->input->decoder,
            .limits = source->input->limits,
            .stop = pass->stop};
    struct feed_block block = {0};
    enum err e = OK;
    feed_init(&feed);
    while (e == OK && !pass->done && feed_next(&feed, &block)) {
        pass->bytes = atomic_load(&feed.consumed);
        e = read_block(pass, &block, diag);
    }
    source->partial = source->partial || feed.counts.unreadable > 0;
    pass->rejected += pass->told ? 0 : feed.counts.rejected;
    if (e == OK && feed.no_memory) {
        e = diag_say(diag, ERR_MEMORY, "no memory to read on");
    }
    feed_block_fini(&block);
    feed_fini(&feed);
    return e;
}

static enum err check_again(const struct inputs *inputs, struct diag *diag)
{
    for (size_t i = 0; i < inputs->count; i++) {
        const struct input *input = &inputs->files[i];
        if (!input->regular || input->fd >= 0) {
            return diag_say(diag, ERR_UNSUPPORTED,
                    "%.*s: a join or a hunt book reads its input more than once, and this can be "
                    "read once only",
                    SLICE_ARG(input->path));
        }
    }
    return OK;
}

/* ---- each of them
 * -----------------------------------------------------------------------------------
 */

enum err hunt_source_open(
        struct hunt_source *source, const struct hunt_input *input, bool again, struct diag *diag)
{
    *source = (struct hunt_source){.input = input};
    if (input->archive) {
        TRY(hunt_archive_open(&source->archive, input, diag));
        return sandbox_enter(SANDBOX_JUDGE, (const char *[]){source->archive.path, NULL},
                getenv("MERLON_SANDBOX_TEST"), diag);
    }
    if (input->paths.count == 0) {
        TRY(hunt_log_open(&source->log, input, diag));
        return sandbox_enter(SANDBOX_JUDGE, (const char *[]){source->log.path, NULL},
                getenv("MERLON_SANDBOX_TEST"), diag);
    }
    TRY(look_inputs(&input->paths, &source->inputs, diag));
    source->partial = source->inputs->problem_count > 0;
    TRY(run_seal(source->inputs, diag));
    return again ? check_again(source->inputs, diag) : OK;
}

enum err hunt_source_read(struct hunt_source *source, struct hunt_pass *pass, struct diag *diag)
{
    pass->bytes = 0;
    enum err e = hunt_pass_open(pass, diag);
    if (e == OK) {
        e = source->inputs           ? read_files(source, pass, diag)
            : source->input->archive ? hunt_archive_pass(&source->archive, pass, diag)
                                     : hunt_log_pass(&source->log, pass, diag);
    }
    hunt_pass_close(pass);
    if (e == OK && atomic_load(pass->stop)) {
        return diag_say(diag, ERR_END, "interrupted");
    }
    return e;
}

static void say_records(uint64_t n, const char *words)
{
    struct buf out = {0};
    figures_count(&out, n);
    verb_say("%.*s %s %s", SLICE_ARG(buf_slice(&out)), n == 1 ? "record" : "records", words);
    buf_fini(&out);
}

bool hunt_source_partial(const struct hunt_source *source, const struct hunt_pass *pass)
{
    const struct hunt_log *log = &source->log;
    if (pass->rejected > 0) {
        say_records(pass->rejected, pass->rejected > HUNT_PASS_TOLD
                                            ? "could not be read; the first are named above"
                                            : "could not be read");
    }
    if (log->unread > 0) {
        say_records(log->unread, "in quarantine: not searched (merlon log cat --rejected)");
    }
    return pass->rejected > 0 || log->unread > 0 || source->partial || log->partial ||
           source->archive.partial;
}

void hunt_source_progress(
        const struct hunt_source *source, bool again, bool draw, struct progress *progress)
{
    const struct inputs *inputs = source->inputs;
    progress_begin(progress, draw, inputs ? inputs->bytes : 0, !inputs || inputs->unknown || again);
}

void hunt_source_fini(struct hunt_source *source)
{
    hunt_log_fini(&source->log);
    hunt_archive_fini(&source->archive);
    inputs_free(source->inputs);
}
