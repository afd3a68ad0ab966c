/* value_cache: what was found in a value last time: the same values come again and again.
 *
 *     struct value_cache_key key = value_cache_key(plan_id, field, value);
 *     const struct value_cache_entry *e = value_cache_find(cache, &key);
 *     if (!e) { scan; value_cache_put(cache, &key, ids, count); }
 *
 * Exact: the key is the whole value's bytes, compared. Bounded: VALUE_CACHE_ENTRIES places; a new
 * value takes the place of the one whose hash it shares. One a judge. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "event/value.h"

enum { VALUE_CACHE_ENTRIES = 8192, VALUE_CACHE_BYTES = 136, VALUE_CACHE_IDS = 16 };

struct value_cache_key {
    uint64_t hash;
    uint64_t plan;
    uint32_t field;
    uint8_t form;
    struct slice bytes; /* as in the record; at most VALUE_CACHE_BYTES */
};

/* Three lines of the processor's cache; most hits need two. */
struct value_cache_entry {
    uint64_t hash; /* 0: free */
    uint64_t plan;
    uint32_t field;
    uint16_t ids[VALUE_CACHE_IDS];
    uint8_t size;
    uint8_t form;
    uint8_t count;
    char bytes[VALUE_CACHE_BYTES];
};

struct value_cache;

enum err value_cache_new(struct value_cache **out) MUST_CHECK;
void value_cache_free(struct value_cache *cache);

static inline struct value_cache_key value_cache_key(
        uint64_t plan, uint32_t field, const struct value *value)
{
    uint64_t h = hash_bytes(value->text, plan * 0x9E3779B97F4A7C15u + field * 8 + value->form);
    return (struct value_cache_key){h | 1, plan, field, value->form, value->text};
}
void value_cache_prefetch(const struct value_cache *cache, const struct value_cache_key *key);
/* NULL: not there. Valid until the next put. */
const struct value_cache_entry *value_cache_find(
        const struct value_cache *cache, const struct value_cache_key *key);
/* Remembers; does nothing for over VALUE_CACHE_IDS ids, or where one has over 16 bits. */
void value_cache_put(struct value_cache *cache, const struct value_cache_key *key,
        const uint32_t *ids, uint32_t count);
