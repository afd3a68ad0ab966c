#include "detect/plan.h"

#include <stdatomic.h>

#include "base/fold.h"

#define PLAN_MEMORY ((size_t)512 << 20)
#define NEVER 1e30f  /* cost of what has no witness */
#define OFTEN 0.002f /* share of events */
#define WAKE 30.0f   /* nanoseconds to take up a candidate, roughly */

enum sort { SORT_ANCHOR, SORT_LITERAL, SORT_OTHER, SORT_KEYWORD, SORTS };

/* A trigger that has been made, before the sets are built. */
struct entry {
    uint32_t field;
    enum sort sort;
    enum anchor_kind kind;
    struct slice text;
    int64_t integer;
    uint32_t trigger;
};

struct pair {
    uint32_t test;
    uint32_t rule; /* class rule */
};

/* Of one step of the rule in hand. */
struct weight {
    float effort; /* to evaluate it */
    float share;  /* of events in which it holds */
    float search; /* for its witness */
    float found;  /* how often that is found */
    float best_cost;
    uint32_t best; /* of a conjunction: the child that is its witness */
    bool chosen;
};

struct build {
    const struct class *class;
    struct plan_facts facts;
    struct plan *plan;
    struct arena scratch;
    struct weight *weights;
    struct pair *pairs;
    uint32_t pair_count, pair_room;
    uint32_t *counts; /* by test: its pairs; then where its wakes begin */
    bool *wanted;     /* by test */
    struct entry *entries;
    uint32_t entry_count;
    uint32_t trigger_room;
};

/* ---- what a witness costs ---- */

static float frequency_of(const struct build *b, uint32_t test)
{
    const struct handle *h = &b->class->tests[test].handle;
    /* A count of few events does not prove that a test never holds: the guess keeps a small say. */
    bool counted = b->facts.frequencies && b->facts.frequencies[test] >= 0;
    return counted ? b->facts.frequencies[test] + h->prior * 0.02f : h->prior;
}

/* What evaluating a step takes until its answer is known, children in their order. */
static void weigh_step(const struct build *b, const struct step *steps, uint32_t i)
{
    struct weight *w = &b->weights[i];
    const struct step *s = &steps[i];
    if (s->kind == NODE_PREDICATE) {
        w->effort = b->class->tests[s->arg].handle.run_cost;
        w->share = frequency_of(b, s->arg);
        return;
    }
    float reached = 1;
    w->effort = 0;
    w->share = s->kind == NODE_OR || s->kind == NODE_FALSE ? 0 : 1;
    for (uint32_t c = i + 1; c < i + s->size; c += steps[c].size) {
        const struct weight *child = &b->weights[c];
        w->effort += reached * child->effort;
        if (s->kind == NODE_AND) {
            reached *= child->share;
            w->share = reached;
        } else if (s->kind == NODE_NOT) {
            w->share = child->share < 1 ? 1 - child->share : 0;
        } else {
            reached *= child->share < 1 ? 1 - child->share : 0;
            w->share = 1 - reached;
        }
    }
}

/* A conjunction's child as its witness, where it is the best so far. */
static void offer_child(const struct build *b, struct weight *w, uint32_t c)
{
    const struct weight *child = &b->weights[c];
    float all = b->weights[0].effort;
    float rest = all > child->effort ? all - child->effort : 0;
    float cost = child->search + child->found * (WAKE + rest);
    if (w->search >= NEVER || cost < w->best_cost) {
        w->search = child->search;
        w->found = child->found;
        w->best = c;
        w->best_cost = cost;
    }
}

/* Of the witness that a step would be: the cost of searching for it, and how often it is found. */
static void witness_of_step(const struct build *b, const struct step *steps, uint32_t i)
{
    struct weight *w = &b->weights[i];
    const struct step *s = &steps[i];
    w->search = s->kind == NODE_OR || s->kind == NODE_FALSE || s->kind == NODE_AT_LEAST ? 0 : NEVER;
    w->found = 0;
    if (s->kind == NODE_PREDICATE) {
        const struct handle *h = &b->class->tests[s->arg].handle;
        w->search = h->direct ? 8 + h->run_cost : h->search_cost;
        w->found = frequency_of(b, s->arg);
    }
    for (uint32_t c = i + 1; c < i + s->size; c += steps[c].size) {
        const struct weight *child = &b->weights[c];
        if (s->kind == NODE_OR || s->kind == NODE_AT_LEAST) {
            w->search += child->search; /* any of its children is a sound, if wide, witness */
            w->found += child->found;
        } else if (s->kind == NODE_AND && child->search < NEVER) {
            offer_child(b, w, c);
        }
    }
    if (s->kind == NODE_AT_LEAST && s->arg == 0) {
        w->search = NEVER;
    }
}

/* Children before parents. */
static void weigh_rule(const struct build *b, const struct class_rule *rule)
{
    const struct step *steps = b->class->steps + rule->steps;
    for (uint32_t i = rule->step_count; i-- > 0;) {
        weigh_step(b, steps, i);
    }
    for (uint32_t i = rule->step_count; i-- > 0;) {
        witness_of_step(b, steps, i);
    }
}

/* ---- the choice ---- */

static enum err add_pair(struct build *b, uint32_t test, uint32_t rule)
{
    if (b->pair_count == b->pair_room) {
        return ERR_LIMIT;
    }
    b->pairs[b->pair_count++] = (struct pair){test, rule};
    b->counts[test]++;
    b->wanted[test] = true;
    return OK;
}

/* A rule that wakes often has its other tests looked for too: what is found in a value is
 * remembered with the value (detect/value_cache.h), what a test finds is not. */
static void want_all(struct build *b, const struct class_rule *rule)
{
    const struct step *steps = b->class->steps + rule->steps;
    for (uint32_t i = 0; i < rule->step_count; i++) {
        const struct test *t =
                steps[i].kind == NODE_PREDICATE ? &b->class->tests[steps[i].arg] : NULL;
        if (t && t->field != FIELD_NONE && !t->handle.direct && t->handle.search_cost <= 2) {
            b->wanted[steps[i].arg] = true;
        }
    }
}

static enum err choose(struct build *b, uint32_t index)
{
    const struct class_rule *rule = &b->class->rules[index];
    const struct step *steps = b->class->steps + rule->steps;
    weigh_rule(b, rule);
    bool always = b->weights[0].search >= NEVER;
    if (always || b->weights[0].found > OFTEN) {
        want_all(b, rule);
    }
    if (always) {
        b->plan->always[b->plan->always_count++] = index;
        return OK;
    }
    for (uint32_t i = 0; i < rule->step_count; i++) {
        b->weights[i].chosen = i == 0;
    }
    for (uint32_t i = 0; i < rule->step_count; i++) {
        if (!b->weights[i].chosen) {
            continue;
        }
        if (steps[i].kind == NODE_PREDICATE) {
            TRY(add_pair(b, steps[i].arg, index));
            continue;
        }
        for (uint32_t c = i + 1; c < i + steps[i].size; c += steps[c].size) {
            b->weights[c].chosen = steps[i].kind != NODE_AND || c == b->weights[i].best;
        }
    }
    return OK;
}

static enum err choose_all(struct build *b)
{
    uint32_t most = 1;
    for (uint32_t i = 0; i < b->class->rule_count; i++) {
        uint32_t n = b->class->rules[i].step_count;
        most = n > most ? n : most;
    }
    b->weights = ARENA_ARRAY(&b->scratch, struct weight, most);
    if (!b->weights) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < b->class->rule_count; i++) {
        TRY(choose(b, i));
    }
    return OK;
}

/* ---- triggers ---- */

static enum err fold_into(struct build *b, struct slice text, struct slice *out)
{
    char *to = arena_alloc(&b->plan->arena, text.size * 2 + 1, 1);
    if (!to) {
        return ERR_MEMORY;
    }
    *out = slice_of(to, fold_text(text, to));
    return OK;
}

static enum err add_trigger(struct build *b, uint32_t test, bool exact, struct entry entry)
{
    struct plan *plan = b->plan;
    if (plan->trigger_count == b->trigger_room) {
        return ERR_LIMIT;
    }
    uint32_t first = b->counts[test], end = b->counts[test + 1];
    plan->triggers[plan->trigger_count] = (struct trigger){test, exact, first, end - first};
    entry.field = b->class->tests[test].field;
    entry.trigger = plan->trigger_count++;
    if (entry.sort == SORT_LITERAL && !slice_is_ascii(entry.text)) {
        entry.sort = SORT_OTHER;
    }
    plan->known[test >> 6] |= (uint64_t)1 << (test & 63);
    b->entries[b->entry_count++] = entry;
    return OK;
}

static enum err add_text(struct build *b, uint32_t test, bool exact, struct entry entry)
{
    if (b->class->tests[test].predicate->cased) {
        exact = false;
        TRY(fold_into(b, entry.text, &entry.text));
    }
    return add_trigger(b, test, exact, entry);
}

static void add_direct(struct build *b, uint32_t test)
{
    uint32_t first = b->counts[test], end = b->counts[test + 1];
    b->plan->directs[b->plan->direct_count++] = (struct direct){test, first, end - first};
}

static void add_always(struct build *b, uint32_t test)
{
    /* The rules wake for every event; a rule woken twice is evaluated once. */
    for (uint32_t i = b->counts[test]; i < b->counts[test + 1]; i++) {
        b->plan->always[b->plan->always_count++] = b->plan->wakes[i];
    }
}

static enum err add_keyword(struct build *b, uint32_t test)
{
    const struct predicate *p = b->class->tests[test].predicate;
    struct slice text = p->text;
    enum anchor_kind kind;
    bool anchored;
    bool texts = p->op == OP_CONTAINS || p->op == OP_PREFIX || p->op == OP_SUFFIX ||
                 p->op == OP_EQUAL || p->op == OP_PATTERN;
    if (texts && p->op == OP_PATTERN) {
        text = handle_run(text, &kind, &anchored);
    }
    struct slice folded = {0};
    if (texts) {
        TRY(fold_into(b, text, &folded));
    }
    struct slice part = keyword_part(folded);
    if (part.size < KEYWORD_MIN) {
        add_always(b, test);
        return OK;
    }
    b->plan->keyword_triggers[b->plan->keyword_trigger_count++] = b->plan->trigger_count;
    if (keyword_is_bare(part)) {
        b->plan->bare[b->plan->bare_count++] = b->plan->trigger_count;
    }
    return add_trigger(b, test, false, (struct entry){.sort = SORT_KEYWORD, .text = part});
}

static enum err add_regex(struct build *b, uint32_t test)
{
    size_t count;
    const struct slice *literals = regex_literals(b->class->tests[test].predicate->regex, &count);
    for (size_t i = 0; i < count; i++) {
        struct entry e = {.sort = SORT_LITERAL, .text = literals[i]};
        TRY(add_trigger(b, test, false, e));
    }
    return OK;
}

static enum err add_pattern(struct build *b, uint32_t test)
{
    struct entry e = {.sort = SORT_LITERAL};
    bool anchored = false;
    e.text = handle_run(b->class->tests[test].predicate->text, &e.kind, &anchored);
    if (anchored) {
        e.sort = SORT_ANCHOR;
    }
    return add_text(b, test, false, e);
}

static enum err add_test(struct build *b, uint32_t test)
{
    const struct predicate *p = b->class->tests[test].predicate;
    if (p->field == FIELD_NONE) {
        return add_keyword(b, test);
    }
    if (b->class->tests[test].handle.direct) {
        add_direct(b, test);
        return OK;
    }
    struct entry e = {.sort = SORT_ANCHOR, .text = p->text, .integer = p->integer};
    switch (p->op) {
    case OP_EQUAL:
        e.kind = ANCHOR_EQUAL;
        return add_text(b, test, true, e);
    case OP_PREFIX:
        e.kind = ANCHOR_PREFIX;
        return add_text(b, test, true, e);
    case OP_SUFFIX:
        e.kind = ANCHOR_SUFFIX;
        return add_text(b, test, true, e);
    case OP_NUMBER:
        e.kind = ANCHOR_NUMBER;
        e.text = (struct slice){0};
        return add_trigger(b, test, true, e);
    case OP_CONTAINS:
        e.sort = SORT_LITERAL;
        return add_text(b, test, true, e);
    case OP_PATTERN:
        return add_pattern(b, test);
    default:
        return add_regex(b, test);
    }
}

/* ---- the sets of each field ---- */

/* Keywords have no field: they come last. */
static uint32_t entry_key(const struct entry *e, uint32_t event_fields)
{
    return (e->field == FIELD_NONE ? event_fields : e->field) * SORTS + e->sort;
}

/* Entries by field, then sort; those of equal keys stay in their order. */
static enum err sort_entries(struct build *b, uint32_t event_fields)
{
    uint32_t keys = (event_fields + 1) * SORTS;
    uint32_t *first = ARENA_ARRAY(&b->scratch, uint32_t, keys + 1);
    struct entry *sorted = ARENA_ARRAY(&b->scratch, struct entry, b->entry_count);
    if (!first || !sorted) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < b->entry_count; i++) {
        first[entry_key(&b->entries[i], event_fields) + 1]++;
    }
    for (uint32_t k = 0; k < keys; k++) {
        first[k + 1] += first[k];
    }
    for (uint32_t i = 0; i < b->entry_count; i++) {
        sorted[first[entry_key(&b->entries[i], event_fields)]++] = b->entries[i];
    }
    b->entries = sorted;
    return OK;
}

static enum err build_anchors(
        struct build *b, const struct entry *e, uint32_t n, const struct anchor_set **out)
{
    struct anchor_entry *list = ARENA_ARRAY(&b->scratch, struct anchor_entry, n);
    if (!list) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < n; i++) {
        list[i] = (struct anchor_entry){e[i].kind, e[i].text, e[i].integer, e[i].trigger};
    }
    return anchor_build(&b->plan->arena, list, n, out);
}

static enum err build_literals(
        struct build *b, const struct entry *e, uint32_t n, const struct literal_set **out)
{
    struct literal_entry *list = ARENA_ARRAY(&b->scratch, struct literal_entry, n);
    if (!list) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < n; i++) {
        list[i] = (struct literal_entry){e[i].text, e[i].trigger};
    }
    return literal_build(&b->plan->arena, list, n, b->facts.census, out);
}

static enum err build_keywords(struct build *b, const struct entry *e, uint32_t n)
{
    struct keyword_entry *list = ARENA_ARRAY(&b->scratch, struct keyword_entry, n);
    if (!list) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < n; i++) {
        list[i] = (struct keyword_entry){e[i].text, e[i].trigger};
    }
    return keyword_build(&b->plan->arena, list, n, &b->plan->keywords);
}

static enum err build_sort(
        struct build *b, struct field_plan *field, const struct entry *e, uint32_t n)
{
    switch (e->sort) {
    case SORT_ANCHOR:
        return build_anchors(b, e, n, &field->anchors);
    case SORT_LITERAL:
        return build_literals(b, e, n, &field->literals);
    case SORT_OTHER:
        return build_literals(b, e, n, &field->other_texts);
    default:
        return build_keywords(b, e, n);
    }
}

static enum err build_fields(struct build *b, uint32_t event_fields)
{
    struct plan *plan = b->plan;
    TRY(sort_entries(b, event_fields));
    plan->fields = ARENA_ARRAY(&plan->arena, struct field_plan, b->entry_count);
    if (!plan->fields) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0, end; i < b->entry_count; i = end) {
        const struct entry *e = &b->entries[i];
        for (end = i + 1; end < b->entry_count && b->entries[end].field == e->field &&
                          b->entries[end].sort == e->sort;
                end++) {
        }
        struct field_plan *field = plan->field_count ? &plan->fields[plan->field_count - 1] : NULL;
        if (e->field != FIELD_NONE && (!field || field->field != e->field)) {
            field = &plan->fields[plan->field_count];
            field->field = e->field;
            plan->field_bits[e->field >> 6] |= (uint64_t)1 << (e->field & 63);
            plan->field_at[e->field] = (uint16_t)plan->field_count++;
        }
        TRY(build_sort(b, field, e, end - i));
    }
    for (uint32_t w = 0; w <= event_fields / 64; w++) {
        if (plan->field_bits[w]) {
            plan->words[plan->word_count++] = w;
        }
    }
    return OK;
}

/* ---- the whole ---- */

/* Pairs to runs of wakes by test; counts[test] becomes where its run begins. */
static enum err order_wakes(struct build *b)
{
    uint32_t tests = b->class->test_count, first = 0;
    b->plan->wakes = ARENA_ARRAY(&b->plan->arena, uint32_t, b->pair_count);
    uint32_t *at = ARENA_ARRAY(&b->scratch, uint32_t, tests + 1);
    if (!b->plan->wakes || !at) {
        return ERR_MEMORY;
    }
    for (uint32_t t = 0; t < tests; t++) {
        uint32_t n = b->counts[t];
        b->counts[t] = at[t] = first;
        first += n;
    }
    b->counts[tests] = first;
    for (uint32_t i = 0; i < b->pair_count; i++) {
        b->plan->wakes[at[b->pairs[i].test]++] = b->pairs[i].rule;
    }
    return OK;
}

static size_t trigger_need(const struct build *b)
{
    size_t need = 0, count;
    for (uint32_t t = 0; t < b->class->test_count; t++) {
        if (!b->wanted[t]) {
            continue;
        }
        const struct predicate *p = b->class->tests[t].predicate;
        need++;
        if (p->op == OP_REGEX && p->field != FIELD_NONE) {
            regex_literals(p->regex, &count);
            need += count;
        }
    }
    return need;
}

static enum err make_room(struct build *b, uint32_t event_fields)
{
    struct plan *plan = b->plan;
    const struct class *class = b->class;
    b->pair_room = class->step_count + 1;
    b->pairs = ARENA_ARRAY(&b->scratch, struct pair, b->pair_room);
    b->counts = ARENA_ARRAY(&b->scratch, uint32_t, class->test_count + 1);
    b->wanted = ARENA_ARRAY(&b->scratch, bool, class->test_count + 1);
    plan->always = ARENA_ARRAY(&plan->arena, uint32_t, class->rule_count + class->step_count + 1);
    plan->directs = ARENA_ARRAY(&plan->arena, struct direct, class->test_count + 1);
    plan->keyword_triggers = ARENA_ARRAY(&plan->arena, uint32_t, class->test_count + 1);
    plan->bare = ARENA_ARRAY(&plan->arena, uint32_t, class->test_count + 1);
    plan->known = ARENA_ARRAY(&plan->arena, uint64_t, class->test_count / 64 + 1);
    plan->field_bits = ARENA_ARRAY(&plan->arena, uint64_t, event_fields / 64 + 1);
    plan->words = ARENA_ARRAY(&plan->arena, uint32_t, event_fields / 64 + 1);
    plan->field_at = ARENA_ARRAY(&plan->arena, uint16_t, event_fields + 1);
    return b->pairs && b->counts && b->wanted && plan->always && plan->directs && plan->bare &&
                           plan->keyword_triggers && plan->known && plan->field_bits &&
                           plan->words && plan->field_at
                   ? OK
                   : ERR_MEMORY;
}

static enum err build_all(struct build *b, uint32_t event_fields)
{
    TRY(make_room(b, event_fields));
    TRY(choose_all(b));
    TRY(order_wakes(b));
    size_t need = trigger_need(b);
    b->trigger_room = (uint32_t)need;
    b->entries = ARENA_ARRAY(&b->scratch, struct entry, need);
    b->plan->triggers = ARENA_ARRAY(&b->plan->arena, struct trigger, need);
    if (!b->entries || !b->plan->triggers || need > UINT32_MAX) {
        return ERR_MEMORY;
    }
    for (uint32_t t = 0; t < b->class->test_count; t++) {
        if (b->wanted[t]) {
            TRY(add_test(b, t));
        }
    }
    return build_fields(b, event_fields);
}

enum err plan_build(const struct class *class, const struct plan_facts *facts,
        uint32_t event_fields, struct plan **out)
{
    static _Atomic uint64_t last_id;
    struct arena arena;
    arena_init(&arena, PLAN_MEMORY);
    struct plan *plan = ARENA_NEW(&arena, struct plan);
    if (!plan) {
        arena_fini(&arena);
        return ERR_MEMORY;
    }
    plan->arena = arena;
    plan->class = class;
    plan->id = atomic_fetch_add(&last_id, 1) + 1;
    struct build b = {.class = class, .plan = plan};
    if (facts) {
        b.facts = *facts;
    }
    arena_init(&b.scratch, PLAN_MEMORY);
    enum err e = build_all(&b, event_fields);
    arena_fini(&b.scratch);
    if (e != OK) {
        plan_free(plan);
        return e;
    }
    *out = plan;
    return OK;
}

void plan_free(struct plan *plan)
{
    if (plan) {
        /* The plan lies in its own arena. */
        struct arena arena = plan->arena;
        arena_fini(&arena);
    }
}
