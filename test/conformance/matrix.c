#include <stdio.h>

#include "base/arena.h"
#include "conformance/conformance.h"
#include "conformance/excuses.h"
#include "support/rig.h"
#include "support/tree.h"

/* Real events, routed: which of all SigmaHQ Windows rules fire. */
struct matrix {
    struct rig rig;
    struct pump pump;
    struct buf placeholders;
    struct excuses missing;
    struct excuses extras;
    struct tally *tally;
};

static bool lists(const struct tree *ids, struct slice id)
{
    for (const struct tree *t = ids ? ids->first : NULL; t; t = t->next) {
        if (slice_equal(t->text, id)) {
            return true;
        }
    }
    return false;
}

static bool excused(struct excuses *list, struct slice index, struct slice rule)
{
    char key[200];
    int size = snprintf(key, sizeof key, "%.*s %.*s", SLICE_ARG(index), SLICE_ARG(rule));
    return size > 0 && (size_t)size < sizeof key && excuses_take(list, slice_text(key));
}

static const struct rule *rule_of(const struct ruleset *set, struct slice id, uint32_t *number)
{
    for (uint32_t i = 0; i < set->rule_count; i++) {
        if (slice_equal(set->rules[i]->id, id)) {
            *number = i;
            return set->rules[i];
        }
    }
    return NULL;
}

static void find_missing(
        struct matrix *m, const struct tree *record, struct slice index, struct buf *words)
{
    const struct tree *ids = tree_get(record, "matched_rule_ids");
    for (const struct tree *t = ids ? ids->first : NULL; t; t = t->next) {
        uint32_t n;
        const struct rule *r = rule_of(m->rig.set, t->text, &n);
        bool fired = r && m->rig.fired[n] == VERDICT_YES;
        if (!fired && !excused(&m->missing, index, t->text)) {
            buf_format(words, "missing %.*s%s; ", SLICE_ARG(t->text), r ? "" : " (not loaded)");
        }
    }
}

static void find_extras(
        struct matrix *m, const struct tree *record, struct slice index, struct buf *words)
{
    const struct tree *ids = tree_get(record, "matched_rule_ids");
    const struct tree *disputed = tree_get(record, "disputed_rule_ids");
    for (uint32_t i = 0; i < m->rig.set->rule_count; i++) {
        const struct rule *r = m->rig.set->rules[i];
        bool windows = slice_equal(r->logsource.product, SLICE("windows"));
        if (m->rig.fired[i] == VERDICT_YES && windows && !lists(ids, r->id) &&
                !lists(disputed, r->id) && !excused(&m->extras, index, r->id)) {
            buf_format(words, "extra %.*s; ", SLICE_ARG(r->id));
        }
    }
}

static void check_event(struct matrix *m, const struct tree *record)
{
    struct diag diag = {0};
    struct buf words = {0};
    struct slice index = tree_text(record, "event_index");
    const struct tree *event = tree_get(record, "event_json");
    if (!event || rig_judge_json(&m->rig, &m->pump, event->source, &diag) != OK) {
        conformance_check(m->tally, false, index, diag.words);
        return;
    }
    buf_add(&words, m->rig.words.size ? buf_slice(&m->rig.words) : SLICE(""));
    find_missing(m, record, index, &words);
    find_extras(m, record, index, &words);
    bool passed = words.size == 0;
    buf_byte(&words, '\0');
    conformance_check(m->tally, passed, index, words.failed ? "no memory" : words.at);
    buf_fini(&words);
}

static enum err check_events(struct matrix *m, struct slice bytes)
{
    struct arena arena;
    enum err e = OK;
    arena_init(&arena, (size_t)256 << 20);
    while (e == OK && slice_trim(bytes).size) {
        struct tree *record = NULL;
        arena_reset(&arena);
        e = tree_read(&arena, bytes, &bytes, &record);
        if (e == OK) {
            check_event(m, record);
        }
    }
    arena_fini(&arena);
    return e;
}

static enum err set_up(struct matrix *m, struct diag *diag)
{
    const struct engine_options options = {0};
    TRY(conformance_file("placeholders.yml", &m->placeholders, diag));
    TRY(rig_begin(&m->rig, buf_slice(&m->placeholders), diag));
    TRY(rig_load_sigmahq(&m->rig, "rules", diag));
    TRY(rig_build(&m->rig, options, diag));
    TRY(pump_init(&m->pump, m->rig.engine, "json", diag));
    TRY(excuses_read(&m->missing, "matrix-missing.txt", 2, diag));
    return excuses_read(&m->extras, "matrix-extras.txt", 2, diag);
}

enum err conformance_matrix(struct slice bytes, struct tally *tally, struct diag *diag)
{
    struct matrix m = {.tally = tally};
    TRY(set_up(&m, diag));
    enum err e = check_events(&m, bytes);
    excuses_unused(&m.missing, tally);
    excuses_unused(&m.extras, tally);
    printf("%u rules, %llu events, %llu findings; %zu extras and %zu differences of routing "
           "explained\n",
            m.rig.set->rule_count, (unsigned long long)m.rig.events, (unsigned long long)m.rig.hits,
            m.extras.count, m.missing.count);
    excuses_fini(&m.missing);
    excuses_fini(&m.extras);
    pump_fini(&m.pump);
    rig_fini(&m.rig);
    buf_fini(&m.placeholders);
    return e;
}
