#include "app/serve_retain.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/book.h"
#include "cli/verb.h"
#include "event/kept.h"
#include "wal/retain.h"
#include "wal/segment.h"

enum {
    TURN_FRAMES = 4096, /* counted before it looks at the rest */
    TURN_MS = 250,
    PUBLISH_MS = 1000,
};

/* One of the logs. */
struct keeping {
    _Atomic uint64_t below;
    struct holdings *holdings;
    bool more;        /* frames are left to be counted */
    bool whole;       /* all of it has been counted once */
    struct diag said; /* the problem that was named last */
    int held;         /* the file that is to go; -1: none */
};

struct serve_retain {
    struct serve_retain_setting setting;
    struct keeping logs[SERVE_RETAIN_LOGS];
    struct retain_clock clock;
    int64_t published_ns;
    struct serve_spare spare;             /* as told last */
    uint64_t spare_of[SERVE_RETAIN_LOGS]; /* where the logs began then */
    pthread_t thread;
};

/* ---- figures -----------------------------------------------------------------------------------
 */

static int64_t oldest_of(const struct holdings *h, uint32_t tenant, enum holdings_kind kind)
{
    for (size_t s = 0; s < h->segment_count; s++) {
        for (size_t i = 0; i < h->segments[s].count; i++) {
            const struct holding *at = &h->segments[s].at[i];
            if (at->tenant == tenant && at->kind == kind) {
                return at->oldest_ns;
            }
        }
    }
    return 0;
}

/* Kinds are named alike there and here. */
_Static_assert((int)KEPT_RECORDS == HOLDINGS_RECORDS &&
                       (int)KEPT_QUARANTINE == HOLDINGS_QUARANTINE &&
                       (int)KEPT_FINDINGS == HOLDINGS_FINDINGS &&
                       (int)KEPT_MATCHES == HOLDINGS_MATCHES && (int)KEPT_KINDS == HOLDINGS_KINDS,
        "kept and holdings");

static void publish(
        const struct serve_retain *r, const struct retain *retain, enum serve_retain_log log)
{
    const struct holdings *h = r->logs[log].holdings;
    for (size_t i = 0; i < h->tenant_count; i++) {
        const struct holdings_tenant *from = &h->tenants[i];
        struct kept_tenant *to =
                kept_tenant(r->setting.shared->kept, slice_of(from->name, from->size));
        for (enum holdings_kind kind = 0; kind < HOLDINGS_KINDS; kind++) {
            uint32_t tenant = (uint32_t)i;
            if ((kind >= HOLDINGS_FINDINGS) != (log == SERVE_RETAIN_FINDINGS)) {
                continue;
            }
            atomic_store(&to->kinds[kind].bytes, from->bytes[kind]);
            atomic_store(&to->kinds[kind].records, from->records[kind]);
            atomic_store(&to->kinds[kind].beyond, retain_beyond(retain, h, tenant, kind));
            atomic_store(&to->kinds[kind].oldest_ns, oldest_of(h, tenant, kind));
        }
    }
}

/* ---- one turn ----------------------------------------------------------------------------------
 */

static void say_once(struct keeping *k, const struct diag *diag)
{
    if (strcmp(k->said.words, diag->words) != 0) {
        verb_say("retention: %s", diag->words);
        k->said = *diag;
    }
}

/* What nobody may remove yet: of the log what was not judged, of the findings what an output has
 * not sent, and the frame that says how far was judged. */
static uint64_t needed_from(const struct serve_shared *shared, enum serve_retain_log log)
{
    const struct serve_page *page = shared->page;
    if (log == SERVE_RETAIN_LOG) {
        return atomic_load(&page->through);
    }
    uint64_t committed = atomic_load(&page->findings), sent = sent_least(shared->sent);
    uint64_t last = committed > 0 ? committed - 1 : 0;
    return sent < last ? sent : last;
}

/* Who removes a file that nobody has open waits until all of it is given back, a tenth of a second
 * for a large one: that is to be this thread, and not the one that commits. */
static void hold_first(struct serve_retain *r, struct keeping *k)
{
    const struct holdings *h = k->holdings;
    struct buf path = {0};
    char name[SEGMENT_NAME];
    segment_name(name, h->segments[0].base, ".seg");
    buf_format(&path, "%s/%s", h->directory, name);
    buf_byte(&path, 0);
    if (path.failed || r->setting.disk->open(r->setting.disk, path.at, &k->held, NULL) != OK) {
        k->held = -1; /* it takes longer */
    }
    buf_fini(&path);
}

static void release_removed(struct serve_retain *r, struct keeping *k)
{
    if (k->held >= 0) {
        r->setting.disk->close(r->setting.disk, k->held);
        k->held = -1;
    }
}

static void count(struct serve_retain *r, enum serve_retain_log log)
{
    const struct serve_page *page = r->setting.shared->page;
    struct keeping *k = &r->logs[log];
    struct diag diag = {0};
    uint64_t committed = atomic_load(log == SERVE_RETAIN_LOG ? &page->committed : &page->findings);
    if (holdings_turn(k->holdings, committed, TURN_FRAMES, &k->more, &diag) != OK) {
        say_once(k, &diag);
        return;
    }
    k->whole = k->whole || !k->more;
}

/* The time that the log itself knows of. */
static int64_t newest_of(const struct serve_retain *r)
{
    int64_t newest = 0;
    for (enum serve_retain_log log = 0; log < SERVE_RETAIN_LOGS; log++) {
        const struct holdings *h = r->logs[log].holdings;
        for (size_t s = 0; s < h->segment_count; s++) {
            for (size_t i = 0; i < h->segments[s].count; i++) {
                int64_t at = h->segments[s].at[i].newest_ns;
                newest = at > newest ? at : newest;
            }
        }
    }
    return newest;
}

/* ---- sets of rules -----------------------------------------------------------------------------
 */

static bool is_spare(const void *context, const char *hash)
{
    const struct serve_retain *r = context;
    const struct serve_reload *reload = r->setting.shared->reload;
    const struct serve_mark *const marks[] = {&reload->wanted, &reload->through, &reload->judging};
    char marked[DIGEST_HEX];
    uint64_t at;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (serve_reload_marked(marks[i], marked, &at) && strcmp(marked, hash) == 0) {
            return false;
        }
    }
    return !holdings_names(r->logs[SERVE_RETAIN_LOG].holdings, hash) &&
           !holdings_names(r->logs[SERVE_RETAIN_FINDINGS].holdings, hash);
}

static uint64_t first_of(const struct holdings *h)
{
    return h->segment_count > 0 ? h->segments[0].base : 0;
}

/* `settled`: as it was before all was counted that is on disk. */
static void find_spare(struct serve_retain *r, uint64_t settled)
{
    char path[4096];
    size_t count;
    struct diag diag = {0};
    bool same = settled == r->spare.answered;
    for (enum serve_retain_log log = 0; log < SERVE_RETAIN_LOGS; log++) {
        uint64_t first = first_of(r->logs[log].holdings);
        same = same && first == r->spare_of[log];
        r->spare_of[log] = first;
    }
    if (settled == 0 || same) {
        return;
    }
    int size = snprintf(path, sizeof path, "%s/rulesets", r->setting.data);
    const struct book_choice choice = {path, is_spare, r, r->spare.hash, SERVE_SPARE};
    r->spare.answered = 0;
    if (size <= 0 || (size_t)size >= sizeof path ||
            book_list(r->setting.disk, &choice, &count, &diag) != OK) {
        return; /* they stay */
    }
    r->spare.count = count;
    r->spare.answered = settled;
    serve_reload_set_spare(r->setting.shared->reload, &r->spare);
}

static void take_turn(struct serve_retain *r)
{
    int64_t now_ns = clock_steady_ns();
    uint64_t settled = serve_reload_settled(r->setting.shared->reload, r->setting.shared->intake);
    for (enum serve_retain_log log = 0; log < SERVE_RETAIN_LOGS; log++) {
        count(r, log);
    }
    if (!r->logs[SERVE_RETAIN_LOG].whole || !r->logs[SERVE_RETAIN_FINDINGS].whole) {
        return; /* sizes are not known yet */
    }
    if (!r->logs[SERVE_RETAIN_LOG].more && !r->logs[SERVE_RETAIN_FINDINGS].more) {
        find_spare(r, settled);
    }
    if (r->clock.trusted_ns == 0) {
        r->clock = (struct retain_clock){.trusted_ns = newest_of(r), .steady_ns = now_ns};
    }
    struct retain retain = {.limit = config_retention_limit,
            .context = r->setting.retention,
            .horizon_ns = atomic_load(&r->setting.shared->page->horizon_ns),
            .now_ns = retain_clock_now(&r->clock, clock_wall_ns(), now_ns)};
    bool tell = now_ns - r->published_ns >= PUBLISH_MS * (TIME_SECOND / 1000);
    for (enum serve_retain_log log = 0; log < SERVE_RETAIN_LOGS; log++) {
        struct keeping *k = &r->logs[log];
        retain.needed = needed_from(r->setting.shared, log);
        if (tell) {
            publish(r, &retain, log);
        }
        if (r->setting.retention->count > 0 && atomic_load(&k->below) == 0) {
            uint64_t below = retain_below(&retain, k->holdings);
            release_removed(r, k);
            if (below > 0) {
                hold_first(r, k);
            }
            atomic_store(&k->below, below);
        }
    }
    r->published_ns = tell ? now_ns : r->published_ns;
}

/* ---- the thread --------------------------------------------------------------------------------
 */

static void *run(void *context)
{
    struct serve_retain *r = context;
    while (!*r->setting.stop) {
        take_turn(r);
        bool more = r->logs[SERVE_RETAIN_LOG].more || r->logs[SERVE_RETAIN_FINDINGS].more;
        serve_shared_wait(-1, -1, more ? 0 : TURN_MS);
    }
    return NULL;
}

static enum err open_logs(struct serve_retain *r, struct diag *diag)
{
    static const char *const names[SERVE_RETAIN_LOGS] = {"log", "findings"};
    for (enum serve_retain_log log = 0; log < SERVE_RETAIN_LOGS; log++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", r->setting.data, names[log]);
        TRY(holdings_new(path, r->setting.disk, &r->logs[log].holdings, diag));
    }
    return OK;
}

static void free_retain(struct serve_retain *r)
{
    for (enum serve_retain_log log = 0; log < SERVE_RETAIN_LOGS; log++) {
        release_removed(r, &r->logs[log]);
        holdings_free(r->logs[log].holdings);
    }
    memory_free(r);
}

enum err serve_retain_start(
        const struct serve_retain_setting *setting, struct serve_retain **out, struct diag *diag)
{
    struct serve_retain *r = memory_alloc(sizeof *r);
    if (!r) {
        return diag_say(diag, ERR_MEMORY, "no memory for retention");
    }
    r->setting = *setting;
    r->logs[SERVE_RETAIN_LOG].held = r->logs[SERVE_RETAIN_FINDINGS].held = -1;
    enum err e = open_logs(r, diag);
    if (e == OK && pthread_create(&r->thread, NULL, run, r) != 0) {
        e = diag_say(diag, ERR_IO, "no thread");
    }
    if (e != OK) {
        free_retain(r);
        return e;
    }
    *out = r;
    return OK;
}

void serve_retain_stop(struct serve_retain *retain)
{
    pthread_join(retain->thread, NULL);
    free_retain(retain);
}

uint64_t serve_retain_below(const struct serve_retain *retain, enum serve_retain_log log)
{
    return atomic_load(&retain->logs[log].below);
}

void serve_retain_removed(struct serve_retain *retain, enum serve_retain_log log)
{
    atomic_store(&retain->logs[log].below, 0);
}
