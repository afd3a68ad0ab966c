#include "app/serve_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/judging.h"
#include "app/live_restore.h"
#include "app/sandbox.h"
#include "app/serve_set.h"
#include "app/serve_standing.h"
#include "base/clock.h"
#include "base/point.h"
#include "base/time.h"
#include "cli/book.h"
#include "cli/verb.h"
#include "event/frame.h"
#include "wal/reader.h"

enum {
    SILENT_FRAMES = 256, /* judged without a finding before that is said */
    WAIT_MS = 200,
};

struct judge_process {
    const struct serve_judge_setting *setting;
    struct serve_page *page;
    struct serve_set *set;               /* the rules in force; NULL: not known yet */
    struct live *live;                   /* NULL: they have no correlation */
    struct live_figures figures;         /* of it, as counted */
    bool blank;                          /* its windows are still to be made */
    char rulesets[4096], findings[4096]; /* directories */
    struct buf book;
    struct wal_reader *log;
    struct judging judging;
    struct serve_standing standing;
    struct buf result;
    uint64_t handed;  /* place in the channel behind them */
    uint64_t told_to; /* offsets below it are judged, and the results handed over */
    uint64_t silent;  /* frames since */
    uint64_t skewed;  /* the frame whose source's clock was last looked at, and one */
};

/* ---- results -----------------------------------------------------------------------------------
 */

/* A part of a result goes over. Waits for room; ERR_END: told to stop before there was. */
static enum err hand_over(void *context, const struct judging_part *part)
{
    struct judge_process *p = context;
    struct channel *results = p->setting->shared->results;
    struct frame *frame = part->frame;
    char through[8], which[16];
    frame_put64(through, part->last ? p->judging.judged_to : p->told_to);
    frame_put64(which, p->judging.judged_to);
    frame_put64(which + 8, part->number);
    frame->attribute[FRAME_RULESET] = slice_text(p->set->hash);
    frame->attribute[FRAME_THROUGH] = slice_of(through, sizeof through);
    if (!part->last) {
        frame->attribute[FRAME_PART] = slice_of(which, sizeof which);
    }
    if (frame->kind == FRAME_FINDINGS) {
        frame->receipt_ns = clock_wall_ns();
    }
    buf_clear(&p->result);
    TRY(frame_write(frame, &p->result, NULL));
    point_pass("judge.before_result");
    while (!channel_put(results, buf_slice(&p->result), &p->handed)) {
        if (*p->setting->stop) {
            return ERR_END;
        }
        serve_shared_wait(channel_done_fd(results), -1, WAIT_MS);
    }
    point_pass("judge.after_result");
    return OK;
}

static enum err tell(struct judge_process *p)
{
    TRY(judging_tell(&p->judging));
    p->told_to = p->judging.judged_to;
    p->silent = 0;
    return OK;
}

static uint64_t left_out(const struct live_figures *f)
{
    return f->crowded + f->forced + f->strange + f->evicted;
}

static void show_late(void *context, struct slice tenant, const struct rule *rule, uint64_t count)
{
    struct judge_process *p = context;
    held_add(&p->page->late_by, tenant, rule->id.size > 0 ? rule->id : rule->title, count);
}

/* For others to see, and the log to tick. */
static void show_figures(struct judge_process *p)
{
    struct live_figures figures;
    if (p->live) {
        live_figures(p->live, &figures);
        atomic_store(&p->page->tick_ns, live_due(p->live));
        counts_add(&p->page->matches, figures.taken - p->figures.taken);
        counts_add(&p->page->late, figures.late - p->figures.late);
        if (figures.late != p->figures.late) {
            live_late(p->live, show_late, p);
        }
        counts_add(&p->page->moved, figures.moved - p->figures.moved);
        counts_add(&p->page->left_out, left_out(&figures) - left_out(&p->figures));
        p->figures = figures;
    }
}

/* ---- the process -------------------------------------------------------------------------------
 */

static enum err load(struct judge_process *p, const char *hash, struct diag *diag)
{
    struct serve_set *set;
    struct loaded loaded;
    TRY(book_read(&disk_real, p->rulesets, hash, &p->book, diag));
    TRY(book_load(buf_slice(&p->book), &loaded, diag));
    enum err e = serve_set_new(&loaded, hash, &set, diag);
    buf_fini(&p->book);
    if (e != OK) {
        load_fini(&loaded);
        return e;
    }
    live_free(p->live);
    serve_standing_set(&p->standing, NULL);
    serve_set_free(p->set);
    p->live = p->judging.live = NULL;
    p->set = set;
    serve_standing_set(&p->standing, set);
    p->blank = set->choice.correlates;
    serve_tenants_say(set->loaded.set);
    serve_reload_mark(&p->setting->shared->reload->judging, hash, 0);
    atomic_store(&p->page->watching, true);
    return OK;
}

/* The set that is wanted now, where the log names none, or one that is not kept any more: rather
 * that than none. ERR_END: told to stop before there was one. */
static enum err load_wanted(struct judge_process *p, struct diag *diag)
{
    const struct serve_mark *wanted = &p->setting->shared->reload->wanted;
    char hash[DIGEST_HEX];
    uint64_t at;
    while (!serve_reload_marked(wanted, hash, &at)) {
        if (*p->setting->stop) {
            return ERR_END;
        }
        serve_shared_wait(p->setting->shared->committed_fd, -1, WAIT_MS);
    }
    return load(p, hash, diag);
}

/* The set that the log says; findings name the one that was taken. */
static enum err change_set(struct judge_process *p, struct slice name, struct diag *diag)
{
    char hash[DIGEST_HEX] = {0};
    if (name.size < sizeof hash) {
        memcpy(hash, name.at ? name.at : "", name.size);
    }
    if (p->set && strcmp(hash, p->set->hash) == 0) {
        return OK;
    }
    atomic_store_explicit(&p->page->judging, 0, memory_order_relaxed);
    enum err e = load(p, hash, diag);
    if (e != ERR_NOT_FOUND && e != ERR_SYNTAX) {
        return e;
    }
    if (hash[0]) {
        verb_say("judge: the set of rules %.16s cannot be had, so the present one judges: %s", hash,
                diag->words);
    }
    return p->set ? OK : load_wanted(p, diag);
}

/* The windows of correlations, from what is on disk of all that was told, for what is judged at
 * this time. ERR_END: told to stop. */
static enum err make_windows(struct judge_process *p, int64_t receipt_ns, struct diag *diag)
{
    const struct live_setting setting = {.set = p->set->loaded.set,
            .judged = p->set->choice.judged,
            .visible = p->set->choice.visible,
            .tenants = p->set->tenants,
            .lateness_ns = p->setting->lateness_ns,
            .wait_ns = p->setting->wait_ns,
            .state_limit = LIVE_STATE,
            .fired = judging_fired,
            .context = &p->judging};
    while (channel_done(p->setting->shared->results) < p->handed) {
        if (*p->setting->stop) {
            return ERR_END;
        }
        serve_shared_wait(channel_done_fd(p->setting->shared->results), -1, WAIT_MS);
    }
    TRY(live_new(&setting, &p->live));
    atomic_store(&p->page->horizon_ns, -live_since(p->live, 0));
    p->blank = false;
    const struct live_span span = {.directory = p->findings,
            .rulesets = p->rulesets,
            .committed = atomic_load(&p->page->findings),
            .most = p->told_to,
            .since_ns = live_since(p->live, receipt_ns)};
    TRY(live_restore(p->live, &span, diag));
    live_figures(p->live, &p->figures); /* those were counted when they came */
    live_late(p->live, NULL, NULL);
    return OK;
}

/* From here on another set: said at once, so that whoever goes on from there has it, too. */
static enum err change_rules(struct judge_process *p, const struct frame *frame, struct diag *diag)
{
    const struct serve_set *before = p->set;
    if (p->judging.judged_to > p->told_to) {
        TRY(tell(p)); /* with the time up to which the log was heard */
    }
    point_pass("judge.before_swap");
    TRY(change_set(p, frame->attribute[FRAME_RULESET], diag));
    p->judging.judged_to = frame->offset + frame->count;
    if (p->set != before) {
        p->judging.swapped = before != NULL;
        p->judging.swap_ns = frame->receipt_ns;
        TRY(tell(p));
    }
    point_pass("judge.after_swap");
    return OK;
}

/* ERR_END: told to stop. */
static enum err judge_next(struct judge_process *p, const struct frame *frame, struct diag *diag)
{
    if (frame->kind == FRAME_RULES) {
        return change_rules(p, frame, diag);
    }
    if (!p->set) {
        TRY(load_wanted(p, diag));
    }
    if (p->blank) {
        TRY(make_windows(p, frame->receipt_ns, diag));
    }
    p->judging.set = p->set;
    p->judging.live = p->live;
    TRY(judging_frame(&p->judging, frame));
    point_pass("judge.judged");
    p->silent++;
    enum err e = judging_has(&p->judging) || p->silent >= SILENT_FRAMES ? tell(p) : OK;
    show_figures(p);
    return e;
}

/* Of a frame's first event: how far its clock is from ours. */
static void tell_skew(struct judge_process *p, const struct frame *frame)
{
    const struct value *value = event_value(&p->set->event, p->set->loaded.time_field);
    int64_t ns;
    if (value && time_parse(value_slice(value, &p->judging.scratch), &ns) &&
            !__builtin_sub_overflow(ns, frame->receipt_ns, &ns)) {
        struct counts_source *source = counts_source(p->setting->shared->counts,
                frame->attribute[FRAME_TENANT], frame->attribute[FRAME_SOURCE]);
        atomic_store(&source->skew_ns, ns);
        atomic_store(&source->skew_known, true);
    }
    p->skewed = frame->offset + 1;
}

static void look_at(void *context, const struct frame *frame)
{
    struct judge_process *p = context;
    if (p->skewed != frame->offset + 1) {
        tell_skew(p, frame);
    }
    serve_standing_event(&p->standing, frame->attribute[FRAME_TENANT], frame->receipt_ns);
}

static enum err open_log(struct judge_process *p, struct diag *diag)
{
    const char *data = p->setting->data;
    char path[sizeof p->rulesets], hash[DIGEST_HEX];
    while (!atomic_load(&p->page->ready)) {
        if (*p->setting->stop) {
            return diag_say(diag, ERR_END, "stopped");
        }
        serve_shared_wait(p->setting->shared->committed_fd, -1, WAIT_MS);
    }
    serve_reload_marked(&p->setting->shared->reload->through, hash, &p->told_to);
    snprintf(path, sizeof path, "%s/log", data);
    snprintf(p->rulesets, sizeof p->rulesets, "%s/rulesets", data);
    snprintf(p->findings, sizeof p->findings, "%s/findings", data);
    TRY(sandbox_enter(SANDBOX_JUDGE, (const char *[]){path, p->rulesets, p->findings, NULL},
            getenv("MERLON_SANDBOX_TEST"), diag));
    TRY(reader_open(path, &disk_real, p->told_to, &p->log, diag));
    p->judging = (struct judging){.log = reader_log(p->log),
            .page = p->page,
            .killers = p->setting->killers,
            .killer_count = p->setting->killer_count,
            .emit = hand_over,
            .judged = look_at,
            .context = p,
            .to = UINT64_MAX,
            .judged_to = p->told_to};
    return hash[0] ? change_set(p, slice_text(hash), diag) : OK;
}

/* ERR_END: told to stop. */
static enum err judge_log(struct judge_process *p, struct diag *diag)
{
    while (!*p->setting->stop) {
        struct frame frame;
        serve_standing_turn(&p->standing);
        enum err e = reader_next(p->log, atomic_load(&p->page->committed), &frame, diag);
        if (e == OK && frame.offset + frame.count <= p->told_to) {
            continue; /* the first one read may begin before the place */
        }
        if (e == OK) {
            TRY(judge_next(p, &frame, diag));
            continue;
        }
        if (e == ERR_SYNTAX) {
            counts_add(&p->page->damaged, reader_damage(p->log)->to - reader_damage(p->log)->from);
            verb_say("log: %s", diag->words);
            continue;
        }
        if (e != ERR_END) {
            verb_say("log: %s", diag->words);
        }
        atomic_store_explicit(&p->page->judging, 0, memory_order_relaxed);
        if (p->judging.judged_to > p->told_to) {
            TRY(tell(p));
        }
        serve_shared_wait(p->setting->shared->committed_fd, -1, WAIT_MS);
    }
    return ERR_END;
}

static void free_process(struct judge_process *p)
{
    reader_close(p->log);
    live_free(p->live);
    serve_standing_fini(&p->standing);
    serve_set_free(p->set);
    judging_fini(&p->judging);
    buf_fini(&p->result);
    buf_fini(&p->book);
}

int serve_judge_run(const struct serve_judge_setting *setting)
{
    static struct judge_process process;
    struct diag diag = {0};
    process = (struct judge_process){.setting = setting,
            .page = setting->shared->page,
            .standing.shared = setting->shared->standing};
    enum err e = open_log(&process, &diag);
    if (e == OK) {
        e = judge_log(&process, &diag);
    }
    if (e != ERR_END) {
        verb_say("judge: %s", diag.words[0] ? diag.words : err_name(e));
    }
    free_process(&process);
    return e == ERR_END ? 0 : 1;
}
