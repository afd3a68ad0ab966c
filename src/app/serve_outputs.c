#include "app/serve_outputs.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api_feed.h"
#include "app/cursor.h"
#include "app/outbound.h"
#include "app/sandbox.h"
#include "app/serve_web.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/point.h"
#include "base/time.h"
#include "cli/verb.h"

enum {
    STEP_MS = 100,
    FIRST_PAUSE_MS = 500,
    LAST_PAUSE_MS = 60000,
    LOOK = 100000,         /* findings looked at before it looks round */
    IDLE_CURSOR_MS = 2000, /* cursors that move past what is of others */
    RESOLVE_AGAIN_S = 60,
    HOST = 256,
};

struct sending {
    const struct serve_outputs_setting *setting;
    const struct config_output *output;
    struct sent_output *figures;
    const char *cursors; /* directory */
    char name[SENT_NAME];
    char *url;
    struct buf authority, certificate, key, secret;
    struct egress *egress; /* NULL: its name could not be resolved */
    struct outbound batch;
    struct api_feed feed;
    struct diag said;  /* the failure that was named last */
    uint64_t reopened; /* of the page */
    uint64_t kept;     /* the cursor on disk */
    int64_t kept_ns;
    uint64_t unreadable;
    pthread_t thread;
};

struct outputs {
    const struct serve_outputs_setting *setting;
    char findings[PATH_MAX], cursors[PATH_MAX], host[HOST];
    struct sending *at;
    size_t count;
    bool unresolved;
};

static bool stopped(const struct sending *s)
{
    return *s->setting->stop;
}

/* ---- one output --------------------------------------------------------------------------------
 */

static void say_failure(struct sending *s, const struct diag *diag)
{
    counts_add(&s->figures->failures, 1);
    atomic_store(&s->figures->failing, true);
    if (strcmp(s->said.words, diag->words) != 0) {
        verb_say("output %s: %s: it is tried again", s->name, diag->words);
        s->said = *diag;
    }
}

static void reopen_file(struct sending *s)
{
    uint64_t asked = atomic_load(&s->setting->shared->page->reopen);
    if (asked != s->reopened) {
        s->reopened = asked;
        egress_reopen(s->egress);
    }
}

static void pause_for(const struct sending *s, int ms)
{
    int64_t until = clock_steady_ns() + ms * (TIME_SECOND / 1000);
    while (!stopped(s) && clock_steady_ns() < until) {
        serve_shared_wait(-1, -1, STEP_MS);
    }
}

/* Until the receiver has it; false: told to stop before. */
static bool deliver(struct sending *s, const struct egress_load *load)
{
    int pause_ms = FIRST_PAUSE_MS;
    while (!stopped(s)) {
        struct diag diag = {0};
        reopen_file(s);
        point_pass("output.before_send");
        enum err e = egress_deliver(s->egress, load, &diag);
        point_pass("output.sent");
        if (e == OK || e == ERR_LIMIT) {
            counts_add(e == OK ? &s->figures->findings : &s->figures->refused, s->batch.count);
            if (atomic_exchange(&s->figures->failing, false)) {
                verb_say("output %s: it takes findings again", s->name);
                s->said = (struct diag){0};
            }
            return true;
        }
        say_failure(s, &diag);
        pause_for(s, pause_ms);
        pause_ms = pause_ms < LAST_PAUSE_MS / 2 ? pause_ms * 2 : LAST_PAUSE_MS;
    }
    return false;
}

/* On disk first: retention goes by what is published. */
static void keep_cursor(struct sending *s, bool now)
{
    struct diag diag = {0};
    int64_t at_ns = clock_steady_ns();
    if (s->feed.next == s->kept ||
            (!now && at_ns - s->kept_ns < IDLE_CURSOR_MS * (TIME_SECOND / 1000))) {
        return;
    }
    s->kept_ns = at_ns;
    if (cursor_write(&disk_real, s->cursors, s->name, s->feed.next, &diag) != OK) {
        say_failure(s, &diag);
        return;
    }
    s->kept = s->feed.next;
    atomic_store(&s->figures->cursor, s->kept);
}

/* Up to a batch; ERR_END: there is no more. */
static enum err collect(struct sending *s, uint64_t committed, struct diag *diag)
{
    enum err e = OK;
    outbound_begin(&s->batch);
    s->feed.budget = LOOK;
    while (!outbound_full(&s->batch)) {
        struct slice finding;
        e = api_feed_next(&s->feed, committed, &finding, diag);
        if (e != OK) {
            break;
        }
        const struct outbound_item item = {.cursor = s->feed.next - 1,
                .tenant = s->feed.frame.attribute[FRAME_TENANT],
                .finding = finding};
        outbound_add(&s->batch, &item);
    }
    return e;
}

static void say_unreadable(struct sending *s)
{
    if (s->feed.unreadable > s->unreadable) {
        verb_say("output %s: %llu findings are damaged or removed: they are passed over", s->name,
                (unsigned long long)(s->feed.unreadable - s->unreadable));
        s->unreadable = s->feed.unreadable;
    }
}

/* The batch was not delivered: no cursor may be kept behind it. */
static void go_back(struct sending *s)
{
    s->feed.next = s->batch.first;
    api_feed_fini(&s->feed);
}

static void take_turn(struct sending *s)
{
    struct diag diag = {0};
    struct egress_load load;
    uint64_t committed = atomic_load(&s->setting->shared->page->findings);
    enum err e = collect(s, committed, &diag);
    say_unreadable(s);
    if (s->batch.count > 0) {
        enum err made = outbound_finish(&s->batch, &load);
        if (made != OK) {
            go_back(s);
            e = made;
        } else if (!deliver(s, &load)) {
            go_back(s);
            return;
        }
    }
    if (e != OK && e != ERR_END && e != ERR_LIMIT) {
        say_failure(s, &diag);
        api_feed_fini(&s->feed);
        pause_for(s, FIRST_PAUSE_MS);
        return;
    }
    keep_cursor(s, s->batch.count > 0);
    if (e == ERR_END && s->batch.count == 0) {
        serve_shared_wait(-1, -1, STEP_MS);
    }
}

static void *run(void *context)
{
    struct sending *s = context;
    while (!stopped(s)) {
        take_turn(s);
    }
    keep_cursor(s, false);
    return NULL;
}

/* ---- opening -----------------------------------------------------------------------------------
 */

static char *copy_text(struct slice text)
{
    char *copy = memory_alloc(text.size + 1);
    if (copy && text.size > 0) {
        memcpy(copy, text.at, text.size);
    }
    return copy;
}

static void trim(struct buf *secret)
{
    struct slice text = slice_trim(slice_of(secret->at, secret->size ? secret->size - 1 : 0));
    if (text.size > 0 && text.at != secret->at) {
        memmove(secret->at, text.at, text.size);
    }
    secret->size = text.size;
}

static enum err open_output(struct outputs *o, struct sending *s, struct diag *diag)
{
    const struct config_output *output = s->output;
    TRY(serve_web_pem(output->authority, &s->authority, diag));
    TRY(serve_web_pem(output->certificate, &s->certificate, diag));
    TRY(serve_web_pem(output->key, &s->key, diag));
    TRY(serve_web_pem(output->secret, &s->secret, diag));
    trim(&s->secret);
    s->url = copy_text(output->url);
    if (!s->url) {
        return ERR_MEMORY;
    }
    TRY(cursor_read(&disk_real, o->cursors, s->name, &s->kept, diag));
    atomic_store(&s->figures->cursor, s->kept);
    s->batch =
            (struct outbound){.output = output, .secret = buf_slice(&s->secret), .host = o->host};
    s->feed = (struct api_feed){.directory = o->findings, .disk = &disk_real, .next = s->kept};
    snprintf(s->feed.tenant, sizeof s->feed.tenant, "%.*s", SLICE_ARG(output->tenant));
    s->feed.level = output->level.size > 0 ? api_feed_level(output->level) : 0;
    s->reopened = atomic_load(&o->setting->shared->page->reopen);
    const struct egress_options options = {.kind = outbound_kind(output),
            .url = s->url,
            .authority = s->authority.at,
            .certificate = s->certificate.at,
            .key = s->key.at,
            .rotate_bytes = output->rotate_bytes};
    return egress_open(&options, &s->egress, diag);
}

/* One that cannot be opened is said; the others go on. */
static enum err open_all(struct outputs *o, struct diag *diag)
{
    const struct config_outputs *outputs = &o->setting->config->outputs;
    o->at = memory_alloc_array(outputs->count, sizeof *o->at);
    if (!o->at) {
        return diag_say(diag, ERR_MEMORY, "no memory for the outputs");
    }
    TRY(egress_start(diag));
    for (size_t i = 0; i < outputs->count; i++) {
        struct sending *s = &o->at[o->count++];
        struct diag why = {0};
        s->setting = o->setting;
        s->output = &outputs->at[i];
        s->figures = &o->setting->shared->sent->at[i];
        s->cursors = o->cursors;
        memcpy(s->name, s->figures->name, sizeof s->name);
        enum err e = open_output(o, s, &why);
        if (e == ERR_MEMORY) {
            return e;
        }
        if (e != OK) {
            say_failure(s, &why);
            o->unresolved = true;
        }
    }
    return OK;
}

/* ---- the process -------------------------------------------------------------------------------
 */

/* The folders that may be written come first. */
static enum err seal(const struct outputs *o, struct diag *diag)
{
    struct slice roots[SENT_OUTPUTS + 2];
    char folders[SENT_OUTPUTS][PATH_MAX];
    size_t count = 0;
    roots[count++] = slice_text(o->cursors);
    for (size_t i = 0; i < o->count; i++) {
        struct slice path = o->at[i].output->url;
        if (outbound_kind(o->at[i].output) != EGRESS_FILE || path.size >= PATH_MAX) {
            continue;
        }
        while (path.size > 1 && path.at[path.size - 1] != '/') {
            path.size--;
        }
        snprintf(folders[count], PATH_MAX, "%.*s", SLICE_ARG(path));
        roots[count] = slice_text(folders[count]);
        count++;
    }
    size_t writable = count;
    roots[count++] = slice_text(o->findings);
    const struct sandbox_places places = {roots, count, writable};
    return sandbox_enter_places(SANDBOX_OUTPUT, &places, getenv("MERLON_SANDBOX_TEST"), diag);
}

static enum err prepare(struct outputs *o, struct diag *diag)
{
    const char *data = o->setting->config->data;
    snprintf(o->findings, sizeof o->findings, "%s/findings", data);
    snprintf(o->cursors, sizeof o->cursors, "%s/cursors", data);
    if (gethostname(o->host, sizeof o->host - 1) != 0 || o->host[0] == 0) {
        snprintf(o->host, sizeof o->host, "-");
    }
    while (access(o->findings, R_OK | X_OK) != 0) {
        if (*o->setting->stop) {
            return ERR_END;
        }
        serve_shared_wait(-1, -1, STEP_MS);
    }
    if (mkdir(o->cursors, 0700) != 0 && errno != EEXIST) {
        return diag_say(diag, ERR_IO, "%s: %s", o->cursors, strerror(errno));
    }
    TRY(disk_real.sync_directory(&disk_real, data, diag));
    TRY(open_all(o, diag));
    return seal(o, diag);
}

static enum err run_all(struct outputs *o, struct diag *diag)
{
    int64_t again_ns = clock_steady_ns() + RESOLVE_AGAIN_S * TIME_SECOND;
    for (size_t i = 0; i < o->count; i++) {
        struct sending *s = &o->at[i];
        if (s->egress && pthread_create(&s->thread, NULL, run, s) != 0) {
            return diag_say(diag, ERR_IO, "no thread");
        }
    }
    while (!*o->setting->stop && (!o->unresolved || clock_steady_ns() < again_ns)) {
        serve_shared_wait(-1, -1, STEP_MS);
    }
    if (!*o->setting->stop) {
        return diag_say(diag, ERR_NOT_FOUND, "one that could not be opened is tried again");
    }
    for (size_t i = 0; i < o->count; i++) {
        if (o->at[i].egress) {
            pthread_join(o->at[i].thread, NULL);
        }
    }
    return OK;
}

void serve_outputs_name(const struct config *config, struct sent *sent)
{
    sent->count = config->outputs.count;
    for (size_t i = 0; i < sent->count; i++) {
        const struct config_output *output = &config->outputs.at[i];
        snprintf(sent->at[i].name, SENT_NAME, "%.*s", SLICE_ARG(output->name));
        snprintf(sent->at[i].kind, sizeof sent->at[i].kind, "%.*s", SLICE_ARG(output->kind));
    }
}

/* What it holds is let go by its end. */
int serve_outputs_run(const struct serve_outputs_setting *setting)
{
    static struct outputs outputs;
    struct diag diag = {0};
    outputs = (struct outputs){.setting = setting};
    enum err e = prepare(&outputs, &diag);
    if (e == OK) {
        e = run_all(&outputs, &diag);
    }
    if (e != OK && e != ERR_END) {
        verb_say("outputs: %s", diag.words[0] ? diag.words : err_name(e));
    }
    return e != OK && e != ERR_END;
}
