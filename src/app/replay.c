#include "app/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/judging.h"
#include "app/live_restore.h"
#include "app/live_swaps.h"
#include "app/sandbox.h"
#include "cli/backtest.h"
#include "cli/book.h"
#include "cli/config.h"
#include "net/authorize.h"
#include "wal/reader.h"

/* The log goes on for this long, or a frame of matches is forgotten with its horizon. */
struct kept {
    struct buf now, before;
    int64_t since_ns; /* `now` */
};

struct replay {
    const struct replay_request *request;
    struct config config;
    char log_path[4096], rulesets[4096];
    struct serve_page page; /* figures nobody asks for */
    struct serve_set *set;
    struct live *live;
    char wanted[DIGEST_HEX]; /* the set that the log named last */
    struct live_swaps swaps; /* of those that it named */
    bool swapped;            /* since windows were made */
    struct judging judging;
    struct kept kept; /* matches, to make windows again by other rules */
    struct wal_reader *log;
    struct replay_facts facts;
    bool shown;   /* the frame at hand is asked for */
    bool partial; /* something could not be read or written */
};

/* ---- rules ------------------------------------------------------------------------------------
 */

static enum err load_book(struct replay *r, struct slice book, struct diag *diag)
{
    struct loaded loaded;
    struct serve_set *set;
    char hash[DIGEST_HEX];
    book_hash(book, hash);
    TRY(book_load(book, &loaded, diag));
    enum err e = serve_set_new(&loaded, hash, &set, diag);
    if (e != OK) {
        load_fini(&loaded);
        return e;
    }
    live_free(r->live);
    serve_set_free(r->set);
    r->live = NULL;
    r->set = set;
    return OK;
}

/* Findings as a hunt wants them. */
static enum err dress(struct replay *r)
{
    const struct replay_request *request = r->request;
    const char *no_colour = getenv("NO_COLOR");
    const struct output_setting setting = {.set = r->set->loaded.set,
            .backtest = request->backtest,
            .columns = request->columns,
            .colours = request->columns > 0 && (!no_colour || !*no_colour)};
    struct buf head = {0};
    if (!request->format) {
        return OK;
    }
    output_free(r->set->output);
    r->set->output = NULL;
    TRY(output_new(request->format, &setting, &r->set->output));
    if (request->backtest) {
        TRY(judge_watch(r->set->judge));
    }
    if (request->format->begin) {
        request->format->begin(r->set->output, &head);
        fwrite(head.at ? head.at : "", 1, head.size, stdout);
    }
    enum err e = head.failed ? ERR_MEMORY : ferror(stdout) ? ERR_IO : OK;
    buf_fini(&head);
    return e;
}

/* The rules of -r. */
static enum err load_named(struct replay *r, struct diag *diag)
{
    const struct load_request request = {.rules = r->request->rules,
            .taxonomies =
                    r->request->taxonomies.count ? r->request->taxonomies : r->config.taxonomies,
            .packs = true};
    struct buf book = {0};
    enum err e = book_collect(&request, &r->config.tenants, &book, diag);
    if (e == OK) {
        e = load_book(r, buf_slice(&book), diag);
    }
    if (e == OK) {
        load_say_problems(r->set->loaded.set);
        r->facts.rules = r->set->loaded.set->rule_count;
        r->facts.refused = r->set->loaded.set->problem_count;
        e = dress(r);
    }
    buf_fini(&book);
    return e;
}

static enum err make_windows(struct replay *r, int64_t now_ns, struct diag *diag)
{
    const struct live_setting setting = {.set = r->set->loaded.set,
            .judged = r->set->choice.judged,
            .visible = r->set->choice.visible,
            .tenants = r->set->tenants,
            .lateness_ns = r->config.lateness_ns,
            .wait_ns = r->config.wait_ns,
            .state_limit = LIVE_STATE,
            .fired = judging_fired,
            .context = &r->judging};
    if (!r->set->choice.correlates) {
        return OK;
    }
    TRY(live_new(&setting, &r->live));
    TRY(live_swaps_tell(&r->swaps, r->live, r->rulesets, diag));
    live_mute(r->live, true);
    TRY(live_restore_frames(r->live, buf_slice(&r->kept.before)));
    TRY(live_restore_frames(r->live, buf_slice(&r->kept.now)));
    if (now_ns != LIVE_NONE) {
        live_begin(r->live, now_ns);
        TRY(live_advance(r->live, now_ns));
    }
    live_mute(r->live, false);
    return OK;
}

/* The set that the log names, where it is another than the one in force. */
static enum err take_wanted(struct replay *r, struct diag *diag)
{
    struct buf book = {0};
    int64_t now_ns = r->live ? live_now(r->live) : LIVE_NONE;
    bool same = r->request->rules.count > 0 || !r->wanted[0];
    if (r->set && (same || (strcmp(r->set->hash, r->wanted) == 0 && !r->swapped))) {
        return OK;
    }
    if (!r->wanted[0]) {
        return diag_say(diag, ERR_NOT_FOUND, "the log does not say by which rules: name some (-r)");
    }
    enum err e = book_read(&disk_real, r->rulesets, r->wanted, &book, diag);
    if (e == OK) {
        e = load_book(r, buf_slice(&book), diag);
    }
    buf_fini(&book);
    r->swapped = false;
    return e == OK ? make_windows(r, now_ns, diag) : e;
}

/* ---- results ----------------------------------------------------------------------------------
 */

static enum err keep(struct replay *r, const struct judging_part *part)
{
    struct kept *kept = &r->kept;
    struct frame frame = *part->frame;
    char which[16];
    if (r->request->rules.count > 0) {
        return OK; /* they do not change */
    }
    if (kept->since_ns < live_since(r->live, frame.receipt_ns)) {
        struct buf old = kept->before;
        kept->before = kept->now;
        kept->now = old;
        buf_clear(&kept->now);
        kept->since_ns = frame.receipt_ns;
    }
    frame_put64(which, r->judging.judged_to);
    frame_put64(which + 8, part->number);
    frame.attribute[FRAME_PART] = slice_of(which, sizeof which);
    return frame_write(&frame, &kept->now, NULL);
}

static enum err take_part(void *context, const struct judging_part *part)
{
    struct replay *r = context;
    if (part->frame->kind == FRAME_MATCHES) {
        return keep(r, part);
    }
    if (part->frame->kind != FRAME_FINDINGS) {
        return OK;
    }
    bool csv = r->request->format && strcmp(r->request->format->name, "csv") == 0;
    for (struct frame_walk walk = {0}; r->shown && frame_next(part->frame, &walk);) {
        if (walk.record.size > 0) {
            fwrite(walk.record.at, 1, walk.record.size, stdout);
            fputs(csv ? "\r\n" : "\n", stdout);
            r->facts.findings++;
        }
    }
    return ferror(stdout) ? ERR_IO : OK;
}

/* ---- the log ----------------------------------------------------------------------------------
 */

static void want(struct replay *r, const struct frame *frame)
{
    struct slice hash = frame->attribute[FRAME_RULESET];
    if (hash.size < sizeof r->wanted) {
        memset(r->wanted, 0, sizeof r->wanted);
        memcpy(r->wanted, hash.at ? hash.at : "", hash.size);
        r->swapped = live_swaps_note(&r->swaps, hash, frame->receipt_ns) || r->swapped;
    }
}

/* What is of other tenants is a sign of time, no more. */
static struct frame others(const struct frame *frame)
{
    return (struct frame){.kind = FRAME_TICK,
            .receipt_ns = frame->receipt_ns,
            .offset = frame->offset,
            .count = frame->count};
}

static void count_frame(struct replay *r, const struct frame *frame)
{
    struct replay_facts *facts = &r->facts;
    facts->unread += frame->kind == FRAME_REJECTED ? frame->count : 0;
    if (frame->kind == FRAME_RECORDS) {
        facts->first_ns = facts->records == 0 || frame->receipt_ns < facts->first_ns
                                  ? frame->receipt_ns
                                  : facts->first_ns;
        facts->last_ns = facts->records == 0 || frame->receipt_ns > facts->last_ns
                                 ? frame->receipt_ns
                                 : facts->last_ns;
        facts->records += frame->count;
    }
}

static enum err judge_one(struct replay *r, const struct frame *frame, struct diag *diag)
{
    const char *tenant = r->request->tenant;
    bool covered = !tenant || authorize_covers(slice_text(tenant), frame->attribute[FRAME_TENANT]);
    const struct frame other = others(frame);
    TRY(take_wanted(r, diag));
    r->judging.set = r->set;
    r->judging.live = r->live;
    if (covered && r->shown) {
        count_frame(r, frame);
    }
    TRY(judging_frame(&r->judging, covered ? frame : &other));
    return judging_has(&r->judging) ? judging_tell(&r->judging) : OK;
}

static bool is_reached(const struct replay_place *place, const struct frame *frame)
{
    return place->timed ? frame->receipt_ns >= place->ns
                        : frame->offset + frame->count > place->offset;
}

static bool is_passed(const struct replay_place *place, const struct frame *frame)
{
    return place->timed ? frame->receipt_ns >= place->ns : frame->offset >= place->offset;
}

/* What lies before the first frame that is asked for is judged from here on, for the windows of
 * the rules in force there. */
static enum err find_start(struct replay *r, int64_t *warm_ns, struct diag *diag)
{
    struct wal_reader *reader;
    struct frame frame;
    const struct replay_place *from = &r->request->from;
    *warm_ns = INT64_MIN;
    if (!from->timed && from->offset == 0) {
        return OK;
    }
    TRY(reader_open(r->log_path, &disk_real, 0, &reader, diag));
    enum err e;
    bool reached = false;
    while (!reached &&
            ((e = reader_next(reader, READER_ALL, &frame, diag)) == OK || e == ERR_SYNTAX)) {
        if (e == OK && frame.kind == FRAME_RULES) {
            want(r, &frame);
        }
        reached = e == OK && is_reached(from, &frame);
    }
    int64_t start_ns = from->timed ? from->ns : frame.receipt_ns;
    reader_close(reader);
    if (!reached) {
        *warm_ns = INT64_MAX;
        return e == ERR_END ? OK : e;
    }
    TRY(take_wanted(r, diag));
    *warm_ns = r->live ? live_since(r->live, start_ns) : start_ns;
    return OK;
}

static enum err next_frame(struct replay *r, struct frame *frame, struct diag *diag)
{
    enum err e;
    while ((e = reader_next(r->log, READER_ALL, frame, diag)) == ERR_SYNTAX) {
        verb_say("log: %s", diag->words);
        r->partial = true;
        r->facts.damaged++;
    }
    return e;
}

static enum err judge_log(struct replay *r, struct diag *diag)
{
    int64_t warm_ns;
    struct frame frame;
    bool warm = false;
    enum err e;
    TRY(find_start(r, &warm_ns, diag));
    r->wanted[0] = 0;
    r->swaps = (struct live_swaps){0};
    while ((e = next_frame(r, &frame, diag)) == OK && !is_passed(&r->request->to, &frame)) {
        if (frame.kind == FRAME_RULES) {
            want(r, &frame); /* it is no sign of time for correlations, live either */
            continue;
        }
        warm = warm || frame.receipt_ns >= warm_ns;
        r->shown = r->shown || is_reached(&r->request->from, &frame);
        if (warm || r->shown) {
            TRY(judge_one(r, &frame, diag));
        }
    }
    return e == ERR_END ? OK : e;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static enum err prepare(struct replay *r, struct diag *diag)
{
    TRY(config_read(&r->config, r->request->config, diag));
    const char *data = r->request->data ? r->request->data : r->config.data;
    snprintf(r->log_path, sizeof r->log_path, "%s/log", data);
    snprintf(r->rulesets, sizeof r->rulesets, "%s/rulesets", data);
    TRY(reader_open(r->log_path, &disk_real, 0, &r->log, diag));
    r->judging = (struct judging){.log = reader_log(r->log),
            .page = &r->page,
            .emit = take_part,
            .context = r,
            .from = r->request->from.timed ? 0 : r->request->from.offset,
            .to = r->request->to.timed ? UINT64_MAX : r->request->to.offset};
    if (r->request->rules.count > 0) {
        TRY(load_named(r, diag));
        TRY(make_windows(r, LIVE_NONE, diag));
    }
    return sandbox_enter(SANDBOX_JUDGE, (const char *[]){r->log_path, r->rulesets, NULL},
            getenv("MERLON_SANDBOX_TEST"), diag);
}

static void free_replay(struct replay *r)
{
    reader_close(r->log);
    live_free(r->live);
    serve_set_free(r->set);
    judging_fini(&r->judging);
    buf_fini(&r->kept.now);
    buf_fini(&r->kept.before);
    config_fini(&r->config);
}

static void tell_facts(struct replay *r)
{
    struct replay_facts *facts = r->request->facts;
    struct live_figures figures = {0};
    if (!facts) {
        return;
    }
    if (r->live) {
        live_figures(r->live, &figures);
    }
    if (r->request->backtest && r->set) {
        backtest_add_costs(r->request->backtest, judge_costs(r->set->judge));
    }
    *facts = r->facts;
    facts->undetermined = atomic_load(&r->page.undetermined);
    facts->unread += atomic_load(&r->page.undecodable);
    facts->left_out = figures.crowded + figures.forced + figures.strange + figures.evicted;
    facts->late = figures.late;
}

int replay_run(const struct replay_request *request)
{
    static struct replay replay;
    struct diag diag = {0};
    replay.request = request;
    enum err e = prepare(&replay, &diag);
    if (e == OK) {
        e = judge_log(&replay, &diag);
    }
    if (e == OK && fflush(stdout) != 0) {
        e = diag_say(&diag, ERR_IO, "output: %s", strerror(errno));
    }
    if (e != OK) {
        verb_say("replay: %s", diag.words[0] ? diag.words : err_name(e));
    }
    tell_facts(&replay);
    free_replay(&replay);
    return e == OK && !replay.partial ? VERB_DONE : VERB_SOME;
}
