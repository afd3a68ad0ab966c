#include "app/pipeline.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "app/feed.h"
#include "app/turn.h"
#include "app/worker.h"
#include "base/clock.h"
#include "base/memory.h"
#include "cli/backtest.h"
#include "cli/progress.h"
#include "cli/visible.h"

/* One run. */
struct run {
    struct pipeline *pipeline;
    struct feed feed;
    struct turn turn;
    struct worker_shared shared;
    struct worker *workers;
    pthread_t *threads;
    unsigned count;
    struct progress progress;
    struct turn_counts counts;
    enum err written; /* of stdout */
    struct diag diag;
};

static enum err write_all(int fd, struct slice bytes, struct diag *diag)
{
    while (bytes.size > 0) {
        ssize_t n = write(fd, bytes.at, bytes.size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) { /* somebody made it non-blocking */
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (n < 0) {
            return diag_say(diag, ERR_IO, "%s", errno == EPIPE ? "" : strerror(errno));
        }
        bytes = slice_of(bytes.at + n, bytes.size - (size_t)n);
    }
    return OK;
}

static void stop(struct run *run, enum err e)
{
    run->written = e;
    atomic_store(run->pipeline->stop, true);
}

/* `piece` begins at the mark's. */
static enum err take_mark(struct report *report, const struct tally_mark *known,
        const struct turn_mark *m, const struct parcel *parcel, size_t piece)
{
    struct report_mark mark = {m->rule, m->timed, m->time_ns, known->host, {0}};
    if (m->user_size > 0) {
        mark.user = slice_of(parcel->hosts.at + m->host_at + m->host_size, m->user_size);
    }
    struct slice html = m->piece_size > 0 ? slice_of(parcel->pieces.at + piece, m->piece_size)
                                          : (struct slice){0};
    return report_take(report, &mark, html);
}

static enum err count_parcel(struct run *run, const struct parcel *parcel)
{
    size_t piece = 0;
    struct turn_counts *all = &run->counts;
    const struct turn_counts *c = &parcel->counts;
    all->events += c->events;
    all->rejected += c->rejected;
    all->outside += c->outside;
    all->no_time += c->no_time;
    all->undetermined += c->undetermined;
    all->failed += c->failed;
    all->untimed += c->untimed;
    all->crowded += c->crowded;
    for (size_t at = 0; at + sizeof(struct turn_mark) <= parcel->marks.size;
            at += sizeof(struct turn_mark)) {
        struct turn_mark m;
        memcpy(&m, parcel->marks.at + at, sizeof m);
        struct tally_mark mark = {m.rule, m.timed, m.time_ns, {0}};
        if (m.host_size > 0) {
            mark.host = slice_of(parcel->hosts.at + m.host_at, m.host_size);
        }
        tally_finding(run->pipeline->tally, &mark);
        if (run->pipeline->report) {
            TRY(take_mark(run->pipeline->report, &mark, &m, parcel, piece));
            piece += m.piece_size;
        }
    }
    return OK;
}

/* What goes to a terminal as it is (JSON, CSV) is made visible line by line on the way: a log must
 * not steer the terminal that shows it. */
static enum err write_terminal(struct slice text, struct diag *diag)
{
    struct buf out = {0};
    visible_lines(&out, text);
    enum err e = out.failed ? diag_say(diag, ERR_MEMORY, "no memory for the output")
                            : write_all(STDOUT_FILENO, buf_slice(&out), diag);
    buf_fini(&out);
    return e;
}

static bool take_matches(struct run *run, const struct parcel *parcel)
{
    if (parcel->matches.size == 0 && !parcel->matches.failed) {
        return true;
    }
    enum err e = parcel->matches.failed
                         ? diag_say(&run->diag, ERR_MEMORY, "no memory for correlations")
                         : correlated_add(run->pipeline->correlated, buf_slice(&parcel->matches),
                                   &run->diag);
    if (e != OK) {
        stop(run, e);
    }
    return e == OK;
}

/* The ordered end of the pipeline: one parcel at a time, in the order of the inputs. */
static void take(void *context, const struct parcel *parcel)
{
    struct run *run = context;
    if (run->written != OK) {
        return;
    }
    if (!take_matches(run, parcel)) {
        return;
    }
    if (parcel->out.failed || parcel->notes.failed || parcel->marks.failed ||
            parcel->hosts.failed || parcel->pieces.failed || count_parcel(run, parcel) != OK) {
        stop(run, diag_say(&run->diag, ERR_MEMORY, "no memory for the output"));
        return;
    }
    if (parcel->notes.size > 0 || (run->pipeline->terminal && parcel->out.size > 0)) {
        progress_wipe(&run->progress);
    }
    /* Whether stderr can be written changes nothing. */
    (void)!write_all(STDERR_FILENO, buf_slice(&parcel->notes), NULL);
    struct slice text = buf_slice(&parcel->out);
    enum err e = run->pipeline->guard_terminal ? write_terminal(text, &run->diag)
                                               : write_all(STDOUT_FILENO, text, &run->diag);
    if (e != OK) {
        stop(run, e);
        return;
    }
    uint64_t bytes = atomic_load_explicit(&run->feed.consumed, memory_order_relaxed);
    progress_tick(&run->progress, bytes, run->counts.events);
}

static void *thread_main(void *worker)
{
    worker_run(worker);
    return NULL;
}

static enum err make_workers(struct run *run, struct diag *diag)
{
    run->workers = memory_alloc_array(run->count, sizeof *run->workers);
    run->threads = memory_alloc_array(run->count, sizeof *run->threads);
    if (!run->workers || !run->threads) {
        return diag_say(diag, ERR_MEMORY, "no memory for %u workers", run->count);
    }
    for (unsigned i = 0; i < run->count; i++) {
        if (worker_init(&run->workers[i], &run->shared) != OK) {
            return diag_say(diag, ERR_MEMORY, "no memory for %u workers", run->count);
        }
    }
    return OK;
}

/* The first worker is this thread. A thread that cannot be had leaves its work to the others. */
static void run_workers(struct run *run)
{
    unsigned started = 1;
    while (started < run->count && pthread_create(&run->threads[started], NULL, thread_main,
                                           &run->workers[started]) == 0) {
        started++;
    }
    worker_run(&run->workers[0]);
    for (unsigned i = 1; i < started; i++) {
        pthread_join(run->threads[i], NULL);
    }
}

/* After all inputs: what was matched is sorted and correlated. */
static void correlate(struct run *run)
{
    struct correlated *c = run->pipeline->correlated;
    if (!c || run->written != OK) {
        return;
    }
    struct parcel notes = {0};
    enum err e = correlated_run(c, take, run, &run->diag);
    if (e != OK && run->written == OK) {
        stop(run, e);
    }
    run->pipeline->facts.inexact = correlated_notes(c, &notes.notes);
    if (run->written == OK) {
        take(run, &notes);
    }
    turn_parcel_fini(&notes);
}

static void write_header(struct run *run)
{
    const struct output *output = run->pipeline->output;
    struct parcel header = {0};
    if (output->format->begin) {
        output->format->begin(output, &header.out);
        take(run, &header);
        turn_parcel_fini(&header);
    }
}

static void collect(struct run *run)
{
    struct pipeline *p = run->pipeline;
    const struct feed_counts *f = &run->feed.counts;
    p->facts.files += f->files;
    p->facts.skipped += f->skipped;
    p->facts.unreadable += f->unreadable;
    p->facts.bytes = atomic_load(&run->feed.consumed);
    p->facts.events = run->counts.events;
    p->facts.rejected = run->counts.rejected + f->rejected;
    p->facts.outside = run->counts.outside;
    p->facts.no_time = run->counts.no_time;
    p->facts.undetermined = run->counts.undetermined;
    p->facts.untimed = run->counts.untimed;
    p->facts.crowded = run->counts.crowded;
    p->facts.elapsed_ns = clock_steady_ns() - run->progress.begun_ns;
    p->failed = run->counts.failed;
}

static void free_run(struct run *run)
{
    for (unsigned i = 0; run->workers && i < run->count; i++) {
        if (run->shared.request->backtest && run->workers[i].judge) {
            backtest_add_costs(run->shared.request->backtest, judge_costs(run->workers[i].judge));
        }
        worker_fini(&run->workers[i]);
    }
    memory_free(run->workers);
    memory_free(run->threads);
    turn_fini(&run->turn);
    feed_fini(&run->feed);
    memory_free(run);
}

enum err pipeline_run(struct pipeline *p, struct diag *diag)
{
    struct run *run = memory_alloc(sizeof *run);
    if (!run) {
        return diag_say(diag, ERR_MEMORY, "no memory for the pipeline");
    }
    run->pipeline = p;
    run->count = p->request->jobs;
    run->feed.inputs = p->inputs;
    run->feed.forced = p->request->decoder;
    run->feed.limits = p->request->limits;
    run->feed.stop = p->stop;
    run->feed.other = p->archive ? archive_feed_next : NULL;
    run->feed.context = p->archive;
    run->turn.take = take;
    run->turn.context = run;
    run->shared = (struct worker_shared){.request = p->request,
            .engine = p->engine,
            .output = p->output,
            .feed = &run->feed,
            .turn = &run->turn,
            .loaded = p->loaded,
            .choice = p->choice,
            .report = p->report};
    feed_init(&run->feed);
    enum err e = turn_init(&run->turn, run->count);
    if (e != OK) {
        diag_say(diag, e, "no memory for the pipeline");
    } else {
        e = make_workers(run, diag);
    }
    if (e == OK) {
        progress_begin(&run->progress, p->draw_progress, p->inputs->bytes, p->inputs->unknown);
        write_header(run);
        run_workers(run);
        correlate(run);
        progress_wipe(&run->progress);
        collect(run);
        e = run->written;
        if (e != OK && diag) {
            *diag = run->diag;
        } else if (run->feed.no_memory) {
            e = diag_say(diag, ERR_MEMORY, "no memory to read on; stopped");
        }
    }
    free_run(run);
    return e;
}
