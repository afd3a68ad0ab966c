#include <stdio.h>

#include "base/arena.h"
#include "conformance/conformance.h"
#include "support/archive.h"
#include "support/rig.h"
#include "support/tree.h"

/* One rule of the archive, and how often it must fire on each form of its events. */
struct regression {
    struct slice tar;
    struct slice id;
    uint64_t expected; /* at least */
    uint64_t found;    /* by another evaluator; just as often where `exact` */
    bool exact;
    struct rig rig;
};

struct count {
    struct rig *rig;
    struct buf json;
    uint64_t fired;
};

/* The reference looks at the record as the decoder writes it: that covers both forms. */
static enum err visit(void *context, struct pump *pump, const struct hit *hits, size_t count)
{
    struct count *c = context;
    buf_clear(&c->json);
    pump->event.form->write_json(&pump->event, &c->json);
    for (size_t i = 0; i < count; i++) {
        c->fired += !hits[i].undetermined;
    }
    return rig_compare_text(c->rig, buf_slice(&c->json), hits, count);
}

static bool fires(struct regression *r, const char *format, struct slice bytes, struct diag *diag)
{
    struct pump pump;
    struct count count = {.rig = &r->rig};
    uint64_t before = r->rig.differences;
    if (pump_init(&pump, r->rig.engine, format, diag) != OK) {
        return false;
    }
    enum err e = pump_bytes(&pump, bytes, visit, &count, diag);
    bool right = e == OK && pump.rejected == 0 && r->rig.differences == before &&
                 count.fired >= r->expected && (!r->exact || count.fired == r->found);
    if (e == OK && !right) {
        diag_say(diag, ERR_SYNTAX, "fired %llu times, %llu expected; %llu rejected: %s; %.*s",
                (unsigned long long)count.fired, (unsigned long long)r->expected,
                (unsigned long long)pump.rejected, pump.last_reason,
                SLICE_ARG(buf_slice(&r->rig.words)));
    }
    buf_fini(&count.json);
    pump_fini(&pump);
    return right;
}

static void check_form(struct regression *r, const struct tree *record, const char *key,
        const char *format, struct tally *tally)
{
    struct diag diag = {0};
    char id[300];
    struct slice content = archive_find(r->tar, tree_text(record, key));
    snprintf(id, sizeof id, "%.*s/%s", SLICE_ARG(r->id), key);
    if (!content.at) {
        conformance_check(tally, false, slice_text(id), "the archive has no such file");
        return;
    }
    conformance_check(tally, fires(r, format, content, &diag), slice_text(id), diag.words);
}

/* A line as a device sent it, of no known source: judged by the rule alone, as the message of a
 * JSON event. */
static bool is_bare_line(const struct tree *record)
{
    return slice_equal(tree_text(record, "type"), SLICE("raw"));
}

static void check_bare_line(struct regression *r, const struct tree *record, struct tally *tally)
{
    struct diag diag = {0};
    struct buf json = {0};
    struct slice content = archive_find(r->tar, tree_text(record, "event_file"));
    buf_add(&json, SLICE("{\"message\":\""));
    buf_json(&json, content.at ? slice_trim(content) : SLICE(""));
    buf_add(&json, SLICE("\"}\n"));
    conformance_check(tally, fires(r, "json", buf_slice(&json), &diag), r->id, diag.words);
    buf_fini(&json);
}

static enum err rule_up(struct regression *r, const struct tree *record, struct diag *diag)
{
    const struct engine_options options = {.any_source = is_bare_line(record)};
    struct slice file = tree_text(record, "rule_file");
    TRY(rig_begin(&r->rig, SLICE(""), diag));
    TRY(ruleset_load_text(r->rig.set, file, archive_find(r->tar, file), diag));
    TRY(rig_build(&r->rig, options, diag));
    if (r->rig.set->rule_count != 1) {
        return diag_say(diag, ERR_SYNTAX, "%u rules, %u problems", r->rig.set->rule_count,
                r->rig.set->problem_count);
    }
    return OK;
}

static void check_rule(struct slice tar, const struct tree *record, struct tally *tally)
{
    struct diag diag = {0};
    struct regression r = {.tar = tar,
            .id = tree_text(record, "rule_id"),
            .expected = tree_count(record, "expected"),
            .found = tree_count(record, "ref_matches"),
            .exact = tree_is_true(record, "exact")};
    if (rule_up(&r, record, &diag) != OK) {
        conformance_check(tally, false, r.id, diag.words);
    } else if (is_bare_line(record)) {
        check_bare_line(&r, record, tally);
    } else {
        check_form(&r, record, "event_file", "evtx", tally);
        check_form(&r, record, "json_file", "json", tally);
        check_form(&r, record, "flat_file", "json", tally);
    }
    rig_fini(&r.rig);
}

enum err conformance_regression(struct slice bytes, struct tally *tally, struct diag *diag)
{
    struct slice manifest = archive_find(bytes, SLICE("manifest.jsonl"));
    struct arena arena;
    enum err e = manifest.at ? OK : diag_say(diag, ERR_NOT_FOUND, "no manifest.jsonl");
    arena_init(&arena, (size_t)64 << 20);
    while (e == OK && slice_trim(manifest).size) {
        struct tree *record = NULL;
        arena_reset(&arena);
        e = tree_read(&arena, manifest, &manifest, &record);
        if (e == OK) {
            check_rule(bytes, record, tally);
        }
    }
    arena_fini(&arena);
    return e;
}
