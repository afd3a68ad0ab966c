#include "detect/reach_set.h"

#include "base/memory.h"
#include "detect/survey_parts.h"
#include "sigma/correlation.h"

static bool can(const struct reach *all, const struct correlation *c, uint32_t part)
{
    const struct rule *rule = c->parts[part].rule;
    return rule && all[rule->number].why == REACH_CAN;
}

/* May the expression hold, where any of the parts that can fire may be there or not? */
static bool may_hold(const struct reach *all, const struct correlation *c)
{
    bool stack[CORRELATION_STEPS];
    uint32_t depth = 0;
    for (uint32_t i = 0; i < c->step_count; i++) {
        const struct correlation_step *step = &c->steps[i];
        uint32_t operands = step->kind == STEP_PART ? 0 : step->arg, yes = 0;
        depth -= operands;
        for (uint32_t k = 0; k < operands; k++) {
            yes += stack[depth + k];
        }
        bool holds = step->kind == STEP_PART  ? can(all, c, step->arg)
                     : step->kind == STEP_AND ? yes == operands
                     : step->kind == STEP_OR  ? yes > 0
                     : step->kind == STEP_NOT ? true
                                              : yes >= step->threshold;
        stack[depth++] = holds && step->kind != STEP_NEVER;
    }
    return depth > 0 && stack[0];
}

/* May so many different rules be there? */
static bool may_count(const struct correlation *c, uint32_t able)
{
    for (uint32_t n = 0; n <= able; n++) {
        if (correlation_within(c, n)) {
            return true;
        }
    }
    return false;
}

static bool may_fire(const struct reach *all, const struct correlation *c, uint32_t able)
{
    if (able == 0) {
        return false; /* it is asked only when one of its rules matches */
    }
    if (c->type == CORRELATION_TEMPORAL && c->step_count > 0) {
        return may_hold(all, c);
    }
    bool temporal = c->type == CORRELATION_TEMPORAL || c->type == CORRELATION_TEMPORAL_ORDERED;
    return !temporal || may_count(c, able);
}

static void judge(struct reach *all, const struct rule *rule)
{
    const struct correlation *c = rule->correlation;
    struct reach *out = &all[rule->number];
    uint32_t able = 0;
    *out = (struct reach){.why = REACH_PARTS};
    for (uint32_t i = 0; i < c->part_count; i++) {
        const struct rule *part = c->parts[i].rule;
        out->events += part ? all[part->number].events : 0;
        if (can(all, c, i)) {
            able++;
        } else if (out->fault_count == REACH_FAULTS) {
            out->more = true;
        } else {
            out->faults[out->fault_count++] =
                    (struct reach_fault){.kind = REACH_PART, .field = c->parts[i].reference};
        }
    }
    if (may_fire(all, c, able)) {
        out->why = REACH_CAN;
        out->fault_count = 0;
        out->more = false;
    }
}

enum err reach_set(const struct survey *survey, struct reach **out)
{
    const struct ruleset *set = survey->engine->set;
    struct reach *all = memory_alloc_array((size_t)set->rule_count + 1, sizeof *all);
    if (!all) {
        return ERR_MEMORY;
    }
    for (uint32_t r = 0; r < set->rule_count; r++) {
        enum err e = set->rules[r]->correlation ? OK : reach_rule(survey, r, &all[r]);
        if (e != OK) {
            memory_free(all);
            return e;
        }
        if (set->rules[r]->correlation) {
            all[r].why = REACH_PARTS;
        }
    }
    /* Correlations of correlations: each round settles one more of a chain. */
    for (int round = 0; round < CORRELATION_CHAIN; round++) {
        for (uint32_t r = 0; r < set->rule_count; r++) {
            if (set->rules[r]->correlation) {
                judge(all, set->rules[r]);
            }
        }
    }
    *out = all;
    return OK;
}
