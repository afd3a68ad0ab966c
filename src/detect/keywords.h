/* keywords: every value of an event, for tests of no named field; collected when first asked for.
 *
 *     keywords_begin(&keywords);                               // a new event
 *     enum verdict v = keywords_test(&keywords, event, &texts, predicate, regexes); */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "detect/texts.h"
#include "event/event.h"
#include "sigma/predicate.h"

struct keyword_value {
    struct slice plain;
    struct slice folded;
};

struct keywords {
    struct keyword_value *values;
    size_t count, room;
    bool collected;
    bool failed; /* memory was refused, or the record could not be walked */
};

static inline void keywords_begin(struct keywords *k)
{
    k->count = 0;
    k->collected = false;
    k->failed = false;
}
void keywords_fini(struct keywords *k);
/* Some value satisfies the predicate. */
enum verdict keywords_test(struct keywords *k, const struct event *event, struct texts *texts,
        const struct predicate *p, struct regex_cache *regexes);
