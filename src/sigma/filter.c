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
