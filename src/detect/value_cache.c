#include "detect/value_cache.h"

#include <string.h>

#include "base/memory.h"

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

void value_cache_put(struct value_cache_entry *e, uint64_t what, const struct value *value,
        const uint32_t *ids, uint32_t count)
{
    if (count > VALUE_CACHE_IDS || !value_cache_fits(value)) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (ids[i] > UINT16_MAX) {
            return;
        }
    }
    e->what = what;
    e->count = (uint8_t)count;
    for (uint32_t i = 0; i < count; i++) {
        e->ids[i] = (uint16_t)ids[i];
    }
    if (value->text.size) {
        memcpy(e->bytes, value->text.at, value->text.size);
    }
}

_Static_assert(sizeof(struct value_cache_entry) == 192, "three lines");
_Static_assert(VALUE_CACHE_BYTES <= UINT8_MAX, "the size has one byte");
