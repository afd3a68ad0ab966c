/* correlation_link: correlations find the rules they name; what cannot be linked is refused.
 *
 *     struct correlation_link link = {.arena, .fields, .drafts, .count};
 *     TRY(correlation_link(&link));       // drafts become problems, rules learn what is wanted
 *
 * A reference is an id (without regard to case), else a name, else a title. Where it fits several
 * rules, the one of the same file is meant; otherwise it is refused. Cycles are refused by name;
 * a correlation of a refused rule is refused, too. After filters: a correlation's hash holds those
 * of its rules. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "event/field.h"
#include "sigma/draft.h"

struct correlation_link {
    struct arena *arena; /* of the ruleset */
    struct fields *fields;
    struct draft *const *drafts; /* in order */
    uint32_t count;
};

/* Fails for want of memory alone. */
enum err correlation_link(const struct correlation_link *link) MUST_CHECK;
