#include "app/worker.h"

#include "app/collect.h"
#include "base/time.h"
#include "cli/report_finding.h"
#include "cli/visible.h"

void worker_fini(struct worker *worker)
{
    for (size_t i = 0; i < decoders_count && i < WORKER_DECODERS; i++) {
        if (worker->readers[i]) {
            decoders[i]->reader_free(worker->readers[i]);
        }
    }
    judge_free(worker->judge);
    event_fini(&worker->event);
    feed_block_fini(&worker->block);
    turn_parcel_fini(&worker->parcel);
    buf_fini(&worker->time);
    buf_fini(&worker->host);
    buf_fini(&worker->user);
    buf_fini(&worker->scratch);
}

enum err worker_init(struct worker *worker, const struct worker_shared *shared)
{
    worker->shared = shared;
    TRY(event_init(&worker->event, engine_field_count(shared->engine)));
    TRY(judge_new(shared->engine, &worker->judge));
    if (shared->request->backtest) {
        TRY(judge_watch(worker->judge));
    }
    for (size_t i = 0; i < decoders_count && i < WORKER_DECODERS; i++) {
        TRY(decoders[i]->reader_new(
                engine_paths(shared->engine), &shared->request->limits, &worker->readers[i]));
    }
    return OK;
}

static struct reader *reader_of(const struct worker *worker, const struct decoder *decoder)
{
    for (size_t i = 0; i < decoders_count && i < WORKER_DECODERS; i++) {
        if (decoders[i] == decoder) {
            return worker->readers[i];
        }
    }
    return NULL;
}

/* A line on stderr about a record. */
static void note(struct worker *worker, uint64_t record, const struct diag *diag)
{
    struct buf *notes = &worker->parcel.notes;
    buf_add(notes, SLICE("merlon: "));
    visible_add(notes, worker->block.file, VISIBLE_ANY);
    buf_format(notes, ": record %llu: ", (unsigned long long)record);
    if (diag->line > 0) {
        buf_format(notes, "line %u: ", diag->line);
    }
    if (diag->column > 0) {
        buf_format(notes, "column %u: ", diag->column);
    }
    visible_add(notes, slice_text(diag->words), VISIBLE_ANY);
    buf_byte(notes, '\n');
}

static bool event_time(struct worker *worker, int64_t *ns)
{
    const struct value *value = event_value(&worker->event, worker->shared->loaded->time_field);
    return value && time_parse(value_slice(value, &worker->scratch), ns);
}

/* Windows writes "-" for nobody, the audit log "?" for what it does not know. */
static bool is_named(struct slice text)
{
    return text.size > 0 && !slice_equal(text, SLICE("-")) && !slice_equal(text, SLICE("?"));
}

static struct slice event_host(struct worker *worker)
{
    for (size_t i = 0; i < LOAD_HOSTS; i++) {
        uint32_t field = worker->shared->loaded->host_fields[i];
        const struct value *value = event_value(&worker->event, field);
        if (!value || value->kind != VALUE_STRING) {
            continue;
        }
        struct slice host = value_slice(value, &worker->host);
        if (is_named(host)) {
            return host;
        }
    }
    return (struct slice){0};
}

/* Whoever did it, where the record says so. */
static struct slice event_user(struct worker *worker)
{
    const struct loaded *loaded = worker->shared->loaded;
    for (size_t i = 0; i < loaded->user_count; i++) {
        const struct value *value = event_value(&worker->event, loaded->user_fields[i]);
        if (!value || value->kind != VALUE_STRING) {
            continue;
        }
        struct slice user = slice_trim(value_slice(value, &worker->user));
        if (is_named(user)) {
            return user;
        }
    }
    return (struct slice){0};
}

/* Is the event within --from and --to? One without a known time is. */
static bool within_times(struct worker *worker)
{
    const struct detect_request *request = worker->shared->request;
    int64_t ns;
    if (!request->has_from && !request->has_to) {
        return true;
    }
    event_finish(&worker->event);
    if (!event_time(worker, &ns)) {
        worker->parcel.counts.no_time++;
        return true;
    }
    if ((request->has_from && ns < request->from_ns) || (request->has_to && ns >= request->to_ns)) {
        worker->parcel.counts.outside++;
        return false;
    }
    return true;
}

/* Counts a finding, and makes its piece of the report. */
static void mark(
        struct worker *worker, const struct turn_mark *known, const struct output_finding *finding)
{
    struct parcel *parcel = &worker->parcel;
    struct turn_mark m = *known;
    m.rule = finding->hit->rule->number;
    m.host_at = parcel->hosts.size;
    m.host_size = (uint32_t)finding->host.size;
    m.user_size = (uint32_t)finding->user.size;
    buf_add(&parcel->hosts, finding->host);
    buf_add(&parcel->hosts, finding->user);
    if (worker->shared->report && report_wants(worker->shared->report, m.rule)) {
        size_t start = parcel->pieces.size;
        report_finding_write(finding, m.timed, m.time_ns, &parcel->pieces);
        m.piece_size = (uint32_t)(parcel->pieces.size - start);
    }
    buf_add(&parcel->marks, slice_of((const char *)&m, sizeof m));
}

static void say_undetermined(struct worker *worker, const struct hit *hit, uint64_t record)
{
    struct diag diag;
    diag_say(&diag, ERR_LIMIT, "undetermined: rule '%.*s' (%.*s) reached a limit",
            SLICE_ARG(hit->rule->title), SLICE_ARG(hit->rule->id));
    worker->parcel.counts.undetermined++;
    note(worker, record, &diag);
}

/* Too much for one parcel (or memory refused it): handed over in our turn. */
static void bound_parcel(struct worker *worker)
{
    const struct parcel *p = &worker->parcel;
    if (p->out.size > WORKER_FLUSH || p->pieces.size > WORKER_FLUSH ||
            p->matches.size > WORKER_FLUSH) {
        turn_flush(worker->shared->turn, worker->block.sequence, &worker->parcel);
    }
}

/* What correlations need of the event; without a time it has no place in any window. */
static void collect_hits(
        struct worker *worker, const struct hit *hits, size_t count, const struct collect *known)
{
    const bool *needed = worker->shared->choice->needed;
    struct collect c = *known;
    for (size_t i = 0; i < count; i++) {
        if (needed[hits[i].rule->number] && !hits[i].undetermined) {
            collect_hit(&c, &hits[i]);
        }
    }
    worker->parcel.counts.crowded += c.left_out;
}

static void correlate_hits(
        struct worker *worker, const struct hit *hits, size_t count, uint64_t record)
{
    struct collect c = {.judge = worker->judge,
            .event = &worker->event,
            .id = {.record = record, .file = worker->block.file_number},
            .host = event_host(worker),
            .scratch = &worker->scratch,
            .out = &worker->parcel.matches};
    const bool *needed = worker->shared->choice->needed;
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        wanted += needed[hits[i].rule->number] && !hits[i].undetermined;
    }
    if (wanted == 0) {
        return;
    }
    if (event_time(worker, &c.id.time_ns)) {
        collect_hits(worker, hits, count, &c);
    } else {
        worker->parcel.counts.untimed += wanted;
    }
}

static void write_hits(struct worker *worker, const struct hit *hits, size_t count, uint64_t record)
{
    const struct output *output = worker->shared->output;
    struct output_finding finding = {.judge = worker->judge,
            .event = &worker->event,
            .host = event_host(worker),
            .user = event_user(worker),
            .file = worker->block.file,
            .file_json = worker->block.file_json,
            .record = record};
    struct turn_mark known = {0};
    known.timed = event_time(worker, &known.time_ns);
    buf_clear(&worker->time);
    if (known.timed) {
        time_format(&worker->time, known.time_ns);
    }
    finding.time = buf_slice(&worker->time);
    for (size_t i = 0; i < count; i++) {
        if (hits[i].undetermined) {
            say_undetermined(worker, &hits[i], record);
            continue;
        }
        if (!worker->shared->choice->visible[hits[i].rule->number]) {
            continue;
        }
        finding.hit = &hits[i];
        mark(worker, &known, &finding);
        if (output->format->finding) {
            output->format->finding(output, &finding, &worker->parcel.out);
        }
        bound_parcel(worker);
        if (worker->parcel.out.size == 0) {
            finding.event_size = 0; /* it was handed over with the rest */
        }
    }
}

static void judge_one(struct worker *worker, uint64_t record)
{
    struct diag diag; /* not cleared: 400 bytes an event */
    const struct hit *hits;
    size_t count;
    diag.line = diag.column = 0;
    diag.words[0] = 0;
    if (!within_times(worker)) {
        return;
    }
    if (judge_event(worker->judge, &worker->event, &hits, &count, &diag) != OK) {
        worker->parcel.counts.failed++;
        note(worker, record, &diag);
        return;
    }
    if (count > 0) {
        if (worker->shared->choice->correlates) {
            correlate_hits(worker, hits, count, record);
        }
        write_hits(worker, hits, count, record);
    }
}

/* What was read all the same: a line on stderr, no rejected record. */
static void warn_of_block(
        struct worker *worker, const struct decoder *decoder, struct reader *reader)
{
    struct diag diag = {0};
    while (decoder->warning && decoder->warning(reader, &diag)) {
        struct buf *notes = &worker->parcel.notes;
        buf_add(notes, SLICE("merlon: "));
        visible_add(notes, worker->block.file, VISIBLE_ANY);
        buf_add(notes, SLICE(": warning: "));
        visible_add(notes, slice_text(diag.words), VISIBLE_ANY);
        buf_byte(notes, '\n');
    }
}

static void judge_block(struct worker *worker)
{
    const struct decoder *decoder = worker->block.decoder;
    struct reader *reader = reader_of(worker, decoder);
    struct turn_counts *counts = &worker->parcel.counts;
    if (decoder->place) {
        decoder->place(reader, &worker->block.place);
    }
    decoder->begin(reader, worker->block.records, buf_slice(&worker->block.header));
    for (uint64_t n = 0;; n++) {
        struct diag diag;
        diag.line = diag.column = 0;
        diag.words[0] = 0;
        enum err e = decoder->next(reader, &worker->event, &diag);
        if (e == ERR_END) {
            warn_of_block(worker, decoder, reader);
            return;
        }
        uint64_t place = decoder->ordinal ? decoder->ordinal(reader) : n;
        uint64_t record = worker->block.first + place;
        if (record < worker->block.from || record >= worker->block.to) {
            continue;
        }
        if (e == OK && worker->event.truncated) {
            e = diag_say(&diag, ERR_LIMIT, "over %d values of one record", EVENT_MORE_LIMIT);
        }
        if (e != OK) {
            counts->rejected++;
            note(worker, record, &diag);
            bound_parcel(worker);
            continue;
        }
        counts->events++;
        judge_one(worker, record);
    }
}

void worker_run(struct worker *worker)
{
    while (feed_next(worker->shared->feed, &worker->block)) {
        buf_add(&worker->parcel.notes, buf_slice(&worker->block.notes));
        worker->parcel.notes.failed |= worker->block.notes.failed;
        if (worker->block.decoder && worker->block.records.size > 0) {
            judge_block(worker);
        }
        bound_parcel(worker);
        turn_deliver(worker->shared->turn, worker->block.sequence, &worker->parcel);
    }
}
