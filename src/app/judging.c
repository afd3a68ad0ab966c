#include "app/judging.h"

#include <string.h>

#include "app/collect.h"
#include "app/records.h"
#include "base/digest.h"
#include "base/point.h"
#include "base/time.h"
#include "detect/judge.h"
#include "event/unread.h"
#include "sigma/correlation.h"

enum { ID_HEX = 32 }; /* digits of a finding's id */

/* ---- parts ------------------------------------------------------------------------------------
 */

static enum err emit(
        struct judging *j, struct frame *frame, struct frame_records *records, bool last)
{
    struct judging_part part = {.frame = frame, .number = j->part, .last = last};
    if (records->count == 0) {
        frame_take_empty(frame);
    } else {
        TRY(frame_take(frame, records));
    }
    TRY(j->emit(j->context, &part));
    j->part = last ? 0 : j->part + 1;
    enum err e = frame->kind == FRAME_MATCHES ? live_take(j->live, frame) : OK;
    frame_records_clear(records);
    return e;
}

static enum err emit_matches(struct judging *j)
{
    char clock[8];
    struct frame frame = {.kind = FRAME_MATCHES, .receipt_ns = j->frame->receipt_ns};
    frame_put64(clock, (uint64_t)j->clock_ns);
    frame.attribute[FRAME_TENANT] = j->frame->attribute[FRAME_TENANT];
    frame.attribute[FRAME_SOURCE] = j->frame->attribute[FRAME_SOURCE];
    frame.attribute[FRAME_CLOCK] = slice_of(clock, sizeof clock);
    return emit(j, &frame, &j->matches, false);
}

/* The last part says up to when the log was heard: where correlation goes on after a restart; the
 * first result by other rules, from when on they were in force. */
static enum err emit_found(struct judging *j, bool last)
{
    char clock[8];
    struct frame frame = {.kind = FRAME_FINDINGS};
    if (j->found.count > 0) {
        frame.attribute[FRAME_TENANT] = j->frame->attribute[FRAME_TENANT];
        frame.attribute[FRAME_SOURCE] = j->frame->attribute[FRAME_SOURCE];
    }
    if (last && (j->swapped || (j->live && live_now(j->live) != LIVE_NONE))) {
        frame_put64(clock, (uint64_t)(j->swapped ? j->swap_ns : live_now(j->live)));
        frame.attribute[FRAME_CLOCK] = slice_of(clock, sizeof clock);
    }
    j->swapped = j->swapped && !last;
    return emit(j, &frame, &j->found, last);
}

static enum err emit_fired(struct judging *j)
{
    struct frame frame = {.kind = FRAME_FINDINGS};
    frame.attribute[FRAME_TENANT] = buf_slice(&j->fired_tenant);
    return j->fired.count > 0 ? emit(j, &frame, &j->fired, false) : OK;
}

static enum err emit_unread(struct judging *j)
{
    struct frame frame = {.kind = FRAME_UNREAD, .receipt_ns = j->frame->receipt_ns};
    frame.attribute[FRAME_TENANT] = j->frame->attribute[FRAME_TENANT];
    frame.attribute[FRAME_SOURCE] = j->frame->attribute[FRAME_SOURCE];
    frame.attribute[FRAME_REASON] = j->unread_class;
    return j->unread.count > 0 ? emit(j, &frame, &j->unread, false) : OK;
}

/* The record goes into quarantine. They come in the order of their offsets. */
static void put_aside(struct judging *j, struct slice class, uint64_t offset, struct slice words)
{
    bool some = j->unread.count > 0, full = j->unread.lines.size > JUDGING_PART;
    if (j->failed == OK && some && (full || !slice_equal(class, j->unread_class))) {
        j->failed = emit_unread(j);
    }
    j->unread_class = class;
    unread_add(&j->unread, offset, words);
}

static void put_undecodable(struct judging *j, uint64_t offset, struct slice words)
{
    counts_add(&j->page->undecodable, 1);
    put_aside(j, SLICE(UNREAD_UNDECODABLE), offset, words);
}

/* What intake rejected: its reason is a class and words. */
static void put_rejected(struct judging *j)
{
    struct slice words = j->frame->attribute[FRAME_REASON];
    struct slice class = slice_cut(&words, ':');
    words = slice_trim(words);
    for (uint32_t i = 0; i < j->frame->count; i++) {
        put_aside(j, class, j->frame->offset + i, words);
    }
}

/* ---- one record --------------------------------------------------------------------------------
 */

static void add_pair(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, ",\"%s\":\"", name);
    buf_json(out, text);
    buf_byte(out, '"');
}

static struct slice event_host(struct judging *j)
{
    for (size_t i = 0; i < LOAD_HOSTS; i++) {
        const struct value *value = event_value(&j->set->event, j->set->loaded.host_fields[i]);
        if (value && value->kind == VALUE_STRING) {
            return value_slice(value, &j->host);
        }
    }
    return (struct slice){0};
}

/* Where the finding's event stands: its identity first. */
static void set_place(struct judging *j, uint64_t offset)
{
    buf_clear(&j->place_json);
    buf_format(
            &j->place_json, "\"log\":\"%s\",\"offset\":%llu", j->log, (unsigned long long)offset);
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
    finding.host = event_host(j);
    finding.file = j->frame->attribute[FRAME_SOURCE];
    finding.record = offset;
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

static size_t count_needed(const struct judging *j, const struct hit *hits, size_t count)
{
    size_t needed = 0;
    for (size_t i = 0; i < count; i++) {
        needed += j->set->choice.needed[hits[i].rule->number] && !hits[i].undetermined;
    }
    return needed;
}

/* What correlations need of the event, as it is made durable. */
static void write_matches(struct judging *j, const struct hit *hits, size_t count, uint64_t offset)
{
    struct slice tenant = j->frame->attribute[FRAME_TENANT];
    struct collect collect = {.judge = j->set->judge,
            .event = &j->set->event,
            .id = {.record = offset + 1},
            .scratch = &j->scratch,
            .out = &j->match};
    int64_t own;
    uint8_t flags;
    if (!j->live || count_needed(j, hits, count) == 0) {
        return;
    }
    bool timed = event_time(j, &own);
    collect.id.time_ns =
            live_time(j->live, tenant, j->frame->receipt_ns, timed ? &own : NULL, &flags);
    collect.host = event_host(j);
    for (size_t i = 0; i < count; i++) {
        if (j->set->choice.needed[hits[i].rule->number] && !hits[i].undetermined) {
            buf_clear(&j->match);
            buf_add(&j->match, live_shape(j->live, hits[i].rule->number));
            buf_byte(&j->match, (char)flags);
            collect_hit(&collect, &hits[i]);
            j->matches.lines.failed |= j->match.failed;
            frame_records_add(&j->matches, buf_slice(&j->match));
        }
    }
}

/* A frame may give more than a frame holds. */
static void bound_parts(struct judging *j)
{
    if (j->failed == OK && j->matches.lines.size > JUDGING_PART) {
        j->failed = emit_matches(j);
    }
    if (j->failed == OK && j->found.lines.size > JUDGING_PART) {
        j->failed = emit_found(j, false);
    }
}

static void judge_record(struct judging *j, uint64_t offset)
{
    const struct hit *hits;
    struct diag diag;
    size_t count;
    diag.line = diag.column = 0;
    diag.words[0] = 0;
    if (offset >= j->to) {
        return;
    }
    if (judge_event(j->set->judge, &j->set->event, &hits, &count, &diag) != OK) {
        counts_add(&j->page->undetermined, 1);
    } else if (count > 0) {
        hits = serve_tenants_filter(
                j->set->tenants, j->frame->attribute[FRAME_TENANT], hits, &count, &j->page->held);
        write_matches(j, hits, count, offset);
        if (offset >= j->from) {
            write_findings(j, hits, count, offset);
        }
        bound_parts(j);
    }
}

/* ---- one frame ---------------------------------------------------------------------------------
 */

/* For tests of records that judges die of. */
static void pass_poison(const struct event *event)
{
    if (__builtin_expect(point_armed, false) &&
            slice_find(event->raw, SLICE("POISON")) != SIZE_MAX) {
        point_reach("judge.poison");
    }
}

/* Bytes of whole records, the first of which has this offset. */
static void judge_bytes(struct judging *j, const struct decoder *decoder, struct slice bytes,
        uint64_t first, uint32_t records)
{
    struct reader *reader = serve_set_reader(j->set, decoder);
    struct event *event = &j->set->event;
    struct diag diag;
    if (!reader) {
        for (uint32_t n = 0; n < records; n++) {
            put_undecodable(j, first + n, SLICE("no decoder knows it"));
        }
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
            put_undecodable(j, at,
                    e != OK ? slice_text(diag.words) : SLICE("more fields than an event may have"));
            continue;
        }
        pass_poison(event);
        counts_add(&j->page->judged, 1);
        judge_record(j, at);
        if (j->judged) {
            j->judged(j->context, j->frame);
        }
    }
}

/* Did judges die of one of these records, the first of which has this offset? */
static bool is_killer(const struct judging *j, uint64_t first, uint64_t count)
{
    for (size_t i = 0; i < j->killer_count; i++) {
        if (j->killers[i] > first && j->killers[i] <= first + count) {
            return true;
        }
    }
    return false;
}

static void pass_over(struct judging *j, uint64_t first, uint64_t count)
{
    counts_add(&j->page->passed_over, count);
    for (uint64_t i = 0; i < count; i++) {
        put_aside(j, SLICE(UNREAD_PASSED_OVER), first + i, SLICE("judges died of it"));
    }
}

/* A record that killed judges is left out: the rest of its frame is judged one by one. */
static void judge_frame(struct judging *j)
{
    const struct frame *frame = j->frame;
    struct records records;
    struct records_piece piece;
    bool single = is_killer(j, frame->offset, frame->count);
    if (!records_begin(&records, frame, &j->block, single)) {
        return;
    }
    while (records_next(&records, &piece)) {
        if (is_killer(j, piece.first, piece.count)) {
            pass_over(j, piece.first, piece.count);
        } else {
            judge_bytes(j, records.decoder, piece.bytes, piece.first, piece.count);
        }
    }
}

/* ---- correlations ------------------------------------------------------------------------------
 */

struct where {
    const struct judging *j;
    const struct live_finding *finding;
};

static void write_place(void *context, const struct match_id *event, struct buf *out)
{
    const struct where *where = context;
    struct slice source;
    uint64_t offset = live_place(where->finding->of, event, &source);
    buf_format(out, "\"log\":\"%s\",\"offset\":%llu", where->j->log, (unsigned long long)offset);
    add_pair(out, "tenant", where->finding->tenant);
    add_pair(out, "source", source);
}

static struct slice event_source(void *context, const struct match_id *event, uint64_t *record)
{
    const struct where *where = context;
    struct slice source;
    *record = live_place(where->finding->of, event, &source);
    return source;
}

/* The same for whatever is told of one firing: rule, tenant, group and the event that made it. */
static void write_id(const struct judging *j, const struct live_finding *finding, struct buf *out)
{
    const struct machine_finding *f = finding->finding;
    struct digest digest;
    char hex[DIGEST_HEX], offset[8];
    struct slice source;
    frame_put64(offset, live_place(finding->of, &f->trigger, &source));
    digest_init(&digest);
    digest_add(&digest, slice_text(j->log));
    digest_add(&digest, slice_text(f->rule->hash));
    digest_add(&digest, slice_of(offset, sizeof offset));
    digest_add(&digest, finding->tenant);
    for (uint32_t g = 0; g < f->rule->correlation->group_count; g++) {
        digest_add(&digest, f->group[g].at ? SLICE("\n+") : SLICE("\n-"));
        digest_add(&digest, f->group[g]);
    }
    digest_hex(&digest, hex);
    buf_add(out, slice_of(hex, ID_HEX));
}

enum err judging_fired(void *context, const struct live_finding *finding)
{
    struct judging *j = context;
    struct where where = {j, finding};
    if (!slice_equal(buf_slice(&j->fired_tenant), finding->tenant) ||
            j->fired.lines.size > JUDGING_PART) {
        TRY(emit_fired(j));
        buf_clear(&j->fired_tenant);
        buf_add(&j->fired_tenant, finding->tenant);
    }
    buf_clear(&j->scratch);
    buf_add(&j->scratch, SLICE("\"id\":\""));
    write_id(j, finding, &j->scratch);
    buf_add(&j->scratch, SLICE("\",\"state\":\"fired\""));
    const struct output_correlation shown = {.finding = finding->finding,
            .place = write_place,
            .source = event_source,
            .context = &where,
            .members = buf_slice(&j->scratch)};
    buf_clear(&j->text);
    j->set->output->format->correlation(j->set->output, &shown, &j->text);
    j->fired.lines.failed |= j->text.failed;
    frame_records_add(&j->fired, slice_trim(buf_slice(&j->text)));
    counts_add(&j->page->found, 1);
    return OK;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static enum err correlate(struct judging *j)
{
    if (j->matches.count > 0) {
        TRY(emit_matches(j));
    }
    TRY(live_advance(j->live, j->frame->receipt_ns));
    return emit_fired(j);
}

enum err judging_frame(struct judging *j, const struct frame *frame)
{
    j->frame = frame;
    j->failed = OK;
    j->judged_to = frame->offset + frame->count;
    if (j->live) {
        live_begin(j->live, frame->receipt_ns);
        j->clock_ns = live_clock(j->live, frame->attribute[FRAME_TENANT]);
    }
    if (frame->kind == FRAME_RECORDS) {
        judge_frame(j);
    } else if (frame->kind == FRAME_REJECTED) {
        put_rejected(j);
    }
    TRY(j->failed);
    TRY(emit_unread(j));
    return j->live ? correlate(j) : OK;
}

bool judging_has(const struct judging *j)
{
    return j->part > 0 || j->found.count > 0;
}

enum err judging_tell(struct judging *j)
{
    return emit_found(j, true);
}

void judging_fini(struct judging *j)
{
    frame_records_fini(&j->found);
    frame_records_fini(&j->matches);
    frame_records_fini(&j->fired);
    frame_records_fini(&j->unread);
    buf_fini(&j->fired_tenant);
    buf_fini(&j->block);
    buf_fini(&j->place_json);
    buf_fini(&j->time);
    buf_fini(&j->text);
    buf_fini(&j->scratch);
    buf_fini(&j->host);
    buf_fini(&j->match);
}
