#include "sigma/filter.h"

#include "sigma/meaning.h"

static bool part_fits(struct slice filter, struct slice rule)
{
    return !filter.at || (rule.at && slice_equal_nocase(filter, rule));
}

static bool names(const struct draft *filter, const struct draft *rule)
{
    for (size_t i = 0; i < filter->target_count; i++) {
        struct slice target = filter->targets[i];
        if (target.size &&
                (slice_equal_nocase(target, rule->rule.id) || slice_equal(target, rule->name))) {
            return true;
        }
    }
    return filter->target_count == 0;
}

bool filter_fits(const struct draft *filter, const struct draft *rule)
{
    const struct logsource *f = &filter->rule.logsource, *r = &rule->rule.logsource;
    return part_fits(f->product, r->product) && part_fits(f->category, r->category) &&
           part_fits(f->service, r->service) && names(filter, rule);
}

/* Most filters say `not selection`: what is left is the selection, which few events satisfy. */
enum err filter_except(
        struct maker *m, const struct pool *pool, struct draft *filter, struct slice tenant)
{
    struct node *inner = filter->condition;
    if (inner->kind == NODE_NOT) {
        filter->rule.condition = inner->children[0];
    } else {
        TRY(maker_group(m, NODE_NOT, &inner, 1, &filter->condition));
        filter->rule.condition = filter->condition;
    }
    filter->kind = DRAFT_RULE;
    filter->rule.exception = tenant;
    return meaning_hash(
            m, pool, filter->rule.condition, &filter->rule.logsource, filter->rule.hash);
}

static bool is_named(struct slice target, struct draft *const *drafts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct draft *d = drafts[i];
        bool ordinary = d->kind == DRAFT_RULE && !d->rule.exception.at;
        if (ordinary && (slice_equal_nocase(target, d->rule.id) || slice_equal(target, d->name))) {
            return true;
        }
    }
    return false;
}

enum err filter_link(
        struct arena *arena, struct draft *exception, struct draft *const *drafts, uint32_t count)
{
    uint32_t *excepted = ARENA_ARRAY(arena, uint32_t, count);
    struct slice *missing = ARENA_ARRAY(arena, struct slice, exception->target_count);
    if (!excepted || (!missing && exception->target_count > 0)) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct draft *d = drafts[i];
        if (d->kind == DRAFT_RULE && !d->rule.exception.at && !d->correlation &&
                filter_fits(exception, d)) {
            excepted[exception->rule.excepted_count++] = d->rule.number;
        }
    }
    for (size_t i = 0; i < exception->target_count; i++) {
        if (!is_named(exception->targets[i], drafts, count)) {
            missing[exception->rule.missing_count++] = exception->targets[i];
        }
    }
    exception->rule.excepted = excepted;
    exception->rule.missing = missing;
    return OK;
}

bool filter_excepts(const struct rule *exception, const struct rule *rule)
{
    for (size_t i = 0; i < exception->excepted_count; i++) {
        if (exception->excepted[i] == rule->number) {
            return true;
        }
    }
    return false;
}

enum err filter_apply(struct maker *m, const struct pool *pool, struct draft *rule,
        struct draft *const *filters, uint32_t count)
{
    struct node **parts = ARENA_ARRAY(&m->scratch, struct node *, (size_t)count + 1);
    if (!parts) {
        return maker_no_memory(m);
    }
    uint32_t n = 0;
    parts[n++] = rule->condition;
    for (uint32_t i = 0; i < count; i++) {
        if (filter_fits(filters[i], rule)) {
            parts[n++] = filters[i]->condition;
            rule->rule.has_keywords = rule->rule.has_keywords || filters[i]->rule.has_keywords;
        }
    }
    if (n == 1) {
        return OK;
    }
    TRY(maker_group(m, NODE_AND, parts, n, &rule->condition));
    rule->rule.condition = rule->condition;
    return meaning_hash(m, pool, rule->condition, &rule->rule.logsource, rule->rule.hash);
}
