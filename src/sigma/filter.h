/* filter: Sigma filters laid over the rules they name: `(rule) and (filter's condition)`.
 *
 * Sigma Filters Specification 2.0: a filter is for rules of its logsource (a part that it leaves
 * out fits all) that it names by id or name, or for any. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "sigma/draft.h"
#include "sigma/rule.h"

/* A filter becomes an exception of a tenant: a rule that holds where the filter's condition does
 * not. Leaves' numbers are `pool`'s. */
enum err filter_except(struct maker *m, const struct pool *pool, struct draft *filter,
        struct slice tenant) MUST_CHECK;
/* Finds the rules that an exception is about, when all have their numbers. */
enum err filter_link(struct arena *arena, struct draft *exception, struct draft *const *drafts,
        uint32_t count) MUST_CHECK;
/* Whether an exception is about the rule; both of a finished set. */
bool filter_excepts(const struct rule *exception, const struct rule *rule);
bool filter_fits(const struct draft *filter, const struct draft *rule);
/* Lays the fitting ones over the rule, whose hash is then another. Leaves' numbers are `pool`'s. */
enum err filter_apply(struct maker *m, const struct pool *pool, struct draft *rule,
        struct draft *const *filters, uint32_t count) MUST_CHECK;
