#include <stdio.h>

#include "base/arena.h"
#include "conformance/conformance.h"
#include "conformance/excuses.h"
#include "support/archive.h"
#include "support/rig.h"
#include "support/tree.h"

#define CASE_MEMORY ((size_t)256 << 20)

/* Rules that cases judge, one at a time, by the rule alone. */
struct bench {
    struct rig rig;
    struct pump pump;
    struct buf placeholders;
    bool up;
};

static void bench_down(struct bench *b)
{
    if (b->up) {
        pump_fini(&b->pump);
        rig_fini(&b->rig);
        b->up = false;
    }
}

static enum err bench_up(struct bench *b, struct slice file, struct slice yaml, struct diag *diag)
{
    const struct engine_options options = {.any_source = true};
    bench_down(b);
    struct slice placeholders = b->placeholders.size ? buf_slice(&b->placeholders) : SLICE("");
    enum err e = rig_begin(&b->rig, placeholders, diag);
    if (e == OK) {
        e = ruleset_load_text(b->rig.set, file, yaml, diag);
    }
    if (e == OK) {
        e = rig_build(&b->rig, options, diag);
    }
    if (e == OK && b->rig.set->problem_count) {
        struct slice reason = b->rig.set->problems[0].reason;
        e = diag_say(diag, ERR_UNSUPPORTED, "the rule was refused: %.*s", SLICE_ARG(reason));
    } else if (e == OK && b->rig.set->rule_count == 0) {
        e = diag_say(diag, ERR_NOT_FOUND, "no rule was loaded");
    }
    if (e == OK) {
        e = pump_init(&b->pump, b->rig.engine, "json", diag);
    }
    b->up = e == OK;
    if (e != OK) {
        rig_fini(&b->rig);
    }
    return e;
}

/* Does any of the rules say `expect`, and do both evaluators? Otherwise *diag says why not. */
static bool event_passes(struct bench *b, const struct tree *event, bool expect, struct diag *diag)
{
    if (!event || rig_judge_json(&b->rig, &b->pump, event->source, diag) != OK) {
        return false;
    }
    if (b->rig.words.size) {
        diag_say(diag, ERR_SYNTAX, "%.*s", SLICE_ARG(buf_slice(&b->rig.words)));
        return false;
    }
    bool fired = false;
    for (uint32_t i = 0; i < b->rig.set->rule_count; i++) {
        fired = fired || b->rig.fired[i] == VERDICT_YES;
        if (b->rig.fired[i] == VERDICT_UNDETERMINED) {
            diag_say(diag, ERR_LIMIT, "undetermined");
            return false;
        }
    }
    diag_say(diag, ERR_SYNTAX, "%s was expected, engine and reference say %s",
            expect ? "yes" : "no", fired ? "yes" : "no");
    return fired == expect;
}

static void check_case(
        const struct tree *record, struct excuses *excuses, struct bench *b, struct tally *tally)
{
    struct diag diag = {0};
    struct slice id = tree_text(record, "id");
    bool passed =
            bench_up(b, id, tree_text(record, "rule_yaml"), &diag) == OK &&
            event_passes(b, tree_get(record, "event_json"), tree_is_true(record, "expect"), &diag);
    /* Only where the specification leaves it open may we decide otherwise. */
    bool open = slice_equal(tree_text(record, "class"), SLICE("ambiguous"));
    if (!passed && open && b->up && !b->rig.words.size && excuses_take(excuses, id)) {
        passed = true;
    }
    conformance_check(tally, passed, id, diag.words);
}

enum err conformance_cases(struct slice bytes, struct tally *tally, struct diag *diag)
{
    struct bench bench = {0};
    struct excuses excuses;
    struct arena arena;
    TRY(excuses_read(&excuses, "ambiguous.txt", 1, diag));
    arena_init(&arena, CASE_MEMORY);
    enum err e = OK;
    while (e == OK && slice_trim(bytes).size) {
        struct tree *record = NULL;
        arena_reset(&arena);
        e = tree_read(&arena, bytes, &bytes, &record);
        if (e == OK) {
            check_case(record, &excuses, &bench, tally);
        }
    }
    bench_down(&bench);
    excuses_unused(&excuses, tally);
    printf("%zu ambiguous cases are decided otherwise, as doc/sigma-semantics.md says\n",
            excuses.count);
    arena_fini(&arena);
    excuses_fini(&excuses);
    return e;
}

/* ---- generated: the rule is named, its cases stand together ---------------------------------- */

static enum err check_generated(const struct tree *record, struct slice rules, struct buf *path,
        struct bench *b, struct tally *tally)
{
    struct diag diag = {0};
    struct slice wanted = tree_text(record, "rule_path");
    enum err e = OK;
    if (!b->up || !slice_equal(buf_slice(path), wanted)) {
        buf_clear(path);
        buf_add(path, wanted);
        e = bench_up(b, wanted, archive_find(rules, wanted), &diag);
    }
    bool passed = e == OK && event_passes(b, tree_get(record, "event_json"),
                                     tree_is_true(record, "expect"), &diag);
    conformance_check(tally, passed, tree_text(record, "id"), diag.words);
    return e == ERR_MEMORY ? e : OK;
}

enum err conformance_generated(struct slice bytes, struct tally *tally, struct diag *diag)
{
    struct bench bench = {0};
    struct buf rules = {0}, path = {0};
    struct arena arena;
    arena_init(&arena, CASE_MEMORY);
    enum err e = archive_read(archive_shared("data/windows/sigma-rules.tar.zst"), &rules, diag);
    if (e == OK) {
        e = conformance_file("placeholders.yml", &bench.placeholders, diag);
    }
    while (e == OK && slice_trim(bytes).size) {
        struct tree *record = NULL;
        arena_reset(&arena);
        e = tree_read(&arena, bytes, &bytes, &record);
        if (e == OK) {
            e = check_generated(record, buf_slice(&rules), &path, &bench, tally);
        }
    }
    bench_down(&bench);
    arena_fini(&arena);
    buf_fini(&bench.placeholders);
    buf_fini(&rules);
    buf_fini(&path);
    return e;
}
