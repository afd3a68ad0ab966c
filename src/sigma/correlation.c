#include "sigma/correlation.h"

#include "sigma/rule.h"

static const struct slice types[CORRELATION_TYPES] = {
        [CORRELATION_EVENT_COUNT] = {"event_count", 11},
        [CORRELATION_VALUE_COUNT] = {"value_count", 11},
        [CORRELATION_TEMPORAL] = {"temporal", 8},
        [CORRELATION_TEMPORAL_ORDERED] = {"temporal_ordered", 16},
        [CORRELATION_VALUE_SUM] = {"value_sum", 9},
        [CORRELATION_VALUE_AVG] = {"value_avg", 9},
        [CORRELATION_VALUE_PERCENTILE] = {"value_percentile", 16},
        [CORRELATION_VALUE_MEDIAN] = {"value_median", 12},
};

static const struct slice ops[CORRELATION_OPS] = {
        [CORRELATION_GT] = {"gt", 2},
        [CORRELATION_GTE] = {"gte", 3},
        [CORRELATION_LT] = {"lt", 2},
        [CORRELATION_LTE] = {"lte", 3},
        [CORRELATION_EQ] = {"eq", 2},
        [CORRELATION_NEQ] = {"neq", 3},
};

struct slice correlation_type_name(enum correlation_type type)
{
    return types[type];
}

struct slice correlation_op_name(enum correlation_op op)
{
    return ops[op];
}

static bool satisfies(const struct correlation_bound *bound, double value)
{
    switch (bound->op) {
    case CORRELATION_GT:
        return value > bound->number;
    case CORRELATION_GTE:
        return value >= bound->number;
    case CORRELATION_LT:
        return value < bound->number;
    case CORRELATION_LTE:
        return value <= bound->number;
    case CORRELATION_EQ:
        return value == bound->number;
    default:
        return value != bound->number;
    }
}

bool correlation_within(const struct correlation *c, double value)
{
    for (uint32_t i = 0; i < c->bound_count; i++) {
        if (!satisfies(&c->bounds[i], value)) {
            return false;
        }
    }
    return true;
}

static bool step_holds(
        const struct correlation_step *step, const uint64_t *parts, const bool *operands)
{
    uint32_t yes = 0;
    if (step->kind == STEP_PART) {
        return parts[step->arg >> 6] >> (step->arg & 63) & 1;
    }
    for (uint32_t i = 0; i < step->arg; i++) {
        yes += operands[i];
    }
    switch (step->kind) {
    case STEP_AND:
        return yes == step->arg;
    case STEP_OR:
        return yes > 0;
    case STEP_NOT:
        return yes == 0;
    case STEP_AT_LEAST:
        return yes >= step->threshold;
    default:
        return false;
    }
}

bool correlation_holds(const struct correlation *c, const uint64_t *parts)
{
    bool stack[CORRELATION_STEPS];
    uint32_t depth = 0;
    for (uint32_t i = 0; i < c->step_count; i++) {
        const struct correlation_step *step = &c->steps[i];
        uint32_t operands = step->kind == STEP_PART ? 0 : step->arg;
        depth -= operands;
        stack[depth] = step_holds(step, parts, stack + depth);
        depth++;
    }
    return depth > 0 && stack[0];
}

uint32_t correlation_field(const struct correlation *c, uint32_t part, uint32_t name_id)
{
    for (uint32_t i = 0; i < c->alias_count; i++) {
        if (c->aliases[i].part == part && c->aliases[i].name_id == name_id) {
            return c->aliases[i].field_id;
        }
    }
    return name_id;
}

static void write_list(struct buf *out, const char *before, const struct slice *names, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        buf_add(out, i == 0 ? slice_text(before) : SLICE(", "));
        buf_add(out, names[i]);
    }
}

void correlation_write(const struct correlation *c, struct buf *out)
{
    buf_add(out, correlation_type_name(c->type));
    if (c->type == CORRELATION_VALUE_PERCENTILE) {
        buf_format(out, " %.17g", c->percentile);
    }
    write_list(out, " of ", c->names + c->group_count, c->field_count);
    for (uint32_t i = 0; i < c->bound_count; i++) {
        buf_byte(out, ' ');
        buf_add(out, correlation_op_name(c->bounds[i].op));
        buf_format(out, " %.17g", c->bounds[i].number);
    }
    buf_add(out, SLICE(" within "));
    buf_add(out, c->timespan);
    write_list(out, " by ", c->names, c->group_count);
    for (uint32_t i = 0; i < c->part_count; i++) {
        buf_add(out, i == 0 ? SLICE(" over '") : SLICE(", '"));
        buf_add(out, c->parts[i].rule->title);
        buf_byte(out, '\'');
    }
}
