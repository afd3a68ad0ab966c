/* pool: predicates without repetition, and the names of their fields.
 *
 *     struct pool pool;
 *     TRY(pool_init(&pool));
 *     TRY(pool_add(&pool, &predicate, &id));     // an equal one's number, or a new one's
 *
 * Each thread that reads rules has one; the ruleset's own is their union. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "event/field.h"
#include "sigma/predicate.h"

enum { POOL_LIMIT = 50000000 };

struct pool_slot {
    uint32_t number; /* plus 1; 0: free */
    uint32_t hash;   /* upper half: most misses cost no look at the predicate */
};

struct pool {
    struct fields *fields;
    struct predicate *predicates; /* by number */
    uint32_t count;
    uint32_t room;
    struct pool_slot *slots; /* open addressing */
    uint32_t mask;
};

enum err pool_init(struct pool *pool) MUST_CHECK;
void pool_fini(struct pool *pool);
/* The number of an equal predicate; false: there is none. */
bool pool_find(const struct pool *pool, const struct predicate *p, uint32_t *id);
/* The predicate is copied, what it points to is borrowed. */
enum err pool_add(struct pool *pool, const struct predicate *p, uint32_t *id) MUST_CHECK;
