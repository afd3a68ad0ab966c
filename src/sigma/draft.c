#include "sigma/draft.h"

#include <string.h>

#include "sigma/condition.h"
#include "sigma/correlation_read.h"
#include "sigma/meaning.h"
#include "sigma/selection.h"

/* ---- texts --------------------------------------------------------------------------------- */

static bool is_scalar(const struct yaml_node *node)
{
    return node && node->kind != YAML_LIST && node->kind != YAML_MAP;
}

static enum err copy(struct maker *m, struct slice text, struct slice *out)
{
    *out = arena_copy(&m->arena, text);
    return out->at ? OK : maker_no_memory(m);
}

/* The text of a scalar; empty where there is none. Other kinds of nodes say nothing. */
static enum err copy_text(
        struct maker *m, const struct yaml_node *map, struct slice key, struct slice *out)
{
    const struct yaml_node *node = yaml_get(map, key);
    *out = slice_of("", 0);
    return is_scalar(node) && node->text.size ? copy(m, node->text, out) : OK;
}

/* The texts of a list, or of one scalar. */
static enum err copy_list(
        struct maker *m, const struct yaml_node *node, const struct slice **out, size_t *count)
{
    *count = 0;
    if (!node || node->kind == YAML_MAP || node->kind == YAML_NULL) {
        return OK;
    }
    bool list = node->kind == YAML_LIST;
    struct slice *texts = ARENA_ARRAY(&m->arena, struct slice, list ? node->count : 1);
    if (!texts) {
        return maker_no_memory(m);
    }
    for (const struct yaml_node *n = list ? node->first : node; n; n = list ? n->next : NULL) {
        if (is_scalar(n)) {
            TRY(copy(m, n->text, &texts[(*count)++]));
        }
    }
    *out = texts;
    return OK;
}

/* Authors as a list are one text. */
static enum err copy_author(struct maker *m, const struct yaml_node *root, struct slice *out)
{
    const struct yaml_node *node = yaml_get(root, SLICE("author"));
    if (!node || node->kind != YAML_LIST) {
        return copy_text(m, root, SLICE("author"), out);
    }
    struct buf text = {0};
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        if (is_scalar(n)) {
            buf_add(&text, text.size ? SLICE(", ") : SLICE(""));
            buf_add(&text, n->text);
        }
    }
    enum err e = text.failed ? maker_no_memory(m) : copy(m, buf_slice(&text), out);
    buf_fini(&text);
    return e;
}

static enum err read_about(struct maker *m, const struct yaml_node *root, struct draft *d)
{
    struct rule *r = &d->rule;
    TRY(copy_text(m, root, SLICE("id"), &r->id));
    TRY(copy_text(m, root, SLICE("name"), &d->name));
    TRY(copy_author(m, root, &r->author));
    TRY(copy_text(m, root, SLICE("license"), &r->license));
    TRY(copy_text(m, root, SLICE("description"), &r->description));
    TRY(copy_text(m, root, SLICE("status"), &r->status));
    TRY(copy_text(m, root, SLICE("date"), &r->date));
    TRY(copy_list(m, yaml_get(root, SLICE("tags")), &r->tags, &r->tag_count));
    TRY(copy_list(m, yaml_get(root, SLICE("references")), &r->references, &r->reference_count));
    TRY(copy_list(m, yaml_get(root, SLICE("falsepositives")), &r->falsepositives,
            &r->falsepositive_count));
    return OK;
}

/* ---- what must be there -------------------------------------------------------------------- */

static enum err read_title(struct maker *m, const struct yaml_node *root, struct rule *r)
{
    const struct yaml_node *title = yaml_get(root, SLICE("title"));
    if (!is_scalar(title) || title->kind == YAML_NULL || slice_trim(title->text).size == 0) {
        return maker_fail(m, title ? title : root, ERR_SYNTAX, "no title");
    }
    return copy(m, title->text, &r->title);
}

static enum err read_level(struct maker *m, const struct yaml_node *root, struct rule *r)
{
    const struct yaml_node *level = yaml_get(root, SLICE("level"));
    r->level = LEVEL_NONE;
    if (!level || level->kind == YAML_NULL || level_parse(level->text, &r->level)) {
        return OK;
    }
    return maker_fail(m, level, ERR_SYNTAX,
            "level '%.*s' is none of informational, low, medium, high, critical",
            SLICE_ARG(level->text));
}

static enum err read_source_part(
        struct maker *m, const struct yaml_node *logsource, struct slice key, struct slice *out)
{
    const struct yaml_node *part = yaml_get(logsource, key);
    if (!part || part->kind == YAML_NULL) {
        return OK;
    }
    if (!is_scalar(part) || part->text.size == 0) {
        return maker_fail(m, part, ERR_SYNTAX, "logsource: %.*s is not a text", SLICE_ARG(key));
    }
    return copy(m, part->text, out);
}

static enum err read_logsource(struct maker *m, const struct yaml_node *root, struct rule *r)
{
    const struct yaml_node *logsource = yaml_get(root, SLICE("logsource"));
    if (!logsource || logsource->kind != YAML_MAP) {
        return maker_fail(m, logsource ? logsource : root, ERR_SYNTAX, "no logsource");
    }
    struct logsource *to = &r->logsource;
    TRY(read_source_part(m, logsource, SLICE("product"), &to->product));
    TRY(read_source_part(m, logsource, SLICE("category"), &to->category));
    TRY(read_source_part(m, logsource, SLICE("service"), &to->service));
    if (!to->product.at && !to->category.at && !to->service.at) {
        return maker_fail(
                m, logsource, ERR_SYNTAX, "logsource has neither category nor product nor service");
    }
    return OK;
}

/* ---- detection ----------------------------------------------------------------------------- */

struct detection {
    struct condition_name *names; /* in scratch */
    uint32_t *leaf_ends;          /* of each name: behind its last leaf in maker->leaves */
    uint32_t count;
};

static bool is_search(const struct yaml_node *entry, bool filter)
{
    struct slice key = entry->key->text;
    return !slice_equal(key, SLICE("condition")) && !slice_equal(key, SLICE("timeframe")) &&
           !(filter && slice_equal(key, SLICE("rules")));
}

/* No more nodes than this: leaves, groups of two or more, and a negation over each. */
static uint32_t tree_size(uint32_t leaves)
{
    return leaves * 3 + 1;
}

static enum err read_search(struct maker *m, const struct yaml_node *entry, struct detection *d)
{
    struct condition_name *name = &d->names[d->count];
    uint32_t before = m->leaf_count;
    name->name = entry->key->text;
    TRY(selection_make(m, entry, &name->node));
    TRY(copy(m, name->name, &name->node->label));
    name->nodes = tree_size(m->leaf_count - before);
    d->leaf_ends[d->count++] = m->leaf_count;
    return OK;
}

static enum err read_searches(
        struct maker *m, const struct yaml_node *map, bool filter, struct detection *d)
{
    if (map->count > CONDITION_NAMES) {
        return maker_fail(m, map, ERR_LIMIT, "more search identifiers than the limit of %d",
                (int)CONDITION_NAMES);
    }
    d->names = ARENA_ARRAY(&m->scratch, struct condition_name, map->count);
    d->leaf_ends = ARENA_ARRAY(&m->scratch, uint32_t, map->count);
    if (!d->names || !d->leaf_ends) {
        return maker_no_memory(m);
    }
    for (const struct yaml_node *entry = map->first; entry; entry = entry->next) {
        if (is_search(entry, filter)) {
            TRY(read_search(m, entry, d));
        }
    }
    if (d->count == 0) {
        return maker_fail(m, map, ERR_SYNTAX, "no search identifier");
    }
    return OK;
}

static enum err read_expression(
        struct maker *m, const struct yaml_node *node, struct detection *d, struct node **out)
{
    if (!is_scalar(node) || node->kind == YAML_NULL) {
        return maker_fail(m, node, ERR_SYNTAX, "condition is not a text");
    }
    enum err e = condition_make(m, node->text, d->names, d->count, out);
    if (e != OK && m->diag && m->diag->line == 0) {
        /* The column within the expression becomes the file's, where it stands on one line. */
        uint32_t within = m->diag->column ? m->diag->column - 1 : 0;
        m->diag->line = node->line;
        m->diag->column = node->column + within + node->quoted;
    }
    return e;
}

/* Rules Specification 2.1, "Condition": several expressions are linked by OR. */
static enum err read_condition(
        struct maker *m, const struct yaml_node *map, struct detection *d, struct node **out)
{
    const struct yaml_node *condition = yaml_get(map, SLICE("condition"));
    if (!condition) {
        return maker_fail(m, map, ERR_SYNTAX, "no condition");
    }
    if (condition->kind != YAML_LIST) {
        return read_expression(m, condition, d, out);
    }
    if (condition->count == 0 || condition->count > CONDITION_NAMES) {
        return maker_fail(m, condition, condition->count ? ERR_LIMIT : ERR_SYNTAX,
                "expected 1 to %d conditions", (int)CONDITION_NAMES);
    }
    struct node **nodes = ARENA_ARRAY(&m->scratch, struct node *, condition->count);
    if (!nodes) {
        return maker_no_memory(m);
    }
    uint32_t count = 0;
    for (const struct yaml_node *n = condition->first; n; n = n->next) {
        TRY(read_expression(m, n, d, &nodes[count++]));
    }
    return maker_group(m, NODE_OR, nodes, count, out);
}

/* The leaves of the search identifiers that the condition names. */
static enum err keep_leaves(struct maker *m, const struct detection *d, struct draft *to)
{
    to->leaves = ARENA_ARRAY(&m->arena, struct node *, m->leaf_count);
    if (!to->leaves) {
        return maker_no_memory(m);
    }
    for (uint32_t i = 0; i < d->count; i++) {
        uint32_t from = i ? d->leaf_ends[i - 1] : 0;
        for (uint32_t k = from; d->names[i].used && k < d->leaf_ends[i]; k++) {
            struct node *leaf = m->leaves[k];
            to->leaves[to->leaf_count++] = leaf;
            to->rule.has_keywords = to->rule.has_keywords ||
                                    m->pool.predicates[leaf->predicate].field == FIELD_NONE;
        }
    }
    return OK;
}

static enum err read_detection(
        struct maker *m, const struct yaml_node *map, bool filter, struct draft *to)
{
    struct detection d = {0};
    TRY(read_searches(m, map, filter, &d));
    TRY(read_condition(m, map, &d, &to->condition));
    to->rule.condition = to->condition;
    return keep_leaves(m, &d, to);
}

/* ---- documents ----------------------------------------------------------------------------- */

static enum err read_rule(struct maker *m, const struct yaml_node *root, struct draft *d)
{
    const struct yaml_node *detection = yaml_get(root, SLICE("detection"));
    if (detection->kind != YAML_MAP) {
        return maker_fail(m, detection, ERR_SYNTAX, "detection is not a map");
    }
    TRY(read_level(m, root, &d->rule));
    TRY(read_detection(m, detection, false, d));
    return meaning_hash(m, &m->pool, d->condition, &d->rule.logsource, d->rule.hash);
}

/* Filters Specification 2.0: `rules` is a list of ids and names, one of them, or any. */
static enum err read_targets(struct maker *m, const struct yaml_node *filter, struct draft *d)
{
    const struct yaml_node *rules = yaml_get(filter, SLICE("rules"));
    if (!rules || rules->kind == YAML_NULL || rules->kind == YAML_MAP) {
        return maker_fail(m, rules ? rules : filter, ERR_SYNTAX,
                "filter: 'rules' is not a list of rules or 'any'");
    }
    bool any = is_scalar(rules) && (slice_equal_nocase(rules->text, SLICE("any")) ||
                                           slice_equal_nocase(rules->text, SLICE("all")));
    return any ? OK : copy_list(m, rules, &d->targets, &d->target_count);
}

static enum err read_filter(struct maker *m, const struct yaml_node *root, struct draft *d)
{
    const struct yaml_node *filter = yaml_get(root, SLICE("filter"));
    if (filter->kind != YAML_MAP) {
        return maker_fail(m, filter, ERR_SYNTAX, "filter is not a map");
    }
    d->kind = DRAFT_FILTER;
    TRY(read_targets(m, filter, d));
    return read_detection(m, filter, true, d);
}

/* Its condition is one that no event satisfies; it is linked when all rules are there. */
static enum err read_correlation(struct maker *m, const struct yaml_node *root, struct draft *d)
{
    const struct yaml_node *other = yaml_get(root, SLICE("detection"));
    other = other ? other : yaml_get(root, SLICE("filter"));
    if (other) {
        return maker_fail(m, other, ERR_SYNTAX, "a correlation has no detection and no filter");
    }
    TRY(read_level(m, root, &d->rule));
    TRY(correlation_read(m, root, &d->correlation));
    TRY(maker_group(m, NODE_FALSE, NULL, 0, &d->condition));
    d->rule.condition = d->condition;
    d->rule.correlation = d->correlation;
    return OK;
}

/* A filter that names its rules needs no logsource to know them. */
static bool needs_logsource(const struct yaml_node *root)
{
    const struct yaml_node *rules = yaml_get(yaml_get(root, SLICE("filter")), SLICE("rules"));
    return yaml_get(root, SLICE("logsource")) || !rules || rules->kind != YAML_LIST;
}

static enum err read_document(struct maker *m, const struct yaml_node *root, struct draft *d)
{
    if (root->kind != YAML_MAP) {
        return maker_fail(m, root, ERR_SYNTAX, "not a map, hence no Sigma rule");
    }
    bool correlation = yaml_get(root, SLICE("correlation"));
    bool rule = yaml_get(root, SLICE("detection"));
    if (!correlation && !rule && !yaml_get(root, SLICE("filter"))) {
        return maker_fail(m, root, ERR_SYNTAX, "neither detection nor filter nor correlation");
    }
    TRY(read_title(m, root, &d->rule));
    TRY(read_about(m, root, d));
    if (correlation) {
        return read_correlation(m, root, d);
    }
    if (rule || needs_logsource(root)) {
        TRY(read_logsource(m, root, &d->rule));
    }
    return rule ? read_rule(m, root, d) : read_filter(m, root, d);
}

enum err draft_problem(struct maker *m, const struct yaml_node *root, enum err e,
        const struct diag *diag, struct draft **out)
{
    struct draft *d = ARENA_NEW(&m->arena, struct draft);
    if (!d) {
        return ERR_MEMORY;
    }
    d->kind = DRAFT_PROBLEM;
    struct ruleset_problem *p = &d->problem;
    *p = (struct ruleset_problem){.file = m->file, .line = diag->line, .column = diag->column};
    p->err = e;
    p->reason = arena_copy(&m->arena, slice_text(diag->words));
    if (!p->reason.at || copy_text(m, root, SLICE("id"), &p->id) != OK ||
            copy_text(m, root, SLICE("title"), &p->title) != OK) {
        return ERR_MEMORY;
    }
    if (p->line == 0 && root) {
        p->line = root->line;
        p->column = root->column;
    }
    *out = d;
    return OK;
}

enum err draft_make(struct maker *m, const struct yaml_node *root, struct draft **out)
{
    struct diag diag = {0};
    struct draft *d = ARENA_NEW(&m->arena, struct draft);
    if (!d) {
        return ERR_MEMORY;
    }
    maker_begin(m, &diag);
    d->rule.file = m->file;
    d->rule.line = root->line;
    enum err e = read_document(m, root, d);
    m->diag = NULL;
    if (e != OK) {
        return draft_problem(m, root, e, &diag, out);
    }
    *out = d;
    return OK;
}
