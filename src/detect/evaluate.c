#include "detect/evaluate.h"

#include "base/memory.h"
#include "detect/literal.h"

static enum verdict of_bool(bool holds)
{
    return holds ? VERDICT_YES : VERDICT_NO;
}

/* ---- one test ---- */

enum verdict evaluate_value(struct judge *judge, const struct test *test, const struct value *value)
{
    const struct predicate *p = test->predicate;
    if (value->kind == VALUE_NULL || value->kind == VALUE_OBJECT) {
        return VERDICT_NO;
    }
    if (p->op == OP_REGEX || p->cased || p->op >= OP_CIDR) {
        struct slice plain = texts_plain(&judge->texts, test->field, value);
        return predicate_test_text(p, plain, plain, judge->regexes);
    }
    struct text spare;
    const struct text *text = texts_get(&judge->texts, test->field, value, &spare);
    switch (p->op) {
    case OP_EQUAL:
        return of_bool(slice_equal(text->folded, p->text));
    case OP_PREFIX:
        return of_bool(slice_starts(text->folded, p->text));
    case OP_SUFFIX:
        return of_bool(slice_ends(text->folded, p->text));
    case OP_CONTAINS:
        return of_bool(literal_stands_in(text->folded, p->text, test->handle.places));
    default:
        break;
    }
    /* These ops look at the fold alone. */
    return predicate_test_text(p, text->folded, text->folded, judge->regexes);
}

static enum verdict any_value(struct judge *j, const struct event *event, const struct test *test)
{
    enum verdict result = VERDICT_NO;
    const struct value *v = event_value(event, test->field);
    for (; v && result != VERDICT_YES; v = event_next(event, v)) {
        enum verdict one = evaluate_value(j, test, v);
        result = one == VERDICT_NO ? result : one;
    }
    return result;
}

static bool null_or_missing(const struct event *event, uint32_t field)
{
    const struct value *v = event_value(event, field);
    for (; v; v = event_next(event, v)) {
        if (v->kind != VALUE_NULL) {
            return false;
        }
    }
    return true;
}

/* The two values' texts stand in the relation that the op names. */
static bool related(
        struct judge *j, const struct test *t, const struct value *a, const struct value *b)
{
    struct slice x, y;
    if (a->kind == VALUE_NULL || a->kind == VALUE_OBJECT || b->kind == VALUE_NULL ||
            b->kind == VALUE_OBJECT) {
        return false;
    }
    if (t->predicate->cased) {
        x = texts_plain(&j->texts, t->field, a);
        y = texts_plain(&j->texts, t->other, b);
    } else {
        x = texts_folded(&j->texts, t->field, a);
        y = texts_folded(&j->texts, t->other, b);
    }
    switch (t->predicate->op) {
    case OP_FIELD_PREFIX:
        return slice_starts(x, y);
    case OP_FIELD_SUFFIX:
        return slice_ends(x, y);
    case OP_FIELD_CONTAINS:
        return slice_find(x, y) != SIZE_MAX;
    default:
        return slice_equal(x, y);
    }
}

static bool fields_related(struct judge *j, const struct event *event, const struct test *t)
{
    const struct value *a = event_value(event, t->field);
    for (; a; a = event_next(event, a)) {
        const struct value *b = event_value(event, t->other);
        for (; b; b = event_next(event, b)) {
            if (related(j, t, a, b)) {
                return true;
            }
        }
    }
    return false;
}

enum verdict evaluate_run(struct judge *judge, const struct event *event, const struct test *test)
{
    const struct predicate *p = test->predicate;
    if (test->field == FIELD_NONE) {
        return keywords_test(&judge->keywords, event, &judge->texts, p, judge->regexes);
    }
    switch (p->op) {
    case OP_NULL:
        return of_bool(null_or_missing(event, test->field));
    case OP_PRESENT:
        return of_bool(!null_or_missing(event, test->field));
    case OP_EXISTS:
        return of_bool(event_value(event, test->field) != NULL);
    case OP_FIELD_EQUAL:
    case OP_FIELD_PREFIX:
    case OP_FIELD_SUFFIX:
    case OP_FIELD_CONTAINS:
        return of_bool(fields_related(judge, event, test));
    default:
        return any_value(judge, event, test);
    }
}

enum verdict evaluate_test(struct judge *judge, const struct event *event, uint32_t test)
{
    uint32_t *memo = &judge->seat->memo[test];
    enum verdict v = VERDICT_NO;
    if (*memo >> 2 == judge->epoch) {
        if ((*memo & 3) != JUDGE_MAYBE) {
            return (enum verdict)(*memo & 3);
        }
        v = evaluate_run(judge, event, &judge->seat->class->class.tests[test]);
    } else if (!(judge->plan->known[test >> 6] >> (test & 63) & 1)) {
        v = evaluate_run(judge, event, &judge->seat->class->class.tests[test]);
    }
    /* Else it has triggers, none was found: it does not hold. */
    *memo = judge->epoch << 2 | v;
    return v;
}

/* ---- a rule ---- */

static enum verdict combine(const struct step *step, uint32_t yes, uint32_t maybe, uint32_t all)
{
    uint32_t need = step->kind == NODE_AND ? all : step->kind == NODE_OR ? 1 : step->arg;
    if (yes >= need) {
        return VERDICT_YES;
    }
    return yes + maybe >= need ? VERDICT_UNDETERMINED : VERDICT_NO;
}

void evaluate_tree(const struct step *steps, uint32_t count, enum verdict *verdicts)
{
    for (uint32_t i = count; i-- > 0;) {
        uint32_t yes = 0, maybe = 0, all = 0;
        for (uint32_t c = i + 1; c < i + steps[i].size; c += steps[c].size) {
            yes += verdicts[c] == VERDICT_YES;
            maybe += verdicts[c] == VERDICT_UNDETERMINED;
            all++;
        }
        switch (steps[i].kind) {
        case NODE_PREDICATE:
            break;
        case NODE_TRUE:
            verdicts[i] = VERDICT_YES;
            break;
        case NODE_FALSE:
            verdicts[i] = VERDICT_NO;
            break;
        case NODE_NOT:
            verdicts[i] = verdict_not(verdicts[i + 1]);
            break;
        default:
            verdicts[i] = combine(&steps[i], yes, maybe, all);
        }
    }
}

static bool make_room(struct judge *j, uint32_t count)
{
    if (count > j->verdict_room) {
        enum verdict *room = memory_resize(j->verdicts, (size_t)count * sizeof *room);
        if (!room) {
            return false;
        }
        j->verdicts = room;
        j->verdict_room = count;
    }
    return true;
}

const enum verdict *evaluate_steps(
        struct judge *judge, const struct event *event, const struct class_rule *rule)
{
    const struct step *steps = judge->seat->class->class.steps + rule->steps;
    if (!make_room(judge, rule->step_count)) {
        return NULL;
    }
    for (uint32_t i = 0; i < rule->step_count; i++) {
        if (steps[i].kind == NODE_PREDICATE) {
            judge->verdicts[i] = evaluate_test(judge, event, steps[i].arg);
        }
    }
    evaluate_tree(steps, rule->step_count, judge->verdicts);
    return judge->verdicts;
}

static enum verdict whole_tree(
        struct judge *j, const struct event *event, const struct class_rule *rule)
{
    const enum verdict *verdicts = evaluate_steps(j, event, rule);
    return verdicts ? verdicts[0] : VERDICT_UNDETERMINED;
}

enum verdict evaluate_rule(
        struct judge *judge, const struct event *event, const struct class_rule *rule)
{
    if (rule->slow) {
        return whole_tree(judge, event, rule);
    }
    const struct code *codes = judge->seat->class->class.codes;
    const uint32_t *memo = judge->seat->memo, epoch = judge->epoch;
    const uint64_t *known = judge->plan->known;
    uint32_t at = rule->code;
    while (at < CODE_NO) {
        uint32_t test = codes[at].test;
        if (memo[test] >> 2 != epoch && (known[test >> 6] >> (test & 63) & 1)) {
            at = codes[at].no; /* most tests: what they look for was not found */
            continue;
        }
        enum verdict v = evaluate_test(judge, event, test);
        if (v == VERDICT_UNDETERMINED) {
            return whole_tree(judge, event, rule);
        }
        at = v == VERDICT_YES ? codes[at].yes : codes[at].no;
    }
    return at == CODE_YES ? VERDICT_YES : VERDICT_NO;
}
