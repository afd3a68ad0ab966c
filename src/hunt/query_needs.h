/* query_needs: what an event must hold so that a rule can be true of it: for leaving out whole
 * files and columns without reading them.
 *
 *     Image|endswith: '\a.exe' and not User: 'x'   ->   Image ends with "\a.exe"
 *     EventID: 1 or 'whoami'                       ->   EventID is there, or any value contains
 *                                                       "whoami"
 *
 * Never wrong, at most weak: every event that the rule matches satisfies the needs. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/taxonomy.h"
#include "sigma/ruleset.h"

enum need_kind {
    NEED_NOTHING, /* every event will do */
    NEED_AND,     /* all children */
    NEED_OR,      /* one of the children; of none: no event will do */
    NEED_PRESENT, /* some value, not null, of the field */
    NEED_EQUAL,   /* one of the field's values, as text, folded (base/fold.h), is `text`... */
    NEED_PREFIX,
    NEED_SUFFIX,
    NEED_CONTAINS,
};

struct query_need {
    enum need_kind kind;
    struct slice
            field;   /* as events have it; empty: any value of the event, named by a rule or not */
    uint32_t number; /* of the field, as the scan's paths number it; FIELD_NONE: any value */
    struct slice text; /* folded */
    const struct query_need *const *children;
    uint32_t count;
};

/* Of rule 0 of the set. taxonomy: how the rule's logsource names fields; NULL: as events do.
 * Everything is the arena's. ERR_MEMORY only. */
enum err query_needs_make(const struct ruleset *set, const struct taxonomy *taxonomy,
        struct arena *arena, const struct query_need **out) MUST_CHECK;
