#include "sigma/correlation_read.h"

#include <math.h>

#include "base/time.h"
#include "sigma/correlation_steps.h"

static bool is_scalar(const struct yaml_node *node)
{
    return node && node->kind != YAML_LIST && node->kind != YAML_MAP && node->kind != YAML_NULL;
}

static enum err copy(struct maker *m, struct slice text, struct slice *out)
{
    *out = arena_copy(&m->arena, text);
    return out->at ? OK : maker_no_memory(m);
}

/* ---- texts and lists of texts -------------------------------------------------------------- */

/* A text, or a list of texts that differ: at least one, at most `most`. */
static enum err read_texts(struct maker *m, const struct yaml_node *node, const char *what,
        uint32_t most, struct slice *texts)
{
    bool list = node->kind == YAML_LIST;
    uint32_t n = 0;
    if (list && node->count == 0) {
        return maker_fail(m, node, ERR_SYNTAX, "correlation: %s is empty", what);
    }
    for (const struct yaml_node *v = list ? node->first : node; v; v = list ? v->next : NULL) {
        if (!is_scalar(v) || v->text.size == 0) {
            return maker_fail(m, v, ERR_SYNTAX, "correlation: %s is not a text", what);
        }
        if (n == most) {
            return maker_fail(
                    m, v, ERR_LIMIT, "correlation: %s has more than the limit of %u", what, most);
        }
        for (uint32_t i = 0; i < n; i++) {
            if (slice_equal(texts[i], v->text)) {
                return maker_fail(m, v, ERR_SYNTAX, "correlation: %s names '%.*s' twice", what,
                        SLICE_ARG(v->text));
            }
        }
        texts[n++] = v->text;
    }
    return OK;
}

static uint32_t text_count(const struct yaml_node *node)
{
    return !node ? 0 : node->kind == YAML_LIST ? node->count : 1;
}

static enum err copy_texts(struct maker *m, const struct slice *from, uint32_t n, struct slice *to)
{
    for (uint32_t i = 0; i < n; i++) {
        TRY(copy(m, from[i], &to[i]));
    }
    return OK;
}

/* ---- type, timespan, numbers --------------------------------------------------------------- */

static enum err read_type(struct maker *m, const struct yaml_node *section, struct correlation *c)
{
    const struct yaml_node *type = yaml_get(section, SLICE("type"));
    if (!is_scalar(type)) {
        return maker_fail(m, type ? type : section, ERR_SYNTAX, "correlation: no type");
    }
    for (int i = 0; i < CORRELATION_TYPES; i++) {
        if (slice_equal_nocase(type->text, correlation_type_name((enum correlation_type)i))) {
            c->type = (enum correlation_type)i;
            return OK;
        }
    }
    return maker_fail(
            m, type, ERR_UNSUPPORTED, "correlation: unknown type '%.*s'", SLICE_ARG(type->text));
}

static int64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 604800;
    case 'M': /* a twelfth of a year */
        return 2629746;
    case 'y': /* 365.2425 days, the mean of the Gregorian calendar */
        return 31556952;
    default:
        return 0;
    }
}

/* A whole number and one letter: "90m". */
static enum err read_timespan(
        struct maker *m, const struct yaml_node *section, struct correlation *c)
{
    const struct yaml_node *node = yaml_get(section, SLICE("timespan"));
    const int64_t most = CORRELATION_YEARS * (int64_t)31556952;
    if (!is_scalar(node)) {
        return maker_fail(m, node ? node : section, ERR_SYNTAX, "correlation: no timespan");
    }
    struct slice text = node->text;
    int64_t n = 0, unit = text.size > 1 ? unit_seconds(text.at[text.size - 1]) : 0;
    for (size_t i = 0; unit && i + 1 < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            unit = 0;
        } else if (n <= most) {
            n = n * 10 + (text.at[i] - '0');
        }
    }
    if (unit == 0 || n == 0) {
        return maker_fail(m, node, ERR_SYNTAX,
                "correlation: timespan '%.*s' is not a number from 1 and one of s, m, h, d, w, M, "
                "y",
                SLICE_ARG(text));
    }
    if (n > most / unit) {
        return maker_fail(m, node, ERR_LIMIT,
                "correlation: timespan '%.*s' is over the limit of %d years", SLICE_ARG(text),
                (int)CORRELATION_YEARS);
    }
    c->timespan_ns = n * unit * TIME_SECOND;
    return copy(m, text, &c->timespan);
}

static enum err read_number(
        struct maker *m, const struct yaml_node *node, const char *what, double *out)
{
    bool whole;
    int64_t integer;
    double number = node->number;
    bool good = node->kind == YAML_INT || node->kind == YAML_FLOAT;
    if (node->kind == YAML_STRING) {
        good = predicate_parse_number(node->text, &number, &whole, &integer);
    }
    if (!good || !isfinite(number)) {
        return maker_fail(m, node, ERR_SYNTAX, "correlation: %s '%.*s' is no number", what,
                SLICE_ARG(node->text));
    }
    *out = number;
    return OK;
}

/* ---- the rules ----------------------------------------------------------------------------- */

static bool is_temporal(const struct correlation *c)
{
    return c->type == CORRELATION_TEMPORAL || c->type == CORRELATION_TEMPORAL_ORDERED;
}

static enum err add_parts(struct maker *m, const struct yaml_node *rules, struct correlation *c)
{
    bool ordered = c->type == CORRELATION_TEMPORAL_ORDERED;
    uint32_t most = ordered ? CORRELATION_ORDERED : CORRELATION_RULES;
    struct slice texts[CORRELATION_RULES];
    TRY(read_texts(m, rules, "rules", most, texts));
    c->part_count = text_count(rules);
    c->parts = ARENA_ARRAY(&m->arena, struct correlation_part, c->part_count);
    if (!c->parts) {
        return maker_no_memory(m);
    }
    const struct yaml_node *node = rules->kind == YAML_LIST ? rules->first : rules;
    for (uint32_t i = 0; i < c->part_count; i++, node = node->next) {
        TRY(copy(m, texts[i], &c->parts[i].reference));
        c->parts[i].line = node->line;
        c->parts[i].column = node->column;
    }
    return OK;
}

/* Without a list of rules the expression says which they are. */
static enum err read_rules(struct maker *m, const struct yaml_node *section, struct correlation *c)
{
    const struct yaml_node *rules = yaml_get(section, SLICE("rules"));
    const struct yaml_node *condition = yaml_get(section, SLICE("condition"));
    if (rules && rules->kind != YAML_NULL) {
        return add_parts(m, rules, c);
    }
    if (is_temporal(c) && is_scalar(condition)) {
        return correlation_steps_parts(m, condition, c);
    }
    return maker_fail(m, rules ? rules : section, ERR_SYNTAX, "correlation: no rules");
}

/* ---- names: group-by and the condition's field --------------------------------------------- */

static bool needs_field(const struct correlation *c)
{
    return c->type == CORRELATION_VALUE_COUNT || c->type >= CORRELATION_VALUE_SUM;
}

static enum err check_field(struct maker *m, const struct yaml_node *condition,
        const struct yaml_node *field, const struct correlation *c)
{
    struct slice type = correlation_type_name(c->type);
    if (needs_field(c) && !field) {
        return maker_fail(
                m, condition, ERR_SYNTAX, "correlation: %.*s needs a field", SLICE_ARG(type));
    }
    if (!needs_field(c) && field) {
        return maker_fail(m, field, ERR_SYNTAX, "correlation: %.*s has no field", SLICE_ARG(type));
    }
    if (c->type >= CORRELATION_VALUE_SUM && field->kind == YAML_LIST && field->count > 1) {
        return maker_fail(m, field, ERR_SYNTAX, "correlation: %.*s has one field, not a list",
                SLICE_ARG(type));
    }
    return OK;
}

static enum err read_names(struct maker *m, const struct yaml_node *section, struct correlation *c)
{
    const struct yaml_node *group = yaml_get(section, SLICE("group-by"));
    const struct yaml_node *condition = yaml_get(section, SLICE("condition"));
    const struct yaml_node *field = yaml_get(condition, SLICE("field"));
    struct slice texts[CORRELATION_GROUPS + CORRELATION_FIELDS];
    TRY(check_field(m, condition ? condition : section, field, c));
    if (group && group->kind != YAML_NULL) {
        TRY(read_texts(m, group, "group-by", CORRELATION_GROUPS, texts));
        c->group_count = text_count(group);
    }
    if (field) {
        TRY(read_texts(m, field, "field", CORRELATION_FIELDS, texts + c->group_count));
        c->field_count = text_count(field);
    }
    uint32_t count = c->group_count + c->field_count;
    struct slice *names = ARENA_ARRAY(&m->arena, struct slice, count);
    if (!names) {
        return maker_no_memory(m);
    }
    c->names = names;
    return copy_texts(m, texts, count, names);
}

/* ---- the condition ------------------------------------------------------------------------- */

static enum err read_percentile(
        struct maker *m, const struct yaml_node *node, struct correlation *c)
{
    if (c->type != CORRELATION_VALUE_PERCENTILE) {
        return maker_fail(m, node, ERR_SYNTAX, "correlation: %.*s has no percentile",
                SLICE_ARG(correlation_type_name(c->type)));
    }
    TRY(read_number(m, node, "percentile", &c->percentile));
    if (c->percentile < 0 || c->percentile > 100) {
        return maker_fail(m, node, ERR_SYNTAX, "correlation: percentile '%.*s' is not in 0 to 100",
                SLICE_ARG(node->text));
    }
    return OK;
}

static bool find_op(struct slice key, enum correlation_op *op)
{
    for (int i = 0; i < CORRELATION_OPS; i++) {
        if (slice_equal(key, correlation_op_name((enum correlation_op)i))) {
            *op = (enum correlation_op)i;
            return true;
        }
    }
    return false;
}

static enum err read_bounds(struct maker *m, const struct yaml_node *map, struct correlation *c)
{
    for (const struct yaml_node *v = map->first; v; v = v->next) {
        struct slice key = v->key->text;
        struct correlation_bound *bound = &c->bounds[c->bound_count];
        if (find_op(key, &bound->op)) {
            TRY(read_number(m, v, "threshold", &bound->number));
            c->bound_count++;
        } else if (slice_equal(key, SLICE("percentile"))) {
            TRY(read_percentile(m, v, c));
        } else if (!slice_equal(key, SLICE("field"))) {
            return maker_fail(m, v->key, ERR_UNSUPPORTED,
                    "correlation: unknown key '%.*s' in the condition", SLICE_ARG(key));
        }
    }
    if (c->bound_count == 0) {
        return maker_fail(m, map, ERR_SYNTAX,
                "correlation: the condition has none of gt, gte, lt, lte, eq, neq");
    }
    return OK;
}

static enum err read_condition(
        struct maker *m, const struct yaml_node *section, struct correlation *c)
{
    const struct yaml_node *condition = yaml_get(section, SLICE("condition"));
    c->percentile = 50; /* the median, unless the condition says which */
    if (condition && condition->kind == YAML_MAP) {
        return read_bounds(m, condition, c);
    }
    if (!is_temporal(c)) {
        return maker_fail(m, condition ? condition : section, ERR_SYNTAX,
                "correlation: no condition, or not a map");
    }
    if (is_scalar(condition)) {
        return correlation_steps_read(m, condition, c);
    }
    if (condition && condition->kind != YAML_NULL) {
        return maker_fail(m, condition, ERR_SYNTAX, "correlation: condition is a list");
    }
    c->bounds[c->bound_count++] = (struct correlation_bound){CORRELATION_GTE, c->part_count};
    return OK;
}

/* ---- aliases, generate --------------------------------------------------------------------- */

static enum err read_alias(
        struct maker *m, const struct yaml_node *map, struct correlation *c, uint32_t *count)
{
    if (map->kind != YAML_MAP || map->count == 0) {
        return maker_fail(m, map, ERR_SYNTAX,
                "correlation: alias '%.*s' is not a map of rules to fields",
                SLICE_ARG(map->key->text));
    }
    for (const struct yaml_node *v = map->first; v; v = v->next) {
        struct correlation_alias *alias = &c->aliases[(*count)++];
        if (!is_scalar(v) || v->text.size == 0) {
            return maker_fail(m, v, ERR_SYNTAX, "correlation: alias '%.*s': no field",
                    SLICE_ARG(map->key->text));
        }
        alias->line = v->key->line;
        alias->column = v->key->column;
        TRY(copy(m, map->key->text, &alias->name));
        TRY(copy(m, v->key->text, &alias->reference));
        TRY(copy(m, v->text, &alias->field));
    }
    return OK;
}

static enum err read_aliases(
        struct maker *m, const struct yaml_node *section, struct correlation *c)
{
    const struct yaml_node *aliases = yaml_get(section, SLICE("aliases"));
    uint32_t total = 0, count = 0;
    if (!aliases || aliases->kind == YAML_NULL) {
        return OK;
    }
    if (aliases->kind != YAML_MAP) {
        return maker_fail(m, aliases, ERR_SYNTAX, "correlation: aliases is not a map");
    }
    for (const struct yaml_node *v = aliases->first; v; v = v->next) {
        total += v->count;
        if (total > CORRELATION_ALIASES) {
            return maker_fail(m, v, ERR_LIMIT, "correlation: more aliases than the limit of %d",
                    (int)CORRELATION_ALIASES);
        }
    }
    c->aliases = ARENA_ARRAY(&m->arena, struct correlation_alias, total);
    if (!c->aliases) {
        return maker_no_memory(m);
    }
    for (const struct yaml_node *v = aliases->first; v; v = v->next) {
        TRY(read_alias(m, v, c, &count));
    }
    c->alias_count = count;
    return OK;
}

/* The specification has it beside the section, the reference implementation in it. */
static enum err read_generate(struct maker *m, const struct yaml_node *root,
        const struct yaml_node *section, struct correlation *c)
{
    const struct yaml_node *inner = yaml_get(section, SLICE("generate"));
    const struct yaml_node *outer = yaml_get(root, SLICE("generate"));
    const struct yaml_node *both[] = {inner, outer};
    for (int i = 0; i < 2; i++) {
        if (both[i] && both[i]->kind != YAML_BOOL) {
            return maker_fail(m, both[i], ERR_SYNTAX, "correlation: generate is not true or false");
        }
    }
    if (inner && outer && inner->integer != outer->integer) {
        return maker_fail(m, inner, ERR_SYNTAX, "correlation: generate is both true and false");
    }
    c->generate = (inner && inner->integer) || (outer && outer->integer);
    return OK;
}

/* ---- the section --------------------------------------------------------------------------- */

static enum err check_keys(struct maker *m, const struct yaml_node *section)
{
    static const struct slice known[] = {{"type", 4}, {"rules", 5}, {"group-by", 8},
            {"timespan", 8}, {"condition", 9}, {"aliases", 7}, {"generate", 8}, {"window", 6}};
    for (const struct yaml_node *v = section->first; v; v = v->next) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            found = found || slice_equal(v->key->text, known[i]);
        }
        if (!found) {
            return maker_fail(m, v->key, ERR_UNSUPPORTED, "correlation: unknown key '%.*s'",
                    SLICE_ARG(v->key->text));
        }
    }
    /* No word of the specification's, but some rules say what is the case anyway. */
    const struct yaml_node *window = yaml_get(section, SLICE("window"));
    if (window && !slice_equal(window->text, SLICE("sliding"))) {
        return maker_fail(m, window, ERR_UNSUPPORTED, "correlation: window '%.*s' is not sliding",
                SLICE_ARG(window->text));
    }
    return OK;
}

enum err correlation_read(struct maker *m, const struct yaml_node *root, struct correlation **out)
{
    const struct yaml_node *section = yaml_get(root, SLICE("correlation"));
    struct correlation *c = ARENA_NEW(&m->arena, struct correlation);
    if (!c) {
        return maker_no_memory(m);
    }
    if (section->kind != YAML_MAP) {
        return maker_fail(m, section, ERR_SYNTAX, "correlation is not a map");
    }
    TRY(check_keys(m, section));
    TRY(read_type(m, section, c));
    TRY(read_rules(m, section, c));
    TRY(read_timespan(m, section, c));
    TRY(read_names(m, section, c));
    TRY(read_condition(m, section, c));
    TRY(read_aliases(m, section, c));
    TRY(read_generate(m, root, section, c));
    *out = c;
    return OK;
}
