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

const struct value_cache_entry *value_cache_find(
        const struct value_cache *cache, const struct value_cache_key *key)
{
    const struct value_cache_entry *e =
            &cache->entries[(key->hash >> 20) & (VALUE_CACHE_ENTRIES - 1)];
    if (e->hash == key->hash && e->plan == key->plan && e->field == key->field &&
            e->form == key->form && e->size == key->bytes.size &&
            memcmp(e->bytes, key->bytes.at, e->size) == 0) {
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
    struct value_cache_entry *e = &cache->entries[(key->hash >> 20) & (VALUE_CACHE_ENTRIES - 1)];
    e->hash = key->hash;
    e->plan = key->plan;
    e->field = key->field;
    e->form = key->form;
    e->size = (uint16_t)key->bytes.size;
    e->count = (uint8_t)count;
    memcpy(e->ids, ids, count * sizeof *ids);
    memcpy(e->bytes, key->bytes.at, key->bytes.size);
}
