/* correlation: generated streams, correlated by the machine and by the oracle.
 *
 *     build/test/correlation [STREAMS [SEED]]      10000 streams by default; CI runs these
 *     build/test/correlation 100000                the full number
 *
 * Each stream is judged in both modes, its matches shuffled and sorted by a sorter that has hardly
 * any memory, and once more with little memory for state: then what lies in a span that the machine
 * names may differ, and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/choose.h"
#include "base/memory.h"
#include "correlate/machine.h"
#include "correlate/sorter.h"
#include "correlation/make_scene.h"
#include "sigma/correlation.h"
#include "sigma/ruleset.h"

enum { STREAMS = 10000, SHOWN = 5 };

struct bench {
    struct dice dice;
    struct oracle_scene scene;
    struct oracle_event events[MAKE_EVENTS];
    struct ruleset *set;
    struct choice choice;
    struct oracle_findings found, wanted;
    struct buf yaml;
    const char *problem;
    uint64_t findings, chained, inexact, evicted, spilled, excused, outside;
};

/* ---- the machine --------------------------------------------------------------------------- */

static enum err take_finding(void *context, const struct machine_finding *f)
{
    struct bench *b = context;
    const char *values[ORACLE_NAMES] = {0};
    char texts[ORACLE_NAMES][32];
    struct oracle_finding mine = {.rule = f->rule->number,
            .value = f->value,
            .to_ns = f->to_ns,
            .events = f->evidence->total};
    for (uint32_t i = 0; i < f->rule->correlation->group_count; i++) {
        snprintf(texts[i], sizeof texts[i], "%.*s", SLICE_ARG(f->group[i]));
        values[i] = f->group[i].at ? texts[i] : NULL;
    }
    oracle_key(mine.key, values, f->rule->correlation->group_count);
    while (mine.event < b->scene.event_count &&
            (b->events[mine.event].file != f->trigger.file ||
                    b->events[mine.event].record != f->trigger.record)) {
        mine.event++;
    }
    if (mine.event == b->scene.event_count || b->events[mine.event].time_ns != f->time_ns) {
        b->problem = "a finding at no event";
    }
    if (!memory_grow(&b->found.at, &b->found.room, b->found.count + 1, sizeof mine)) {
        return ERR_MEMORY;
    }
    b->found.at[b->found.count++] = mine;
    return OK;
}

static void write_match(
        const struct bench *b, const struct oracle_event *e, uint32_t rule, struct buf *out)
{
    const struct rule *r = b->set->rules[rule];
    const struct match_id id = {e->time_ns, e->record, e->file, rule};
    struct match_writer w;
    match_begin(&w, out, &id, SLICE("host"));
    for (uint32_t i = 0; i < r->wanted_count; i++) {
        struct slice name = field_name(b->set->fields, r->wanted[i]);
        match_field(&w);
        if (name.at[0] != 'f') {
            continue; /* a name of nothing */
        }
        uint32_t field = (uint32_t)(name.at[1] - '0');
        for (uint32_t v = 0; v < e->value_count[field]; v++) {
            match_value(&w, slice_text(e->values[field][v]));
        }
    }
    match_end(&w);
}

/* All matches in an order of their own. */
static enum err add_matches(struct bench *b, struct sorter *sorter, struct diag *diag)
{
    uint32_t order[MAKE_EVENTS];
    struct buf row = {0};
    enum err e = OK;
    for (uint32_t i = 0; i < b->scene.event_count; i++) {
        uint32_t at = dice_below(&b->dice, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (uint32_t i = 0; i < b->scene.event_count && e == OK; i++) {
        const struct oracle_event *event = &b->events[order[i]];
        buf_clear(&row);
        for (uint32_t r = 0; b->scene.rules[r].base; r++) {
            if (event->matched >> r & 1) {
                write_match(b, event, r, &row);
            }
        }
        struct slice rest = buf_slice(&row), record;
        while (e == OK && match_cut(&rest, &record)) {
            e = sorter_add(sorter, record, diag);
        }
    }
    buf_fini(&row);
    return e;
}

static enum err feed(struct bench *b, struct machine *machine, struct diag *diag)
{
    const struct sorter_setting setting = {.key = MATCH_KEY,
            .budget = 1 + dice_below(&b->dice, 4000),
            .fd = dice_one_in(&b->dice, 4) ? sorter_temporary() : -1};
    struct sorter *sorter;
    struct slice record;
    TRY(sorter_new(&setting, &sorter));
    enum err e = add_matches(b, sorter, diag);
    if (e == OK) {
        e = sorter_finish(sorter, diag);
    }
    b->spilled += sorter_runs(sorter) > 1;
    while (e == OK && (e = sorter_next(sorter, &record, diag)) == OK) {
        e = machine_match(machine, record);
    }
    sorter_free(sorter);
    return e == ERR_END ? machine_end(machine) : e;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static int by_event(const void *a, const void *b)
{
    const struct oracle_finding *x = a, *y = b;
    if (x->event != y->event) {
        return x->event < y->event ? -1 : 1;
    }
    if (x->rule != y->rule) {
        return x->rule < y->rule ? -1 : 1;
    }
    return strcmp(x->key, y->key);
}

static const struct span_list *spans_of(const struct machine *machine, uint32_t rule)
{
    for (uint32_t i = 0; i < machine_count(machine); i++) {
        struct machine_report r;
        machine_report(machine, i, &r);
        if (r.rule->number == rule) {
            return r.inexact;
        }
    }
    return NULL;
}

/* Leaves the findings that lie in no inexact span of their rule. */
static void drop_inexact(
        struct bench *b, const struct machine *machine, struct oracle_findings *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct span_list *spans = spans_of(machine, list->at[i].rule);
        int64_t at = b->events[list->at[i].event].time_ns;
        bool inside = false;
        for (uint32_t s = 0; s < spans->count; s++) {
            inside = inside || (spans->at[s].from_ns <= at && at <= spans->at[s].to_ns);
        }
        if (!inside) {
            list->at[n++] = list->at[i];
        }
    }
    b->excused += list->count - n;
    b->outside += n;
    list->count = n;
}

static void show(const struct bench *b, const char *whose, const struct oracle_finding *f)
{
    if (f) {
        printf("  %s: t%u at event %u (%lld) %s = %.17g, to %lld, %llu events\n", whose, f->rule,
                f->event, (long long)b->events[f->event].time_ns, f->key, f->value,
                (long long)f->to_ns, (unsigned long long)f->events);
    } else {
        printf("  %s: nothing\n", whose);
    }
}

/* whole: what findings were extended by counts, too. */
static bool same(struct bench *b, bool whole)
{
    size_t n = b->found.count > b->wanted.count ? b->found.count : b->wanted.count;
    for (size_t i = 0; i < n; i++) {
        const struct oracle_finding *x = i < b->found.count ? &b->found.at[i] : NULL;
        const struct oracle_finding *y = i < b->wanted.count ? &b->wanted.at[i] : NULL;
        if (!x || !y || by_event(x, y) != 0 || x->value != y->value ||
                (whole && (x->to_ns != y->to_ns || x->events != y->events))) {
            show(b, "machine", x);
            show(b, "oracle", y);
            return false;
        }
    }
    return true;
}

/* state_limit 0: none. */
static bool agrees(struct bench *b, bool every, size_t state_limit)
{
    const struct machine_setting setting = {.set = b->set,
            .judged = b->choice.judged,
            .visible = b->choice.visible,
            .every = every,
            .state_limit = state_limit,
            .finding = take_finding,
            .context = b};
    struct machine *machine = NULL;
    struct diag diag = {0};
    b->found.count = b->wanted.count = 0;
    bool good = machine_new(&setting, &machine) == OK && feed(b, machine, &diag) == OK &&
                oracle_run(&b->scene, every, &b->wanted) == OK;
    if (good && b->found.count) {
        qsort(b->found.at, b->found.count, sizeof *b->found.at, by_event);
    }
    b->findings += b->found.count;
    if (good && state_limit) {
        drop_inexact(b, machine, &b->found);
        drop_inexact(b, machine, &b->wanted);
    }
    for (uint32_t i = 0; good && i < machine_count(machine); i++) {
        struct machine_report r;
        machine_report(machine, i, &r);
        b->inexact += r.inexact->count > 0;
        b->evicted += r.evicted;
        good = state_limit || r.inexact->count == 0;
    }
    good = good && same(b, every || !state_limit);
    machine_free(machine);
    if (!good) {
        printf("  mode %s, state limit %zu: %s\n", every ? "every" : "once", state_limit,
                diag.words);
    }
    return good;
}

/* ---- one stream ---------------------------------------------------------------------------- */

static bool load(struct bench *b)
{
    const struct ruleset_options options = {0};
    const struct detect_request request = {0};
    struct diag diag = {0};
    buf_clear(&b->yaml);
    make_scene_yaml(&b->scene, &b->yaml);
    if (ruleset_new(&options, &b->set, &diag) != OK ||
            ruleset_load_text(b->set, SLICE("t.yml"), buf_slice(&b->yaml), &diag) != OK ||
            ruleset_finish(b->set, &diag) != OK ||
            choose_rules(&request, b->set, &b->choice, &diag) != OK) {
        printf("  not loaded: %s\n", diag.words);
        return false;
    }
    if (b->set->rule_count != b->scene.rule_count) {
        struct slice reason = b->set->problems[0].reason;
        printf("  refused: %.*s\n", SLICE_ARG(reason));
        return false;
    }
    for (uint32_t i = 0; i < b->set->rule_count; i++) {
        b->chained += i && b->choice.needed[i] && b->set->rules[i]->correlation;
        if (b->choice.visible[i] != oracle_visible(&b->scene, i)) {
            printf("  t%u: whether it gives findings differs\n", i);
            return false;
        }
    }
    return true;
}

static bool run_stream(struct bench *b, uint64_t seed)
{
    b->dice = dice_of(seed);
    b->scene.events = b->events;
    b->problem = NULL;
    make_scene(&b->dice, &b->scene);
    bool good = load(b) && agrees(b, true, 0) && agrees(b, false, 0);
    if (good) {
        size_t limit = 600 + dice_below(&b->dice, dice_one_in(&b->dice, 2) ? 4000 : 25000);
        good = agrees(b, true, limit) && agrees(b, false, limit);
    }
    if (good && b->problem) {
        printf("  %s\n", b->problem);
        good = false;
    }
    choose_fini(&b->choice);
    ruleset_free(b->set);
    b->set = NULL;
    return good;
}

int main(int argc, char **argv)
{
    static struct bench b;
    uint64_t streams = argc > 1 ? strtoull(argv[1], NULL, 10) : STREAMS;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t passed = 0, failed = 0;
    for (uint64_t i = 0; i < streams; i++) {
        if (run_stream(&b, seed + i)) {
            passed++;
        } else {
            printf("FAIL stream %llu (correlation 1 %llu)\n", (unsigned long long)(seed + i),
                    (unsigned long long)(seed + i));
            if (++failed <= SHOWN && streams == 1) {
                printf("%.*s\n", SLICE_ARG(buf_slice(&b.yaml)));
            }
            if (failed == SHOWN) {
                break;
            }
        }
    }
    printf("%llu findings, %llu correlations in chains, %llu streams sorted in a file\n"
           "%llu groups evicted, %llu rules inexact, %llu findings in their spans, %llu outside\n",
            (unsigned long long)b.findings, (unsigned long long)b.chained,
            (unsigned long long)b.spilled, (unsigned long long)b.evicted,
            (unsigned long long)b.inexact, (unsigned long long)b.excused,
            (unsigned long long)b.outside);
    /* A generator that makes nothing worth judging proves nothing. */
    if (streams >= 1000 &&
            (b.findings < streams || b.chained < streams / 10 || b.spilled < streams / 10 ||
                    b.evicted < streams / 10 || b.outside < streams)) {
        printf("FAIL the streams are too poor\n");
        failed++;
    }
    oracle_fini(&b.found);
    oracle_fini(&b.wanted);
    buf_fini(&b.yaml);
    printf("%llu passed, %llu failed\n", (unsigned long long)passed, (unsigned long long)failed);
    return failed != 0;
}
