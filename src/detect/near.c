#include "detect/near.h"

#include "base/memory.h"
#include "detect/evaluate.h"
#include "detect/judge_parts.h"
#include "sigma/tree.h"

enum { MANY = 2 }; /* parts to change: one at most is near */

/* ---- what it takes ----------------------------------------------------------------------------
 */

/* What the children of a step take, each, to come out one way. */
struct sum {
    uint32_t none, one, all; /* children that take nothing, one part; all of them */
    uint32_t total;
};

static struct sum add_up(const struct step *steps, uint32_t i, const uint8_t *take)
{
    struct sum sum = {0};
    for (uint32_t c = i + 1; c < i + steps[i].size; c += steps[c].size) {
        sum.none += take[c] == 0;
        sum.one += take[c] == 1;
        sum.total += take[c];
        sum.all++;
    }
    return sum;
}

/* So many of the children are to come out that way. */
static uint8_t take_some(const struct sum *sum, uint32_t need)
{
    if (sum->none >= need) {
        return 0;
    }
    return sum->none + 1 == need && sum->one > 0 ? 1 : MANY;
}

static uint32_t threshold(const struct step *step, uint32_t all)
{
    return step->kind == NODE_AND ? all : step->kind == NODE_OR ? 1 : step->arg;
}

static void weigh_step(struct near_bench *bench, const struct step *steps, uint32_t i)
{
    if (steps[i].kind == NODE_NOT) {
        bench->make[i] = bench->spoil[i + 1];
        bench->spoil[i] = bench->make[i + 1];
    } else if (steps[i].kind == NODE_TRUE || steps[i].kind == NODE_FALSE) {
        bench->make[i] = steps[i].kind == NODE_TRUE ? 0 : MANY;
        bench->spoil[i] = steps[i].kind == NODE_TRUE ? MANY : 0;
    } else {
        struct sum make = add_up(steps, i, bench->make), spoil = add_up(steps, i, bench->spoil);
        uint32_t need = threshold(&steps[i], make.all);
        bench->make[i] = take_some(&make, need);
        bench->spoil[i] = need > make.all ? 0 : take_some(&spoil, make.all - need + 1);
    }
}

static void weigh(struct near_bench *bench, const struct step *steps, uint32_t count,
        const enum verdict *verdicts)
{
    for (uint32_t i = count; i-- > 0;) {
        if (steps[i].kind != NODE_PREDICATE) {
            weigh_step(bench, steps, i);
        } else if (verdicts[i] == VERDICT_UNDETERMINED) {
            bench->make[i] = bench->spoil[i] = MANY;
        } else {
            bench->make[i] = verdicts[i] == VERDICT_NO;
            bench->spoil[i] = verdicts[i] == VERDICT_YES;
        }
    }
}

/* ---- where it is ------------------------------------------------------------------------------
 */

struct path {
    uint32_t at;       /* a step that one change turns round */
    bool wanted;       /* true is what it must become */
    bool last;         /* nothing narrower can be named */
    uint32_t held;     /* conditions beside the path that need no change */
    uint32_t positive; /* and have a test that holds, and is asked for */
};

/* Some test of the subtree holds; `wanted` as for the path: below a negation what counts is that
 * the subtree is asked for. */
static bool has_evidence(
        const struct step *steps, uint32_t i, const enum verdict *verdicts, bool wanted)
{
    uint32_t end = i + steps[i].size;
    while (i < end) {
        if (steps[i].kind == NODE_NOT || !wanted) {
            i += steps[i].size;
            continue;
        }
        if (steps[i].kind == NODE_PREDICATE && verdicts[i] == VERDICT_YES) {
            return true;
        }
        i++;
    }
    return false;
}

/* From a step to the only child that would turn it round; where several would, it is the part. */
static void go_down(const struct near_bench *bench, const struct step *steps,
        const enum verdict *verdicts, struct path *path)
{
    uint32_t i = path->at, next = 0, choices = 0;
    const uint8_t *take = path->wanted ? bench->make : bench->spoil;
    if (steps[i].kind == NODE_NOT) {
        path->at = i + 1;
        path->wanted = !path->wanted;
        return;
    }
    for (uint32_t c = i + 1; c < i + steps[i].size; c += steps[c].size) {
        choices += take[c] == 1;
        next = take[c] == 1 ? c : next;
    }
    path->last = choices != 1;
    if (path->last) {
        return;
    }
    for (uint32_t c = i + 1; c < i + steps[i].size; c += steps[c].size) {
        if (c != next && take[c] == 0) {
            path->held++;
            path->positive += has_evidence(steps, c, verdicts, path->wanted);
        }
    }
    path->at = next;
}

static struct path find_part(
        const struct near_bench *bench, const struct step *steps, const enum verdict *verdicts)
{
    struct path path = {.wanted = true};
    while (!path.last && steps[path.at].kind != NODE_PREDICATE) {
        go_down(bench, steps, verdicts, &path);
    }
    return path;
}

/* The one field of a subtree's tests. */
static uint32_t field_of(const struct class *class, const struct step *steps, uint32_t at)
{
    uint32_t field = FIELD_NONE;
    for (uint32_t i = at; i < at + steps[at].size; i++) {
        if (steps[i].kind == NODE_PREDICATE) {
            uint32_t one = class->tests[steps[i].arg].field;
            if (one == FIELD_NONE || (field != FIELD_NONE && field != one)) {
                return FIELD_NONE;
            }
            field = one;
        }
    }
    return field;
}

/* The name of the narrowest search identifier around it. */
static struct slice label_of(const struct step *steps, uint32_t count, uint32_t at)
{
    struct slice label = {0};
    for (uint32_t i = 0; i <= at && i < count; i++) {
        if (at < i + steps[i].size && steps[i].origin->label.size > 0) {
            label = steps[i].origin->label;
        }
    }
    return label;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static enum err look_at(struct near_bench *bench, struct judge *judge, const struct event *event,
        const struct class_rule *rule, struct near *near)
{
    const struct class *class = &judge->seat->class->class;
    const struct step *steps = class->steps + rule->steps;
    near->rule = NULL;
    if (rule->step_count > bench->room) {
        uint32_t room = rule->step_count + 256;
        near_fini(bench);
        bench->make = memory_alloc(room);
        bench->spoil = memory_alloc(room);
        bench->room = bench->make && bench->spoil ? room : 0;
        if (!bench->room) {
            return ERR_MEMORY;
        }
    }
    const enum verdict *verdicts = evaluate_steps(judge, event, rule);
    if (!verdicts) {
        return ERR_MEMORY;
    }
    bench->undetermined += verdicts[0] == VERDICT_UNDETERMINED;
    weigh(bench, steps, rule->step_count, verdicts);
    if (verdicts[0] != VERDICT_NO || bench->make[0] != 1) {
        return OK;
    }
    struct path path = find_part(bench, steps, verdicts);
    if (path.positive > 0) {
        *near = (struct near){.rule = rule->rule,
                .held = path.held,
                .excluded = !path.wanted,
                .field = field_of(class, steps, path.at),
                .label = label_of(steps, rule->step_count, path.at),
                .judge = judge,
                .part = steps[path.at].origin};
    }
    return OK;
}

enum err near_event(struct near_bench *bench, struct judge *judge, const struct event *event,
        near_take *take, void *context)
{
    const struct class *class = &judge->seat->class->class;
    for (uint32_t i = 0; i < class->rule_count; i++) {
        struct near near;
        TRY(look_at(bench, judge, event, &class->rules[i], &near));
        if (near.rule) {
            TRY(take(context, &near));
        }
    }
    return OK;
}

void near_fini(struct near_bench *bench)
{
    memory_free(bench->make);
    memory_free(bench->spoil);
    bench->make = bench->spoil = NULL;
    bench->room = 0;
}

void near_part(const struct near *near, struct buf *out)
{
    const struct engine *engine = near->judge->engine;
    tree_write(near->part, engine->set->predicates, engine->fields, out);
}

struct slice near_field(const struct near *near)
{
    struct slice name = near->field == FIELD_NONE
                                ? (struct slice){0}
                                : field_name(near->judge->engine->fields, near->field);
    return name.size > 0 && name.at[0] == '\x02' ? SLICE("mapped value") : name;
}

void near_value(const struct near *near, const struct event *event, struct buf *out)
{
    const struct value *v = near->field == FIELD_NONE ? NULL : event_value(event, near->field);
    for (bool first = true; v; v = event_next(event, v), first = false) {
        buf_add(out, first ? SLICE("") : SLICE(", "));
        if (v->kind == VALUE_NULL || v->kind == VALUE_OBJECT) {
            buf_add(out, v->kind == VALUE_NULL ? SLICE("null") : SLICE("{...}"));
        } else {
            buf_add(out, texts_plain(&near->judge->texts, near->field, v));
        }
    }
}
