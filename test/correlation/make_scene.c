#include "correlation/make_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_S 1700000000
#define FAR_S 4070908800 /* 2099-01-01 */

static const char *const words[] = {"a", "A", "b", "c", "B", ""};
static const char *const numbers[] = {
        "1", "2", "2.5", "-3", "0.1", "1e3", "x", "7", "9007199254740993", "0.2", "-0", "1e999"};
static const char *const type_names[ORACLE_TYPES] = {"event_count", "value_count", "temporal",
        "temporal_ordered", "value_sum", "value_avg", "value_percentile", "value_median"};
static const char *const op_names[ORACLE_OPS] = {"gt", "gte", "lt", "lte", "eq", "neq"};

/* ---- rules --------------------------------------------------------------------------------- */

static bool is_temporal(const struct oracle_rule *r)
{
    return r->type == ORACLE_TEMPORAL || r->type == ORACLE_ORDERED;
}

static void make_parts(struct dice *d, struct oracle_rule *r, uint32_t rules)
{
    uint32_t wanted = 1 + dice_below(d, ORACLE_PARTS);
    for (uint32_t i = 0; i < wanted; i++) {
        /* Late rules are correlations: chains. */
        uint32_t rule = dice_below(d, rules);
        bool fresh = true;
        for (uint32_t k = 0; k < r->part_count; k++) {
            fresh = fresh && r->parts[k] != rule;
        }
        if (fresh) {
            r->parts[r->part_count++] = rule;
        }
    }
}

/* A field of the events, or now and then an alias or a name of nothing. */
static void make_name(struct dice *d, bool number, char *name)
{
    if (dice_one_in(d, 4)) {
        snprintf(name, 8, "x%u", dice_below(d, 2));
    } else {
        snprintf(name, 8, "f%u", number ? 3 + dice_below(d, 2) : dice_below(d, 4));
    }
}

static bool has_name(const struct oracle_rule *r, uint32_t from, uint32_t count, const char *name)
{
    for (uint32_t i = from; i < count; i++) {
        if (strcmp(r->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void make_names(struct dice *d, struct oracle_rule *r)
{
    uint32_t groups = dice_below(d, 3);
    bool values = r->type >= ORACLE_SUM;
    uint32_t fields = values ? 1 : r->type == ORACLE_DISTINCT ? 1 + dice_below(d, 2) : 0;
    while (r->group_count < groups) {
        make_name(d, false, r->names[r->group_count]);
        if (has_name(r, 0, r->group_count, r->names[r->group_count])) {
            groups--;
        } else {
            r->group_count++;
        }
    }
    while (r->field_count < fields) {
        uint32_t at = r->group_count + r->field_count;
        make_name(d, values, r->names[at]);
        if (has_name(r, r->group_count, at, r->names[at])) {
            fields--;
        } else {
            r->field_count++;
        }
    }
}

static void make_aliases(struct dice *d, struct oracle_rule *r)
{
    for (uint32_t name = 0; name < 2; name++) {
        for (uint32_t p = 0; p < r->part_count && r->alias_count < 4; p++) {
            if (dice_one_in(d, 3)) {
                continue;
            }
            struct oracle_alias *a = &r->aliases[r->alias_count++];
            snprintf(a->name, sizeof a->name, "x%u", name);
            /* Of a correlation an alias may lead to an alias. */
            snprintf(a->field, sizeof a->field, dice_one_in(d, 6) ? "x%u" : "f%u",
                    dice_below(d, ORACLE_FIELDS) % (dice_one_in(d, 2) ? 2 : ORACLE_FIELDS));
            a->part = p;
        }
    }
}

static void make_bounds(struct dice *d, struct oracle_rule *r)
{
    if (is_temporal(r) && dice_one_in(d, 3)) {
        return; /* the default */
    }
    r->bound_count = 1 + dice_one_in(d, 5);
    for (uint32_t i = 0; i < r->bound_count; i++) {
        bool plain = dice_below(d, 3) > 0;
        r->ops[i] = plain ? ORACLE_GTE : (enum oracle_op)dice_below(d, ORACLE_OPS);
        r->numbers[i] = 1 + dice_below(d, 4);
        if (r->type >= ORACLE_SUM) {
            static const double some[] = {0, 1, 2.5, 3, 10, 0.3, -1, 1000};
            r->numbers[i] = some[dice_below(d, 8)];
        }
    }
    if (r->bound_count == 2 && r->ops[0] == r->ops[1]) {
        r->bound_count = 1;
    }
}

/* Of all parts, in some order, with not before some. */
static void make_expression(struct dice *d, struct oracle_rule *r)
{
    if (!is_temporal(r) || r->bound_count || dice_one_in(d, 2)) {
        return;
    }
    bool ordered = r->type == ORACLE_ORDERED;
    for (uint32_t p = 0; p < r->part_count; p++) {
        r->tokens[r->token_count++] = (char)p;
        if (!ordered && p == 1 && dice_one_in(d, 3)) {
            r->tokens[r->token_count++] = '!';
        }
        if (p > 0) {
            r->tokens[r->token_count++] = ordered || dice_one_in(d, 2) ? '&' : '|';
        }
    }
}

static void make_rule(struct dice *d, struct oracle_scene *s)
{
    struct oracle_rule *r = &s->rules[s->rule_count];
    *r = (struct oracle_rule){.type = (enum oracle_type)dice_below(d, ORACLE_TYPES),
            .generate = dice_one_in(d, 2),
            .span_s = 1 + dice_below(d, dice_one_in(d, 4) ? 40 : 8)};
    make_parts(d, r, s->rule_count);
    make_names(d, r);
    if (dice_one_in(d, 2)) {
        make_aliases(d, r);
    }
    make_bounds(d, r);
    make_expression(d, r);
    r->percentile = r->type == ORACLE_PERCENTILE ? dice_below(d, 9) * 12.5 : 50;
    s->rule_count++;
}

/* ---- events -------------------------------------------------------------------------------- */

static void make_values(struct dice *d, struct oracle_event *e)
{
    for (uint32_t f = 0; f < ORACLE_FIELDS; f++) {
        e->value_count[f] = dice_one_in(d, 8) ? 0 : dice_one_in(d, 12) ? 2 : 1;
        for (uint32_t i = 0; i < e->value_count[f]; i++) {
            e->values[f][i] = f < 3 ? words[dice_below(d, dice_one_in(d, 2) ? 6 : 2)]
                                    : numbers[dice_below(d, 12)];
        }
    }
}

static int by_place(const void *a, const void *b)
{
    const struct oracle_event *x = a, *y = b;
    if (x->time_ns != y->time_ns) {
        return x->time_ns < y->time_ns ? -1 : 1;
    }
    if (x->file != y->file) {
        return x->file < y->file ? -1 : 1;
    }
    return x->record < y->record ? -1 : x->record > y->record;
}

static void make_events(struct dice *d, struct oracle_scene *s, uint32_t bases)
{
    uint64_t records[3] = {0};
    int64_t now = START_S;
    uint32_t far = dice_one_in(d, 3) ? 6 : 1000;
    s->event_count = 1 + dice_below(d, MAKE_EVENTS);
    for (uint32_t i = 0; i < s->event_count; i++) {
        struct oracle_event *e = &s->events[i];
        *e = (struct oracle_event){.file = dice_below(d, 3)};
        e->record = records[e->file] += 1 + dice_below(d, 2);
        now += dice_below(d, 3) ? 0 : dice_below(d, dice_one_in(d, 9) ? 30 : 4);
        e->time_ns = (dice_one_in(d, far) ? FAR_S + dice_below(d, 5) : now) * 1000000000 +
                     (dice_one_in(d, 9) ? dice_below(d, 3) : 0);
        if (dice_one_in(d, 40)) {
            e->time_ns = -e->time_ns;
        }
        e->matched = dice_below(d, 1u << bases);
        make_values(d, e);
    }
    qsort(s->events, s->event_count, sizeof *s->events, by_place);
}

void make_scene(struct dice *d, struct oracle_scene *s)
{
    uint32_t bases = 1 + dice_below(d, 4);
    uint32_t correlations = 1 + dice_below(d, 5);
    s->rule_count = 0;
    for (uint32_t i = 0; i < bases; i++) {
        s->rules[s->rule_count++] = (struct oracle_rule){.base = true};
    }
    for (uint32_t i = 0; i < correlations; i++) {
        make_rule(d, s);
    }
    make_events(d, s, bases);
}

/* ---- as a rule file ------------------------------------------------------------------------ */

static void write_names(const struct oracle_rule *r, uint32_t from, uint32_t count, struct buf *out)
{
    buf_byte(out, '[');
    for (uint32_t i = from; i < from + count; i++) {
        buf_format(out, i == from ? "%s" : ", %s", r->names[i]);
    }
    buf_add(out, SLICE("]\n"));
}

/* Postfix to infix, every operator in brackets. */
static void write_expression(const struct oracle_rule *r, struct buf *out)
{
    char stack[ORACLE_TOKENS][256];
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->token_count; i++) {
        char t = r->tokens[i], text[256];
        if (t == '!') {
            snprintf(text, sizeof text, "not %.200s", stack[--n]);
        } else if (t == '&' || t == '|') {
            n -= 2;
            snprintf(text, sizeof text, "(%.120s %s %.120s)", stack[n], t == '&' ? "and" : "or",
                    stack[n + 1]);
        } else {
            snprintf(text, sizeof text, "r%u", r->parts[(int)t]);
        }
        memcpy(stack[n++], text, sizeof text);
    }
    buf_format(out, "  condition: %s\n", stack[0]);
}

static void write_condition(const struct oracle_rule *r, struct buf *out)
{
    if (r->token_count) {
        write_expression(r, out);
        return;
    }
    if (r->bound_count == 0) {
        return;
    }
    buf_add(out, SLICE("  condition:\n"));
    for (uint32_t i = 0; i < r->bound_count; i++) {
        buf_format(out, "    %s: %.17g\n", op_names[r->ops[i]], r->numbers[i]);
    }
    if (r->field_count) {
        buf_add(out, SLICE("    field: "));
        write_names(r, r->group_count, r->field_count, out);
    }
    if (r->type == ORACLE_PERCENTILE) {
        buf_format(out, "    percentile: %.17g\n", r->percentile);
    }
}

static void write_aliases(const struct oracle_rule *r, struct buf *out)
{
    const char *last = "";
    if (r->alias_count) {
        buf_add(out, SLICE("  aliases:\n"));
    }
    for (uint32_t i = 0; i < r->alias_count; i++) {
        const struct oracle_alias *a = &r->aliases[i];
        if (strcmp(last, a->name) != 0) {
            buf_format(out, "    %s:\n", a->name);
            last = a->name;
        }
        buf_format(out, "      r%u: %s\n", r->parts[a->part], a->field);
    }
}

static void write_correlation(const struct oracle_rule *r, struct buf *out)
{
    buf_format(out, "correlation:\n  type: %s\n  timespan: %llds\n", type_names[r->type],
            (long long)r->span_s);
    buf_add(out, SLICE("  rules: ["));
    for (uint32_t p = 0; p < r->part_count; p++) {
        buf_format(out, p ? ", r%u" : "r%u", r->parts[p]);
    }
    buf_add(out, SLICE("]\n"));
    if (r->group_count) {
        buf_add(out, SLICE("  group-by: "));
        write_names(r, 0, r->group_count, out);
    }
    write_condition(r, out);
    write_aliases(r, out);
    buf_add(out, r->generate ? SLICE("  generate: true\n") : SLICE(""));
}

void make_scene_yaml(const struct oracle_scene *s, struct buf *out)
{
    for (uint32_t i = 0; i < s->rule_count; i++) {
        buf_format(out, "---\ntitle: t%u\nname: r%u\n", i, i);
        if (s->rules[i].base) {
            buf_format(out,
                    "logsource: {category: test}\n"
                    "detection: {s: {rule: %u}, condition: s}\n",
                    i);
        } else {
            write_correlation(&s->rules[i], out);
        }
    }
}
