/* serve_tenants: which hits of a set of rules are for whom: rules that a tenant chose, and its
 * exceptions.
 *
 *     TRY(serve_tenants_new(&loaded, &tenants, diag));
 *     hits = serve_tenants_filter(tenants, tenant, hits, &count, &page->held);
 *     serve_tenants_shows(tenants, tenant, rule)               // the rule is one of the tenant's
 *
 * Rows of all tenants above hold, too: what the sector leaves out its agencies do not get. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"
#include "cli/load.h"
#include "detect/judge.h"
#include "event/held.h"

struct serve_tenants;

/* NULL in *out where every tenant has all rules. */
enum err serve_tenants_new(
        const struct loaded *loaded, struct serve_tenants **out, struct diag *diag) MUST_CHECK;
void serve_tenants_free(struct serve_tenants *tenants);
/* The names of its rows. */
size_t serve_tenants_count(const struct serve_tenants *tenants);
struct slice serve_tenants_name(const struct serve_tenants *tenants, size_t row);
bool serve_tenants_shows(
        const struct serve_tenants *tenants, struct slice tenant, const struct rule *rule);
/* The hits of an event that are the tenant's; what an exception held back is counted. Borrowed
 * until the next call. */
const struct hit *serve_tenants_filter(struct serve_tenants *tenants, struct slice tenant,
        const struct hit *hits, size_t *count, struct held *held);
/* Names on standard error what exceptions name and no rule is called. */
void serve_tenants_say(const struct ruleset *set);
