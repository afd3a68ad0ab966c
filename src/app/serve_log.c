#include "app/serve_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sandbox.h"
#include "app/serve_retain.h"
#include "app/serve_sources.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/point.h"
#include "cli/verb.h"
#include "event/frame.h"
#include "wal/reader.h"
#include "wal/wal.h"

enum {
    GROUP_BYTES = 16 << 20, /* that one commit takes at most */
    GROUP_SOURCES = SERVE_TALLY,
    GROUP_NEAR = 8, /* of them, looked at for the same one */
    WAIT_MS = 200,
    AGAIN_MS = 100, /* after a refused commit */
};

/* Records of a group, to be counted as stored when they are. */
struct group_count {
    struct counts_source *source;
    uint64_t records;
};

/* One of the two: what comes through a channel goes into a log. */
struct line {
    const struct serve_log_setting *setting;
    struct channel *channel;
    _Atomic uint64_t *committed;
    struct wal *wal;
    struct buf copy;
    uint64_t taken;           /* position behind what was appended last */
    bool results;             /* these are the findings */
    uint64_t through;         /* of the findings: the highest that was appended */
    char ruleset[DIGEST_HEX]; /* and the set in force there */
    struct serve_retain *retain;
    struct serve_sources *sources;
    bool kept_said;   /* that segments cannot be removed */
    uint64_t part_of; /* a result of which parts were appended, and how many */
    uint64_t parts;
    int64_t heard_ns;                  /* the latest receipt that was appended */
    int64_t ticked_ns;                 /* the wish that the last TICK was for */
    struct serve_unread_counts unread; /* appended and not committed */
    struct group_count counts[GROUP_SOURCES];
    size_t count_size;
    char name[160];
};

/* 0 where the attribute is absent. */
static uint64_t through_of(const struct frame *frame)
{
    struct slice through = frame->attribute[FRAME_THROUGH];
    return through.size == 8 ? frame_get64(through.at) : 0;
}

/* Was it appended already, by a judge that died? A result's parts come in order, the last one
 * without FRAME_PART. */
static bool is_known(const struct line *line, const struct frame *frame)
{
    struct slice part = frame->attribute[FRAME_PART];
    uint64_t through = through_of(frame);
    if (part.size == 16) {
        uint64_t of = frame_get64(part.at), number = frame_get64(part.at + 8);
        return of <= line->through || (of == line->part_of && number < line->parts);
    }
    /* One that has nothing to say does not go between the parts of another. */
    bool between = through < line->part_of && frame->count == 1 && frame->lines.size == 1;
    return through <= line->through || between;
}

/* A part says where its result begins. */
static void take_through(struct line *line, const struct frame *frame)
{
    struct slice hash = frame->attribute[FRAME_RULESET];
    struct slice part = frame->attribute[FRAME_PART];
    if (part.size == 16) {
        line->part_of = frame_get64(part.at);
        line->parts = frame_get64(part.at + 8) + 1;
    }
    line->through = through_of(frame);
    memset(line->ruleset, 0, sizeof line->ruleset);
    if (hash.size < sizeof line->ruleset) {
        memcpy(line->ruleset, hash.at ? hash.at : "", hash.size);
    }
}

/* What stands on disk. */
static void tell_through(const struct line *line)
{
    serve_reload_mark(&line->setting->shared->reload->through, line->ruleset, line->through);
    atomic_store(&line->setting->shared->page->through, line->through);
}

/* ---- opening -----------------------------------------------------------------------------------
 */

/* How far the log was judged, by the last of the findings. */
static enum err find_through(struct line *line, struct diag *diag)
{
    uint64_t next = wal_found(line->wal)->next;
    struct wal_reader *reader;
    struct frame frame;
    TRY(reader_open(line->name, line->setting->disk, next > 0 ? next - 1 : 0, &reader, diag));
    enum err e;
    while ((e = reader_next(reader, next, &frame, diag)) == OK || e == ERR_SYNTAX) {
        if (e == OK && (through_of(&frame) > 0 || frame.attribute[FRAME_PART].at)) {
            take_through(line, &frame);
        }
    }
    reader_close(reader);
    return e == ERR_END ? OK : e;
}

/* What the process before had put on disk, and not counted; what is from before the centre's start
 * does not count. */
static enum err count_unread(struct line *line, struct diag *diag)
{
    struct serve_unread *unread = &line->setting->shared->page->unread;
    uint64_t next = wal_found(line->wal)->next, from = serve_unread_read(unread).at;
    struct wal_reader *reader;
    struct frame frame;
    enum err e = OK;
    if (atomic_load(&unread->times) > 0 && from < next) {
        TRY(reader_open(line->name, line->setting->disk, from, &reader, diag));
        while ((e = reader_next(reader, next, &frame, diag)) == OK || e == ERR_SYNTAX) {
            if (e == OK && frame.offset >= from) {
                serve_unread_count(&line->unread, &frame);
            }
        }
        reader_close(reader);
    }
    serve_unread_commit(unread, &line->unread, next);
    return e == ERR_END ? OK : e;
}

/* ---- what is stored is counted -----------------------------------------------------------------
 */

static void count_later(struct line *line, const struct frame *frame)
{
    struct counts_source *source = counts_source(line->setting->shared->counts,
            frame->attribute[FRAME_TENANT], frame->attribute[FRAME_SOURCE]);
    size_t near = line->count_size < GROUP_NEAR ? line->count_size : GROUP_NEAR;
    for (size_t i = line->count_size - near; i < line->count_size; i++) {
        if (line->counts[i].source == source) {
            line->counts[i].records += frame->count;
            return;
        }
    }
    line->counts[line->count_size++] = (struct group_count){source, frame->count};
}

/* Goes on with the list, wherever the process before ended. What it says is not trusted: any
 * process can write there. */
static void add_list(struct line *line)
{
    struct serve_tally *tally = &line->setting->shared->page->tally;
    struct counts *counts = line->setting->shared->counts;
    uint32_t at = atomic_load(&tally->at), size = atomic_load(&tally->size);
    if (atomic_load(&tally->next) == atomic_load(&tally->done)) {
        return;
    }
    if (at > 0 && at <= SERVE_TALLY) {
        atomic_store(
                &counts_of(counts, tally->list[at - 1].source)->stored, tally->list[at - 1].value);
    }
    for (; at < size && at < SERVE_TALLY; at++) {
        struct counts_source *source = counts_of(counts, tally->list[at].source);
        tally->list[at].value = atomic_load(&source->stored) + tally->list[at].records;
        atomic_store(&tally->at, at + 1);
        atomic_store(&source->stored, tally->list[at].value);
    }
    atomic_store(&tally->done, atomic_load(&tally->next));
}

/* All that was collected is on disk; it came up to `position` of the channel. */
static void count_now(struct line *line, uint64_t position)
{
    struct serve_tally *tally = &line->setting->shared->page->tally;
    if (line->results) {
        return;
    }
    for (size_t i = 0; i < line->count_size; i++) {
        tally->list[i].source =
                counts_number(line->setting->shared->counts, line->counts[i].source);
        tally->list[i].records = line->counts[i].records;
    }
    atomic_store(&tally->size, (uint32_t)line->count_size);
    atomic_store(&tally->at, 0);
    atomic_store(&tally->next, position);
    add_list(line);
    line->count_size = 0;
}

/* What the process before had put on disk, up to `stored` of the channel, and not counted. */
static void count_missed(struct line *line, uint64_t stored)
{
    struct serve_tally *tally = &line->setting->shared->page->tally;
    struct frame frame;
    uint64_t position = 0;
    size_t size;
    if (line->results) {
        return;
    }
    add_list(line);
    if (atomic_load(&tally->done) >= stored) {
        return;
    }
    channel_resume(line->channel, atomic_load(&tally->done));
    while (position < stored && line->count_size < GROUP_SOURCES &&
            channel_take(line->channel, &line->copy, &position) == OK && position <= stored) {
        if (frame_read(buf_slice(&line->copy), &frame, &size, NULL) == OK &&
                frame.kind == FRAME_RECORDS) {
            count_later(line, &frame);
        }
    }
    count_now(line, stored);
}

/* ---- opening -----------------------------------------------------------------------------------
 */

static enum err open_line(struct line *line, struct diag *diag)
{
    const struct serve_log_setting *s = line->setting;
    struct wal_options options = {.disk = s->disk,
            .segment_bytes = s->segment_bytes,
            /* What is found must still find room where what is received does not. */
            .reserve_bytes = line->results ? s->reserve_bytes / 4 : s->reserve_bytes,
            .committed = line->committed};
    /* Files are finished often enough that what is old can go. */
    options.segment_ns = config_retention_least_age(s->retention, line->results) / 8;
    TRY(wal_open(line->name, &options, &line->wal, diag));
    const struct wal_found *found = wal_found(line->wal);
    uint64_t ring = channel_id(line->channel);
    bool same = found->has_ring && memcmp(found->ring_id, &ring, sizeof ring) == 0;
    count_missed(line, same ? found->ring_position : 0);
    channel_resume(line->channel, same ? found->ring_position : 0);
    counts_add(&s->shared->page->damaged, found->damaged);
    if (found->damaged > 0) {
        verb_say("%s: %llu records cannot be read: they are damaged", line->name,
                (unsigned long long)found->damaged);
    }
    if (line->results) {
        TRY(count_unread(line, diag));
        TRY(find_through(line, diag));
    }
    return OK;
}

/* ---- a group -----------------------------------------------------------------------------------
 */

/* It is appended. */
static void take(struct line *line, const struct frame *frame)
{
    line->heard_ns = frame->receipt_ns > line->heard_ns ? frame->receipt_ns : line->heard_ns;
    if (line->results) {
        serve_unread_count(&line->unread, frame);
        take_through(line, frame);
    } else if (frame->kind == FRAME_RECORDS) {
        count_later(line, frame);
    }
}

/* Appends what came through the channel. A frame that is none was made by a process that has gone
 * wrong: it is passed over and said. ERR_LIMIT: it must be taken again, after a commit. */
static enum err append(struct line *line, uint64_t position, struct diag *diag)
{
    struct frame frame;
    size_t size;
    char ring[16], through[8];
    uint64_t id = channel_id(line->channel);
    if (frame_read(buf_slice(&line->copy), &frame, &size, diag) != OK || size != line->copy.size ||
            frame.kind == FRAME_HEAD || frame.kind == FRAME_SEAL) {
        verb_say("%s: %zu bytes that are no frame were passed over: %s", line->name,
                line->copy.size, diag->words);
        return OK;
    }
    if (line->results && is_known(line, &frame)) {
        return OK; /* a judge that began anew judged it again */
    }
    memcpy(ring, &id, sizeof id);
    frame_put64(ring + 8, position);
    frame.attribute[FRAME_RING] = slice_of(ring, sizeof ring);
    if (frame.attribute[FRAME_PART].at) { /* its judge may know less than what is here */
        frame_put64(through, line->through);
        frame.attribute[FRAME_THROUGH] = slice_of(through, sizeof through);
    }
    enum err e = wal_append(line->wal, &frame, diag);
    if (e == OK) {
        take(line, &frame);
    } else if (e != ERR_LIMIT) {
        verb_say("%s: %s", line->name, diag->words);
    }
    return e;
}

/* Said once; until what waits can be written nothing more is taken, and nothing acknowledged. */
static void refuse(struct line *line, enum channel_refusal why, const struct diag *diag)
{
    if (channel_refusing(line->channel) == CHANNEL_OPEN) {
        verb_say(
                "%s: %s: nothing is acknowledged until it can be written", line->name, diag->words);
    }
    channel_refuse(line->channel, why);
}

/* After an append that failed: is it for want of room on the disk, or has a group its size? */
static void hold_back(struct line *line, enum err e, const struct diag *diag)
{
    if (e == ERR_LIMIT && wal_waiting(line->wal) == 0) {
        refuse(line, CHANNEL_NO_ROOM, diag);
    }
}

/* Takes what is there, up to a group's size; true: something is to be committed. */
static bool collect(struct line *line)
{
    struct diag diag = {0};
    enum err e = OK;
    while (e == OK && wal_waiting(line->wal) < GROUP_BYTES && line->count_size < GROUP_SOURCES) {
        uint64_t position;
        e = channel_take(line->channel, &line->copy, &position);
        if (e == ERR_SYNTAX) {
            verb_say("%s: nonsense between processes was passed over", line->name);
            line->taken = position;
            e = OK;
            continue;
        }
        if (e != OK) {
            break;
        }
        e = append(line, position, &diag);
        point_pass("log.appended");
        if (e == OK) {
            line->taken = position;
        } else {
            channel_again(line->channel);
            hold_back(line, e, &diag);
        }
    }
    return wal_waiting(line->wal) > 0;
}

static void commit(struct line *line)
{
    struct serve_shared *shared = line->setting->shared;
    struct diag diag = {0};
    enum err e;
    while ((e = wal_commit(line->wal, &diag)) != OK) {
        refuse(line, e == ERR_LIMIT ? CHANNEL_NO_ROOM : CHANNEL_BAD_DISK, &diag);
        if (*line->setting->stop) {
            return;
        }
        serve_shared_wait(-1, -1, AGAIN_MS);
    }
    if (channel_refusing(line->channel) != CHANNEL_OPEN) {
        verb_say("%s: it can be written again", line->name);
        channel_refuse(line->channel, CHANNEL_OPEN);
    }
    count_now(line, line->taken);
    if (line->results) {
        serve_unread_commit(&shared->page->unread, &line->unread, wal_committed(line->wal));
        tell_through(line);
    } else {
        serve_shared_wake(shared->committed_fd);
    }
}

/* Retention: unlinks what the keeper has named. */
static void remove_old(struct line *line)
{
    enum serve_retain_log log = line->results ? SERVE_RETAIN_FINDINGS : SERVE_RETAIN_LOG;
    uint64_t below = serve_retain_below(line->retain, log), first;
    struct diag diag = {0};
    if (below == 0) {
        return;
    }
    enum err e = wal_remove(line->wal, below, &first, &diag);
    if (e != OK && !line->kept_said) {
        verb_say("%s: %s: what is too old stays", line->name, diag.words);
    }
    line->kept_said = e != OK;
    serve_retain_removed(line->retain, log);
}

/* Matches wait for a time that nothing that came in has reached: the log says that it is that late
 * now. true: there is something to commit. */
static bool tick(struct line *line)
{
    int64_t wanted = atomic_load(&line->setting->shared->page->tick_ns);
    struct frame frame = {.kind = FRAME_TICK, .receipt_ns = clock_wall_ns()};
    struct diag diag = {0};
    if (line->results || wanted == 0 || wanted == line->ticked_ns || line->heard_ns >= wanted ||
            frame.receipt_ns < wanted || wal_append(line->wal, &frame, &diag) != OK) {
        return false;
    }
    line->ticked_ns = wanted;
    return true;
}

/* Until the next one; at most WAIT_MS. */
static int wait_ms(const struct line *line)
{
    int64_t wanted = atomic_load(&line->setting->shared->page->tick_ns);
    int64_t left = wanted - clock_wall_ns();
    if (line->results || wanted == 0 || wanted == line->ticked_ns || left > WAIT_MS * 1000000L) {
        return WAIT_MS;
    }
    return left > 0 ? (int)(left / 1000000) + 1 : 1;
}

static void *run_line(void *context)
{
    struct line *line = context;
    for (;;) {
        bool stop = *line->setting->stop;
        bool some = collect(line) || tick(line);
        if (some) {
            commit(line);
        }
        if (line->taken > channel_done(line->channel) && wal_waiting(line->wal) == 0) {
            point_pass("log.before_acknowledge");
            channel_finish(line->channel, line->taken);
            point_pass("log.acknowledged");
            some = true;
        }
        if (!some && stop) {
            return NULL;
        }
        remove_old(line);
        if (!some) {
            serve_shared_wait(channel_data_fd(line->channel), -1, wait_ms(line));
        }
        if (stop && wal_waiting(line->wal) > 0) {
            return NULL; /* the disk refuses: it was not acknowledged */
        }
    }
}

static enum err start_keepers(struct line *received, struct line *found, struct diag *diag)
{
    const struct serve_log_setting *s = received->setting;
    const struct serve_retain_setting setting = {.shared = s->shared,
            .disk = s->disk,
            .data = s->data,
            .retention = s->retention,
            .stop = s->stop};
    TRY(serve_retain_start(&setting, &received->retain, diag));
    found->retain = received->retain;
    const struct serve_sources_setting sources = {.shared = s->shared,
            .disk = s->disk,
            .data = s->data,
            .forget_ns = s->forget_ns,
            .stop = s->stop};
    return serve_sources_start(&sources, &received->sources, diag);
}

int serve_log_run(const struct serve_log_setting *setting)
{
    static struct line received, found;
    struct serve_shared *shared = setting->shared;
    struct diag diag = {0};
    pthread_t thread;
    received = (struct line){
            .setting = setting, .channel = shared->intake, .committed = &shared->page->committed};
    found = (struct line){.setting = setting,
            .channel = shared->results,
            .committed = &shared->page->findings,
            .results = true};
    snprintf(received.name, sizeof received.name, "%s/log", setting->data);
    snprintf(found.name, sizeof found.name, "%s/findings", setting->data);
    enum err e = open_line(&received, &diag);
    if (e == OK) {
        e = open_line(&found, &diag);
    }
    if (e == OK) {
        e = sandbox_enter(SANDBOX_LOG, (const char *[]){setting->data, NULL},
                getenv("MERLON_SANDBOX_TEST"), &diag);
    }
    if (e == OK) {
        tell_through(&found);
        e = start_keepers(&received, &found, &diag);
    }
    if (e == OK && pthread_create(&thread, NULL, run_line, &found) != 0) {
        e = diag_say(&diag, ERR_IO, "no thread");
    }
    if (e != OK) {
        verb_say("%s", diag.words);
        return 1;
    }
    if (!atomic_load(&shared->page->started)) {
        atomic_store(&shared->page->start, atomic_load(&shared->page->committed));
        atomic_store(&shared->page->started, true);
    }
    atomic_store(&shared->page->ready, true);
    serve_shared_wake(shared->committed_fd);
    run_line(&received);
    pthread_join(thread, NULL);
    serve_retain_stop(received.retain);
    serve_sources_stop(received.sources);
    wal_close(received.wal);
    wal_close(found.wal);
    buf_fini(&received.copy);
    buf_fini(&found.copy);
    return 0;
}
