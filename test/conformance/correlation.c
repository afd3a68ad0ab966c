#include <stdio.h>

#include "app/collect.h"
#include "base/arena.h"
#include "base/time.h"
#include "conformance/conformance.h"
#include "correlate/machine.h"
#include "support/rig.h"
#include "support/tree.h"

#define CASE_MEMORY ((size_t)64 << 20)

/* One case: its rules, judged by the rule alone, and the machine in the mode `every`. */
struct scene {
    struct rig rig;
    struct pump pump;
    struct machine *machine;
    struct buf *titles; /* by step: those fired, each with a line end */
    size_t step;        /* at hand, from 1: the record of its event */
    size_t steps;
    int64_t time_ns;
    struct buf record, scratch;
};

static enum err take_finding(void *context, const struct machine_finding *finding)
{
    struct scene *s = context;
    struct buf *titles = &s->titles[finding->trigger.record];
    buf_add(titles, finding->rule->title);
    buf_byte(titles, '\n');
    return titles->failed ? ERR_MEMORY : OK;
}

static enum err take_event(void *context, struct pump *pump, const struct hit *hits, size_t count)
{
    struct scene *s = context;
    struct slice rest, record;
    struct collect c = {.judge = pump->judge,
            .event = &pump->event,
            .id = {.time_ns = s->time_ns, .record = s->step},
            .scratch = &s->scratch,
            .out = &s->record};
    buf_clear(&s->record);
    for (size_t i = 0; i < count; i++) {
        collect_hit(&c, &hits[i]);
    }
    rest = buf_slice(&s->record);
    while (match_cut(&rest, &record)) {
        TRY(machine_match(s->machine, record));
    }
    return OK;
}

static enum err scene_init(struct scene *s, const struct tree *record, struct diag *diag)
{
    const struct engine_options options = {.any_source = true};
    TRY(rig_begin(&s->rig, SLICE(""), diag));
    TRY(ruleset_load_text(
            s->rig.set, tree_text(record, "id"), tree_text(record, "rules_yaml"), diag));
    TRY(rig_build(&s->rig, options, diag));
    if (s->rig.set->problem_count) {
        struct slice reason = s->rig.set->problems[0].reason;
        return diag_say(diag, ERR_UNSUPPORTED, "a rule was refused: %.*s", SLICE_ARG(reason));
    }
    const struct machine_setting setting = {
            .set = s->rig.set, .every = true, .finding = take_finding, .context = s};
    TRY(machine_new(&setting, &s->machine));
    return pump_init(&s->pump, s->rig.engine, "json", diag);
}

static void scene_fini(struct scene *s)
{
    if (s->pump.engine) {
        pump_fini(&s->pump);
    }
    machine_free(s->machine);
    rig_fini(&s->rig);
    buf_fini(&s->record);
    buf_fini(&s->scratch);
}

static enum err play(struct scene *s, const struct tree *steps, struct diag *diag)
{
    for (const struct tree *step = steps->first; step; step = step->next) {
        int64_t ns;
        s->step++;
        if (!time_parse(tree_get(step, "ts")->source, &ns)) {
            return diag_say(diag, ERR_SYNTAX, "no time in a step");
        }
        s->time_ns = ns;
        TRY(pump_bytes(&s->pump, tree_get(step, "event")->source, take_event, s, diag));
    }
    return machine_end(s->machine);
}

/* What fired at each step is what was expected there, in its order. */
static bool as_expected(const struct scene *s, const struct tree *steps, struct diag *diag)
{
    size_t n = 0;
    for (const struct tree *step = steps->first; step; step = step->next) {
        struct buf wanted = {0};
        n++;
        for (const struct tree *t = tree_get(step, "expect")->first; t; t = t->next) {
            buf_add(&wanted, t->text);
            buf_byte(&wanted, '\n');
        }
        bool same = slice_equal(buf_slice(&wanted), buf_slice(&s->titles[n]));
        buf_fini(&wanted);
        if (!same) {
            diag_say(diag, ERR_SYNTAX, "step %zu: fired %.*s", n,
                    SLICE_ARG(buf_slice(&s->titles[n])));
            return false;
        }
    }
    return n > 0;
}

static void check_scene(const struct tree *record, struct arena *arena, struct tally *tally)
{
    const struct tree *steps = tree_get(record, "steps");
    struct scene s = {0};
    struct diag diag = {0};
    for (const struct tree *step = steps->first; step; step = step->next) {
        s.steps++;
    }
    s.titles = ARENA_ARRAY(arena, struct buf, s.steps + 1);
    enum err e = s.titles ? scene_init(&s, record, &diag) : ERR_MEMORY;
    if (e == OK) {
        e = play(&s, steps, &diag);
    }
    bool passed = e == OK && as_expected(&s, steps, &diag);
    conformance_check(tally, passed, tree_text(record, "id"), diag.words);
    for (size_t i = 0; s.titles && i <= s.steps; i++) {
        buf_fini(&s.titles[i]);
    }
    scene_fini(&s);
}

enum err conformance_correlation(struct slice bytes, struct tally *tally, struct diag *diag)
{
    struct arena arena;
    enum err e = OK;
    (void)diag;
    arena_init(&arena, CASE_MEMORY);
    while (e == OK && slice_trim(bytes).size) {
        struct tree *record = NULL;
        arena_reset(&arena);
        e = tree_read(&arena, bytes, &bytes, &record);
        if (e == OK) {
            check_scene(record, &arena, tally);
        }
    }
    arena_fini(&arena);
    return e;
}
