#include "detect/value_cache.h"

#include "base/memory.h"

struct value_cache {
    struct value_cache_entry entries[VALUE_CACHE_ENTRIES];
};

enum err value_cache_new(struct value_cache **out)
{
    struct value_cache *cache = memory_alloc(sizeof *cache);
    if (!cache) {
        return ERR_MEMORY;
    }
    *out = cache;
    return OK;
}

void value_cache_free(struct value_cache *cache)
{
    memory_free(cache);
}

static size_t place_of(const struct value_cache_key *key)
{
    return (key->hash >> 20) & (VALUE_CACHE_ENTRIES - 1);
}

void value_cache_prefetch(const struct value_cache *cache, const struct value_cache_key *key)
{
    const char *entry = (const char *)&cache->entries[place_of(key)];
    __builtin_prefetch(entry);
    __builtin_prefetch(entry + 64);
}

const struct value_cache_entry *value_cache_find(
        const struct value_cache *cache, const struct value_cache_key *key)
{
    const struct value_cache_entry *e = &cache->entries[place_of(key)];
    if (e->hash == key->hash && e->plan == key->plan && e->field == key->field &&
            e->form == key->form && e->size == key->bytes.size &&
            (e->size == 0 || memcmp(e->bytes, key->bytes.at, e->size) == 0)) {
        return e;
    }
    return NULL;
}

void value_cache_put(struct value_cache *cache, const struct value_cache_key *key,
        const uint32_t *ids, uint32_t count)
{
    if (count > VALUE_CACHE_IDS || key->bytes.size > VALUE_CACHE_BYTES) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (ids[i] > UINT16_MAX) {
            return;
        }
    }
    struct value_cache_entry *e = &cache->entries[place_of(key)];
    e->hash = key->hash;
    e->plan = key->plan;
    e->field = key->field;
    e->form = key->form;
    e->size = (uint8_t)key->bytes.size;
    e->count = (uint8_t)count;
    for (uint32_t i = 0; i < count; i++) {
        e->ids[i] = (uint16_t)ids[i];
    }
    if (key->bytes.size) {
        memcpy(e->bytes, key->bytes.at, key->bytes.size);
    }
}

_Static_assert(sizeof(struct value_cache_entry) == 192, "three lines");
_Static_assert(VALUE_CACHE_BYTES <= UINT8_MAX, "the size has one byte");
