#include "detect/learn.h"

#include "base/memory.h"
#include "detect/evaluate.h"
#include "detect/judge_parts.h"

/* A class with fewer rules, or in its first events, teaches nothing. */
enum { RULES_MIN = 8, FIRST = 32 };
/* Up to `events` a survey is made every `interval` of them; then the plan is looked at. */
static const struct term {
    uint32_t events, interval;
} terms[ENGINE_STAGES] = {{128, 8}, {1024, 128}, {8192, 1024}};
/* Another plan costs about as much for this many tests as a candidate that does not fire, were
 * there as many to come as there have been. */
enum { TESTS_A_CANDIDATE = 8 };
enum { SOUGHT_ENOUGH = 64 }; /* events whose count is better than surveys */

void learn_free(struct lessons *lessons)
{
    if (lessons) {
        memory_free(lessons->found);
        memory_free(lessons->sought);
        memory_free(lessons->held);
        memory_free(lessons);
    }
}

static enum err begin(struct judge *j)
{
    size_t tests = (size_t)j->seat->class->class.test_count + 1;
    struct lessons *l = memory_alloc(sizeof *l);
    if (!l) {
        return ERR_MEMORY;
    }
    l->plan = j->plan;
    l->found = memory_alloc_array(tests, sizeof *l->found);
    l->sought = memory_alloc_array(tests, sizeof *l->sought);
    l->held = memory_alloc_array(tests, sizeof *l->held);
    if (!l->found || !l->sought || !l->held) {
        learn_free(l);
        return ERR_MEMORY;
    }
    j->seat->lessons = l;
    return OK;
}

static void end(struct seat *seat)
{
    learn_free(seat->lessons);
    seat->lessons = NULL;
}

static bool is_sought(const struct plan *plan, uint32_t test)
{
    return plan->known[test >> 6] >> (test & 63) & 1;
}

/* Counts the events under the last plan to the tests that it looked for. */
static void settle(struct judge *j)
{
    struct lessons *l = j->seat->lessons;
    for (uint32_t t = 0; t < j->seat->class->class.test_count; t++) {
        l->sought[t] += is_sought(l->plan, t) ? l->plan_events : 0;
    }
    l->plan = j->plan;
    l->plan_events = 0;
    l->vain = 0;
}

/* Keywords and regexes would cost more than there is to learn. */
static bool is_surveyed(const struct test *test)
{
    return test->field != FIELD_NONE && test->predicate->op != OP_REGEX;
}

/* Counts which tests hold in this event, of those that are not looked for anyway. */
static void survey(struct judge *j, const struct event *event)
{
    struct lessons *l = j->seat->lessons;
    const struct class *class = &j->seat->class->class;
    for (uint32_t t = 0; t < class->test_count; t++) {
        const struct test *test = &class->tests[t];
        if (is_surveyed(test) && !is_sought(j->plan, t) && event_value(event, test->field)) {
            l->held[t] += evaluate_test(j, event, t) == VERDICT_YES;
        }
    }
    for (uint32_t f = 0; f < j->plan->field_count; f++) {
        const struct field_plan *plan = &j->plan->fields[f];
        const struct value *v = plan->literals ? event_value(event, plan->field) : NULL;
        if (v) {
            literal_count(&l->census, texts_folded(&j->texts, plan->field, v));
        }
    }
    l->surveyed++;
}

static float frequency_of(const struct lessons *l, const struct test *test, uint32_t t)
{
    if (l->sought[t] >= SOUGHT_ENOUGH) {
        return (float)l->found[t] / (float)l->sought[t];
    }
    return is_surveyed(test) && l->surveyed ? (float)l->held[t] / (float)l->surveyed : -1;
}

static enum err tune(struct judge *j, int stage)
{
    struct seat *s = j->seat;
    uint32_t tests = s->class->class.test_count;
    float *frequencies = memory_alloc_array(tests + 1, sizeof *frequencies);
    if (!frequencies) {
        return ERR_MEMORY;
    }
    settle(j);
    for (uint32_t t = 0; t < tests; t++) {
        frequencies[t] = frequency_of(s->lessons, &s->class->class.tests[t], t);
    }
    struct plan_facts facts = {frequencies, &s->lessons->census};
    enum err e = engine_tune(j->engine, s->class, stage, &facts);
    memory_free(frequencies);
    return e;
}

static enum err end_term(struct judge *j, int stage)
{
    struct lessons *l = j->seat->lessons;
    enum err e = OK;
    if (l->vain > j->seat->class->class.test_count / TESTS_A_CANDIDATE) {
        e = tune(j, stage);
    }
    if (stage == ENGINE_STAGES) {
        end(j->seat);
    }
    return e;
}

enum err learn_event(struct judge *judge, const struct event *event)
{
    struct judge *j = judge;
    struct seat *s = j->seat;
    uint64_t n = ++s->events;
    if (!s->lessons) {
        return n == FIRST && s->class->class.rule_count >= RULES_MIN ? begin(j) : OK;
    }
    if (s->lessons->plan != j->plan) {
        settle(j);
    }
    s->lessons->plan_events++;
    s->lessons->vain += j->awake_count - j->hit_count;
    int stage = 0;
    while (n > terms[stage].events) {
        stage++;
    }
    if (n % terms[stage].interval == 0) {
        survey(j, event);
    }
    return n == terms[stage].events ? end_term(j, stage + 1) : OK;
}
