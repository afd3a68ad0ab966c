#include "detect/reach.h"

#include "base/memory.h"
#include "detect/survey_parts.h"

/* What a part of the condition may come to, over all events of a class. */
struct may {
    bool yes;
    bool no;
};

struct asking {
    const struct survey_class *facts;
    const struct class *class;
    const struct fields *fields;
    const struct step *steps; /* of the rule */
    struct may *may;          /* by step */
    struct reach *out;
    uint32_t number; /* of the class */
};

/* ---- one test -------------------------------------------------------------------------------- */

static bool has_text(const struct survey_fact *f)
{
    return f->kinds &
           (SURVEY_KIND(VALUE_BOOL) | SURVEY_KIND(VALUE_NUMBER) | SURVEY_KIND(VALUE_STRING));
}

static bool of_fields(const struct predicate *p)
{
    return p->op >= OP_FIELD_EQUAL && p->op <= OP_FIELD_CONTAINS;
}

static struct may test_may(const struct asking *a, const struct test *test)
{
    if (test->field == FIELD_NONE) {
        return (struct may){true, true}; /* a keyword: of any value */
    }
    const struct survey_fact *f = &a->facts->facts[test->field];
    bool some_valued = f->valued > 0;
    bool some_lack = a->facts->events > f->valued;
    switch (test->predicate->op) {
    case OP_NULL:
        return (struct may){some_lack, some_valued};
    case OP_PRESENT:
        return (struct may){some_valued, some_lack};
    case OP_EXISTS:
        return (struct may){f->there > 0, a->facts->events > f->there};
    case OP_NUMBER:
    case OP_LESS:
    case OP_LESS_EQUAL:
    case OP_GREATER:
    case OP_GREATER_EQUAL:
        return (struct may){f->has_number, true};
    default:
        if (of_fields(test->predicate)) {
            return (struct may){has_text(f) && has_text(&a->facts->facts[test->other]), true};
        }
        return (struct may){has_text(f), true};
    }
}

/* ---- the condition --------------------------------------------------------------------------- */

static struct may inner_may(const struct asking *a, uint32_t at)
{
    const struct step *s = &a->steps[at];
    uint32_t all = 0, yes = 0, no = 0;
    for (uint32_t child = at + 1; child < at + s->size; child += a->steps[child].size) {
        all++;
        yes += a->may[child].yes;
        no += a->may[child].no;
    }
    switch (s->kind) {
    case NODE_AND:
        return (struct may){yes == all, no > 0};
    case NODE_OR:
        return (struct may){yes > 0, no == all};
    case NODE_NOT:
        return (struct may){no > 0, yes > 0};
    case NODE_AT_LEAST: /* false where more than all - threshold of them are */
        return (struct may){yes >= s->arg, no + s->arg > all};
    default:
        return (struct may){s->kind == NODE_TRUE, s->kind == NODE_FALSE};
    }
}

static void find_may(const struct asking *a, uint32_t count)
{
    for (uint32_t i = count; i-- > 0;) { /* children stand behind their parent */
        const struct step *s = &a->steps[i];
        a->may[i] =
                s->kind == NODE_PREDICATE ? test_may(a, &a->class->tests[s->arg]) : inner_may(a, i);
    }
}

/* ---- what stands in the way ------------------------------------------------------------------ */

static void add_fault(struct asking *a, enum reach_fault_kind kind, uint32_t asked, uint32_t stands)
{
    struct reach_fault fault = {.kind = kind,
            .field = field_name(a->fields, asked),
            .events = a->facts->events,
            .class = a->number};
    struct slice other = field_name(a->fields, stands);
    if (stands != asked && other.size > 0 && other.at[0] != '\x02') {
        fault.stands = other;
    }
    for (uint32_t i = 0; i < a->out->fault_count; i++) {
        struct reach_fault *f = &a->out->faults[i];
        if (f->kind == kind && slice_equal(f->field, fault.field) &&
                slice_equal(f->stands, fault.stands)) {
            if (f->class != a->number) { /* it may stand in the condition twice */
                f->events += fault.events;
                f->class = a->number;
            }
            return;
        }
    }
    if (a->out->fault_count == REACH_FAULTS) {
        a->out->more = true;
        return;
    }
    a->out->faults[a->out->fault_count++] = fault;
}

/* Why the test cannot come to what is wanted. */
static void add_test(struct asking *a, const struct test *test, bool wanted)
{
    const struct predicate *p = test->predicate;
    const struct survey_fact *f = &a->facts->facts[test->field];
    uint32_t asked = p->field, stands = test->field;
    bool wants_absence = (p->op == OP_NULL) == wanted;
    if ((p->op == OP_NULL || p->op == OP_PRESENT || p->op == OP_EXISTS) && wants_absence) {
        add_fault(a, REACH_PRESENT, asked, stands);
        return;
    }
    if (of_fields(p) && has_text(f)) {
        f = &a->facts->facts[test->other];
        asked = p->other;
        stands = test->other;
    }
    enum reach_fault_kind kind = f->there == 0 ? REACH_ABSENT : REACH_NO_VALUE;
    if (f->there > 0 && has_text(f) && p->op >= OP_NUMBER && p->op <= OP_GREATER_EQUAL) {
        kind = REACH_NO_NUMBER;
    }
    add_fault(a, kind, asked, stands);
}

static bool is_stuck(const struct asking *a, uint32_t step, bool wanted)
{
    return wanted ? !a->may[step].yes : !a->may[step].no;
}

/* Of a part that is stuck, all that is stuck in it: each of an AND, and all of an OR together, are
 * enough. In preorder: a subtree that is not named is stepped over. */
static void add_faults(struct asking *a, uint32_t count, bool *wanted, bool *named)
{
    named[0] = true;
    wanted[0] = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct step *s = &a->steps[i];
        if (!named[i]) {
            continue;
        }
        if (s->kind == NODE_PREDICATE) {
            add_test(a, &a->class->tests[s->arg], wanted[i]);
            continue;
        }
        bool wish = s->kind == NODE_NOT ? !wanted[i] : wanted[i];
        for (uint32_t child = i + 1; child < i + s->size; child += a->steps[child].size) {
            named[child] = is_stuck(a, child, wish);
            wanted[child] = wish;
        }
    }
}

/* Asks for one class; OK with out->why set to REACH_CAN where the rule can fire on its events. */
static enum err ask_class(
        struct asking *a, const struct class_rule *rule, const struct survey_class *facts)
{
    uint32_t count = rule->step_count;
    struct may *may = memory_alloc_array(count, sizeof *may);
    bool *flags = memory_alloc_array((size_t)count * 2, sizeof *flags);
    if (!may || !flags) {
        memory_free(may);
        memory_free(flags);
        return ERR_MEMORY;
    }
    a->may = may;
    a->facts = facts;
    a->steps = a->class->steps + rule->steps;
    find_may(a, count);
    if (may[0].yes) {
        a->out->why = REACH_CAN;
    } else {
        add_faults(a, count, flags, flags + count);
    }
    memory_free(may);
    memory_free(flags);
    return OK;
}

enum err reach_rule(const struct survey *survey, uint32_t rule, struct reach *out)
{
    struct engine *engine = survey->engine;
    struct reach reach = {.why = REACH_UNSEEN};
    struct asking a = {.fields = engine->fields, .out = &reach};
    if (!engine_routable(engine, rule, NULL) && !engine->options.any_source) {
        *out = (struct reach){.why = REACH_UNMAPPED};
        return OK;
    }
    for (uint32_t c = 0; c < engine->class_count; c++) {
        a.class = &engine->classes[c]->class;
        a.number = c;
        const struct class_rule *place = engine_place(engine->classes[c], rule);
        if (!place || survey->classes[c].events == 0) {
            continue;
        }
        reach.events += survey->classes[c].events;
        if (reach.why != REACH_CAN) {
            reach.why = REACH_TESTS;
            TRY(ask_class(&a, place, &survey->classes[c]));
        }
    }
    if (reach.why == REACH_TESTS && reach.fault_count == 0) {
        reach.why = REACH_NEVER;
    }
    if (reach.why == REACH_CAN) {
        reach.fault_count = 0;
        reach.more = false;
    }
    *out = reach;
    return OK;
}
