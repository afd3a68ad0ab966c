#include "app/serve_sources.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "app/known.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/point.h"
#include "base/time.h"
#include "cli/verb.h"
#include "wal/reader.h"
#include "wal/retain.h"

enum {
    STOP_MS = 200, /* between looks at whether to stop */
    TURN_S = 1,
    SAVE_S = 60,
    MARGIN = 4096, /* records below the list's offset: put, and not counted by who died */
    EVICTED = 64,  /* in a turn */
    EVICT_SILENT_S = 3600,
};

struct serve_sources {
    struct serve_sources_setting setting;
    struct known_at at; /* of the list that is on disk */
    char log[33];       /* the log's id, when it has been read */
    struct retain_clock clock;
    int64_t turned_ns, saved_ns;     /* by the steady clock */
    int64_t left_ns[COUNTS_SOURCES]; /* since when it is leaving; 0: it is not, or not yet seen */
    bool changed;                    /* somebody was forgotten since it was written */
    struct diag said;                /* the problem that was named last */
    pthread_t thread;
};

static void say_once(struct serve_sources *s, const struct diag *diag)
{
    if (strcmp(s->said.words, diag->words) != 0) {
        verb_say("sources: %s", diag->words);
        s->said = *diag;
    }
}

/* ---- from before -------------------------------------------------------------------------------
 */

static enum err open_reader(struct serve_sources *s, uint64_t from, struct wal_reader **out)
{
    struct diag diag = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/log", s->setting.data);
    TRY(reader_open(path, s->setting.disk, from, out, &diag));
    snprintf(s->log, sizeof s->log, "%s", reader_log(*out));
    return OK;
}

/* From where on the log is to be read, by the list that was there. */
static enum err open_log(
        struct serve_sources *s, bool listed, uint64_t committed, struct wal_reader **out)
{
    uint64_t from = committed > SERVE_SOURCES_BACK ? committed - SERVE_SOURCES_BACK : 0;
    uint64_t behind = s->at.offset > MARGIN ? s->at.offset - MARGIN : 0;
    TRY(open_reader(s, from, out));
    bool same = listed && s->at.offset <= committed && strcmp(s->at.log, s->log) == 0;
    if (same && behind > from) {
        reader_close(*out);
        return open_reader(s, behind, out);
    }
    if (from > 0 && !(same && behind == from)) {
        verb_say("sources: those of the last %d records are known, no others of before",
                (int)SERVE_SOURCES_BACK);
    }
    return OK;
}

/* false: told to stop before its end. */
static bool read_log(struct serve_sources *s, bool listed)
{
    struct counts *counts = s->setting.shared->counts;
    uint64_t committed = atomic_load(&s->setting.shared->page->committed);
    struct wal_reader *reader;
    struct frame frame;
    enum err e = open_log(s, listed, committed, &reader);
    if (e != OK) {
        return true; /* there is none: nothing ever came */
    }
    while ((e == OK || e == ERR_SYNTAX) && !*s->setting.stop) {
        e = reader_next(reader, committed, &frame, NULL); /* damage is the log's to tell */
        if (e == OK && (frame.kind == FRAME_RECORDS || frame.kind == FRAME_REJECTED)) {
            counts_recall(counts, frame.attribute[FRAME_TENANT], frame.attribute[FRAME_SOURCE],
                    frame.receipt_ns);
        }
    }
    reader_close(reader);
    return !*s->setting.stop;
}

static void recall(struct serve_sources *s)
{
    struct serve_page *page = s->setting.shared->page;
    struct diag diag = {0};
    enum err e =
            known_load(s->setting.disk, s->setting.data, s->setting.shared->counts, &s->at, &diag);
    if (e != OK && e != ERR_NOT_FOUND) {
        say_once(s, &diag);
    }
    point_pass("sources.listed");
    if (read_log(s, e == OK)) {
        atomic_store(&page->sources_known, true);
    }
}

/* ---- no more -----------------------------------------------------------------------------------
 */

/* Receipt of what came last; 0: nothing ever did. */
static int64_t heard_ns(const struct serve_sources *s, size_t i)
{
    const struct counts_source *source = counts_at(s->setting.shared->counts, i);
    return source && i < COUNTS_SOURCES ? atomic_load(&source->last_ns) : 0;
}

static bool forget(struct serve_sources *s, size_t i, const char *why)
{
    struct counts *counts = s->setting.shared->counts;
    const struct counts_source *source = counts_at(counts, i);
    struct buf at = {0};
    if (!counts_forget(counts, i)) {
        return false;
    }
    s->changed = true;
    time_format(&at, atomic_load(&source->last_ns));
    verb_say("source %s of %s: silent since %.*s: %s", source->name, source->tenant,
            SLICE_ARG(buf_slice(&at)), why);
    buf_fini(&at);
    return true;
}

/* The longest silent, where there are too many. */
static void evict(struct serve_sources *s, size_t standing, int64_t now_ns)
{
    size_t count = counts_size(s->setting.shared->counts);
    for (size_t n = 0; n < EVICTED && standing > SERVE_SOURCES_MOST; n++) {
        size_t least = COUNTS_SOURCES;
        int64_t least_ns = now_ns - EVICT_SILENT_S * TIME_SECOND;
        for (size_t i = 0; i < count; i++) {
            int64_t at = heard_ns(s, i);
            if (at != 0 && at < least_ns) {
                least = i;
                least_ns = at;
            }
        }
        if (least == COUNTS_SOURCES) {
            return;
        }
        standing -= forget(s, least, "forgotten: there are too many");
    }
}

static void settle(struct serve_sources *s, size_t i, int64_t steady_ns)
{
    struct counts *counts = s->setting.shared->counts;
    if (!counts_is_leaving(counts, i)) {
        s->left_ns[i] = 0;
    } else if (s->left_ns[i] == 0) {
        s->left_ns[i] = steady_ns;
    } else if (steady_ns - s->left_ns[i] > COUNTS_GRACE_S * TIME_SECOND) {
        counts_settle(counts, i);
    }
}

/* A clock that leaps ahead makes nobody silent for ever. */
static int64_t trusted_now(struct serve_sources *s, int64_t newest_ns, int64_t steady_ns)
{
    if (s->clock.trusted_ns == 0) {
        s->clock = (struct retain_clock){.trusted_ns = newest_ns, .steady_ns = steady_ns};
    }
    return retain_clock_now(&s->clock, clock_wall_ns(), steady_ns);
}

/* Who was heard last of all stays: counts_forget. */
static void look(struct serve_sources *s, int64_t steady_ns)
{
    size_t count = counts_size(s->setting.shared->counts), standing = 0;
    int64_t newest_ns = 0;
    for (size_t i = 0; i < count && i < COUNTS_SOURCES; i++) {
        int64_t at = heard_ns(s, i);
        newest_ns = at > newest_ns ? at : newest_ns;
        standing += counts_at(s->setting.shared->counts, i) != NULL;
        settle(s, i, steady_ns);
    }
    if (newest_ns == 0) {
        return;
    }
    int64_t now_ns = trusted_now(s, newest_ns, steady_ns);
    for (size_t i = 0; i < count && i < COUNTS_SOURCES; i++) {
        int64_t at = heard_ns(s, i);
        if (at != 0 && at < now_ns - s->setting.forget_ns && at < newest_ns - TIME_SECOND) {
            standing -= forget(s, i, "forgotten");
        }
    }
    evict(s, standing, now_ns);
}

/* ---- the thread --------------------------------------------------------------------------------
 */

/* A new log has its id when it has a record. */
static void learn_log(struct serve_sources *s, uint64_t committed)
{
    struct wal_reader *reader;
    if (!s->log[0] && open_reader(s, committed, &reader) == OK) {
        reader_close(reader);
    }
}

static void save(struct serve_sources *s)
{
    struct serve_page *page = s->setting.shared->page;
    struct diag diag = {0};
    /* Read first: what is counted behind it is in the list as well, and read once more. */
    struct known_at at = {.offset = atomic_load(&page->committed)};
    if (!atomic_load(&page->sources_known) || (at.offset == s->at.offset && !s->changed)) {
        return;
    }
    learn_log(s, at.offset);
    memcpy(at.log, s->log, sizeof at.log);
    if (known_save(s->setting.disk, s->setting.data, s->setting.shared->counts, &at, &diag) == OK) {
        s->at = at;
        s->changed = false;
        s->said = (struct diag){0};
    } else {
        say_once(s, &diag);
    }
}

static void turn(struct serve_sources *s)
{
    int64_t now_ns = clock_steady_ns();
    if (now_ns - s->turned_ns < TURN_S * TIME_SECOND) {
        return;
    }
    s->turned_ns = now_ns;
    look(s, now_ns);
    if (s->changed || now_ns - s->saved_ns >= SAVE_S * TIME_SECOND) {
        s->saved_ns = now_ns;
        save(s);
    }
}

static void *run(void *context)
{
    struct serve_sources *s = context;
    if (!atomic_load(&s->setting.shared->page->sources_known)) {
        recall(s);
    }
    while (!*s->setting.stop) {
        turn(s);
        serve_shared_wait(-1, -1, STOP_MS);
    }
    return NULL;
}

enum err serve_sources_start(
        const struct serve_sources_setting *setting, struct serve_sources **out, struct diag *diag)
{
    struct serve_sources *s = memory_alloc(sizeof *s);
    if (!s) {
        return diag_say(diag, ERR_MEMORY, "no memory for the list of sources");
    }
    s->setting = *setting;
    if (pthread_create(&s->thread, NULL, run, s) != 0) {
        memory_free(s);
        return diag_say(diag, ERR_IO, "no thread");
    }
    *out = s;
    return OK;
}

void serve_sources_stop(struct serve_sources *sources)
{
    pthread_join(sources->thread, NULL);
    save(sources);
    memory_free(sources);
}
