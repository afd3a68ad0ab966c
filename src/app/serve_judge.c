#include "app/serve_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sandbox.h"
#include "app/serve_set.h"
#include "base/clock.h"
#include "base/point.h"
#include "base/time.h"
#include "cli/book.h"
#include "cli/formats.h"
#include "cli/verb.h"
#include "detect/judge.h"
#include "event/frame.h"
#include "wal/reader.h"

enum {
    BEHIND = 64,          /* readable bytes behind a block, as decoders ask for */
    RECOGNISED_BY = 4096, /* bytes of a frame */
    SILENT_FRAMES = 256,  /* judged without a finding before that is said */
    WAIT_MS = 200,
};

struct judging {
    const struct serve_judge_setting *setting;
    struct serve_page *page;
    struct serve_set *set; /* the rules in force; NULL: not known yet */
    char rulesets[4096];   /* directory */
    struct buf book;
    struct wal_reader *log;
    /* Of the frame that is judged. */
    const struct frame *frame;
    struct buf block;      /* its records, with bytes behind them */
    struct buf place_json; /* {"log", "tenant", "source"} of its findings */
    struct buf time;
    struct buf text;
    struct buf scratch;
    struct frame_records found;
    struct buf result;
    uint64_t judged_to; /* offsets below it are judged */
    uint64_t told_to;   /* and handed over */
    uint64_t silent;    /* frames since */
};

/* ---- one record --------------------------------------------------------------------------------
 */

static void add_pair(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, ",\"%s\":\"", name);
    buf_json(out, text);
    buf_byte(out, '"');
}

/* Where the finding's event stands: its identity first. */
static void set_place(struct judging *j, uint64_t offset)
{
    buf_clear(&j->place_json);
    buf_format(&j->place_json, "\"log\":\"%s\",\"offset\":%llu", reader_log(j->log),
            (unsigned long long)offset);
    add_pair(&j->place_json, "tenant", j->frame->attribute[FRAME_TENANT]);
    add_pair(&j->place_json, "source", j->frame->attribute[FRAME_SOURCE]);
}

static bool event_time(struct judging *j, int64_t *ns)
{
    const struct value *value = event_value(&j->set->event, j->set->loaded.time_field);
    return value && time_parse(value_slice(value, &j->scratch), ns);
}

static void write_findings(struct judging *j, const struct hit *hits, size_t count, uint64_t offset)
{
    struct output_finding finding = {.judge = j->set->judge, .event = &j->set->event};
    int64_t ns;
    buf_clear(&j->time);
    if (event_time(j, &ns)) {
        time_format(&j->time, ns);
    }
    set_place(j, offset);
    finding.time = buf_slice(&j->time);
    finding.place_json = buf_slice(&j->place_json);
    for (size_t i = 0; i < count; i++) {
        if (hits[i].undetermined) {
            counts_add(&j->page->undetermined, 1);
            continue;
        }
        if (!j->set->choice.visible[hits[i].rule->number]) {
            continue;
        }
        finding.hit = &hits[i];
        finding.event_size = 0;
        buf_clear(&j->text);
        j->set->output->format->finding(j->set->output, &finding, &j->text);
        j->found.lines.failed |= j->text.failed;
        frame_records_add(&j->found, slice_trim(buf_slice(&j->text)));
        counts_add(&j->page->found, 1);
    }
}

static void judge_record(struct judging *j, uint64_t offset)
{
    const struct hit *hits;
    struct diag diag;
    size_t count;
    diag.line = diag.column = 0;
    diag.words[0] = 0;
    if (judge_event(j->set->judge, &j->set->event, &hits, &count, &diag) != OK) {
        counts_add(&j->page->undetermined, 1);
    } else if (count > 0) {
        write_findings(j, hits, count, offset);
    }
}

/* ---- one frame ---------------------------------------------------------------------------------
 */

static const struct decoder *decoder_of(const struct frame *frame)
{
    char name[32] = {0};
    struct slice format = frame->attribute[FRAME_FORMAT], head = frame->lines;
    if (format.size > 0 && format.size < sizeof name) {
        memcpy(name, format.at, format.size);
        return formats_find(name);
    }
    head.size = head.size < RECOGNISED_BY ? head.size : RECOGNISED_BY;
    return formats_recognise(head, head.size == frame->lines.size);
}

/* Bytes of whole records, the first of which has this offset. */
static void judge_bytes(struct judging *j, const struct decoder *decoder, struct slice bytes,
        uint64_t first, uint32_t records)
{
    struct reader *reader = serve_set_reader(j->set, decoder);
    struct event *event = &j->set->event;
    struct diag diag;
    if (!reader) {
        counts_add(&j->page->undecodable, records);
        return;
    }
    if (decoder->place) {
        struct decode_place place = {.written_ns = j->frame->receipt_ns};
        decoder->place(reader, &place);
    }
    decoder->begin(reader, bytes, j->frame->attribute[FRAME_HEADER]);
    for (uint64_t n = 0;; n++) {
        diag.line = diag.column = 0;
        diag.words[0] = 0;
        atomic_store_explicit(&j->page->judging, first + n + 1, memory_order_relaxed);
        enum err e = decoder->next(reader, event, &diag);
        if (e == ERR_END) {
            break;
        }
        uint64_t at = first + (decoder->ordinal ? decoder->ordinal(reader) : n);
        if (e != OK || event->truncated) {
            counts_add(&j->page->undecodable, 1);
            continue;
        }
        counts_add(&j->page->judged, 1);
        judge_record(j, at);
    }
}

/* The record that killed a judge is left out: the rest of its frame is judged one by one. */
static bool has_killer(const struct judging *j)
{
    uint64_t killer = j->setting->killer;
    return killer > j->frame->offset && killer <= j->frame->offset + j->frame->count;
}

static void judge_frame(struct judging *j)
{
    const struct frame *frame = j->frame;
    const struct decoder *decoder = decoder_of(frame);
    buf_clear(&j->block);
    buf_add(&j->block, frame->lines);
    if (!buf_reserve(&j->block, BEHIND)) {
        return;
    }
    const char *block = j->block.at;
    if ((frame->flags & FRAME_LINES) && !has_killer(j)) {
        judge_bytes(j, decoder, slice_of(block, frame->lines.size), frame->offset, frame->count);
        return;
    }
    for (struct frame_walk walk = {0}; frame_next(frame, &walk);) {
        uint64_t offset = frame->offset + walk.index;
        if (offset + 1 == j->setting->killer) {
            counts_add(&j->page->passed_over, 1);
            continue;
        }
        size_t at = (size_t)(walk.record.at - frame->lines.at);
        judge_bytes(j, decoder, slice_of(block + at, walk.record.size + 1), offset, 1);
    }
}

/* ---- results -----------------------------------------------------------------------------------
 */

/* Waits for room; false: told to stop before there was. */
static bool hand_over(struct judging *j, struct slice tenant, struct slice source)
{
    struct channel *results = j->setting->shared->results;
    char through[8];
    uint64_t position;
    struct frame frame = {.kind = FRAME_FINDINGS, .receipt_ns = clock_wall_ns()};
    frame_put64(through, j->judged_to);
    frame.attribute[FRAME_TENANT] = tenant;
    frame.attribute[FRAME_SOURCE] = source;
    frame.attribute[FRAME_RULESET] = slice_text(j->set->hash);
    frame.attribute[FRAME_THROUGH] = slice_of(through, sizeof through);
    if (j->found.count == 0) {
        frame_take_empty(&frame);
    } else if (frame_take(&frame, &j->found) != OK) {
        return false;
    }
    buf_clear(&j->result);
    if (frame_write(&frame, &j->result, NULL) != OK) {
        return false;
    }
    point_pass("judge.before_result");
    while (!channel_put(results, buf_slice(&j->result), &position)) {
        if (*j->setting->stop) {
            return false;
        }
        serve_shared_wait(channel_done_fd(results), -1, WAIT_MS);
    }
    point_pass("judge.after_result");
    frame_records_clear(&j->found);
    j->told_to = j->judged_to;
    j->silent = 0;
    return true;
}

/* ---- the process -------------------------------------------------------------------------------
 */

static enum err load(struct judging *j, const char *hash, struct diag *diag)
{
    struct serve_set *set;
    struct loaded loaded;
    TRY(book_read(&disk_real, j->rulesets, hash, &j->book, diag));
    TRY(book_load(buf_slice(&j->book), &loaded, diag));
    enum err e = serve_set_new(&loaded, hash, &set, diag);
    buf_fini(&j->book);
    if (e != OK) {
        load_fini(&loaded);
        return e;
    }
    serve_set_free(j->set);
    j->set = set;
    serve_reload_mark(&j->setting->shared->reload->judging, hash, 0);
    atomic_store(&j->page->watching, true);
    return OK;
}

/* The set that is wanted now, where the log names none, or one that is not kept any more: rather
 * that than none. ERR_END: told to stop before there was one. */
static enum err load_wanted(struct judging *j, struct diag *diag)
{
    const struct serve_mark *wanted = &j->setting->shared->reload->wanted;
    char hash[DIGEST_HEX];
    uint64_t at;
    while (!serve_reload_marked(wanted, hash, &at)) {
        if (*j->setting->stop) {
            return ERR_END;
        }
        serve_shared_wait(j->setting->shared->committed_fd, -1, WAIT_MS);
    }
    return load(j, hash, diag);
}

/* The set that the log says; findings name the one that was taken. */
static enum err change_set(struct judging *j, struct slice name, struct diag *diag)
{
    char hash[DIGEST_HEX] = {0};
    if (name.size < sizeof hash) {
        memcpy(hash, name.at ? name.at : "", name.size);
    }
    if (j->set && strcmp(hash, j->set->hash) == 0) {
        return OK;
    }
    atomic_store_explicit(&j->page->judging, 0, memory_order_relaxed);
    enum err e = load(j, hash, diag);
    if (e != ERR_NOT_FOUND && e != ERR_SYNTAX) {
        return e;
    }
    if (hash[0]) {
        verb_say("judge: the set of rules %.16s cannot be had, so the present one judges: %s", hash,
                diag->words);
    }
    return j->set ? OK : load_wanted(j, diag);
}

/* From here on another set: said at once, so that whoever goes on from there has it, too. */
static enum err change_rules(struct judging *j, const struct frame *frame, struct diag *diag)
{
    const struct serve_set *before = j->set;
    point_pass("judge.before_swap");
    TRY(change_set(j, frame->attribute[FRAME_RULESET], diag));
    j->judged_to = frame->offset + frame->count;
    if (j->set != before && !hand_over(j, (struct slice){0}, (struct slice){0})) {
        return ERR_END;
    }
    point_pass("judge.after_swap");
    return OK;
}

/* ERR_END: told to stop. */
static enum err judge_next(struct judging *j, const struct frame *frame, struct diag *diag)
{
    struct slice tenant = frame->attribute[FRAME_TENANT], source = frame->attribute[FRAME_SOURCE];
    if (frame->kind == FRAME_RULES) {
        return change_rules(j, frame, diag);
    }
    if (!j->set) {
        TRY(load_wanted(j, diag));
    }
    j->frame = frame;
    if (frame->kind == FRAME_RECORDS) {
        judge_frame(j);
    }
    point_pass("judge.judged");
    j->judged_to = frame->offset + frame->count;
    j->silent++;
    if (j->found.count == 0 && j->silent < SILENT_FRAMES) {
        return OK;
    }
    return hand_over(j, tenant, source) ? OK : ERR_END;
}

static enum err open_log(struct judging *j, struct diag *diag)
{
    char path[sizeof j->rulesets], hash[DIGEST_HEX];
    uint64_t through;
    while (!atomic_load(&j->page->ready)) {
        if (*j->setting->stop) {
            return diag_say(diag, ERR_END, "stopped");
        }
        serve_shared_wait(j->setting->shared->committed_fd, -1, WAIT_MS);
    }
    serve_reload_marked(&j->setting->shared->reload->through, hash, &through);
    j->judged_to = j->told_to = through;
    snprintf(path, sizeof path, "%s/log", j->setting->data);
    snprintf(j->rulesets, sizeof j->rulesets, "%s/rulesets", j->setting->data);
    TRY(sandbox_enter(SANDBOX_JUDGE, (const char *[]){path, j->rulesets, NULL},
            getenv("MERLON_SANDBOX_TEST"), diag));
    TRY(reader_open(path, &disk_real, j->judged_to, &j->log, diag));
    return hash[0] ? change_set(j, slice_text(hash), diag) : OK;
}

/* ERR_END: told to stop. */
static enum err judge_log(struct judging *j, struct diag *diag)
{
    while (!*j->setting->stop) {
        struct frame frame;
        enum err e = reader_next(j->log, atomic_load(&j->page->committed), &frame, diag);
        if (e == OK && frame.offset + frame.count <= j->told_to) {
            continue; /* the first one read may begin before the place */
        }
        if (e == OK) {
            TRY(judge_next(j, &frame, diag));
            continue;
        }
        if (e == ERR_SYNTAX) {
            counts_add(&j->page->damaged, reader_damage(j->log)->to - reader_damage(j->log)->from);
            verb_say("log: %s", diag->words);
            continue;
        }
        if (e != ERR_END) {
            verb_say("log: %s", diag->words);
        }
        atomic_store_explicit(&j->page->judging, 0, memory_order_relaxed);
        if (j->judged_to > j->told_to && !hand_over(j, (struct slice){0}, (struct slice){0})) {
            return ERR_END;
        }
        serve_shared_wait(j->setting->shared->committed_fd, -1, WAIT_MS);
    }
    return ERR_END;
}

static void free_judging(struct judging *j)
{
    reader_close(j->log);
    serve_set_free(j->set);
    frame_records_fini(&j->found);
    buf_fini(&j->block);
    buf_fini(&j->place_json);
    buf_fini(&j->time);
    buf_fini(&j->text);
    buf_fini(&j->scratch);
    buf_fini(&j->result);
    buf_fini(&j->book);
}

int serve_judge_run(const struct serve_judge_setting *setting)
{
    static struct judging judging;
    struct diag diag = {0};
    judging = (struct judging){.setting = setting, .page = setting->shared->page};
    enum err e = open_log(&judging, &diag);
    if (e == OK) {
        e = judge_log(&judging, &diag);
    }
    if (e != ERR_END) {
        verb_say("judge: %s", diag.words[0] ? diag.words : err_name(e));
    }
    free_judging(&judging);
    return e == ERR_END ? 0 : 1;
}
