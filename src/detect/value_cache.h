/* value_cache: what was found in a value last time: the same values come again and again.
 *
 *     struct value_cache_entry *e = value_cache_at(cache, what, value);    // on its way from
 * memory if (!value_cache_holds(e, what, value)) { scan; value_cache_put(e, what, value, ids,
 * count); }
 *
 * Exact: the whole value's bytes are compared, with all else that its meaning hangs on. Bounded:
 * VALUE_CACHE_ENTRIES places; a new value takes the place of the one whose hash it shares. One a
 * judge. */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "event/value.h"

enum { VALUE_CACHE_ENTRIES = 8192, VALUE_CACHE_BYTES = 144, VALUE_CACHE_IDS = 16 };

/* Three lines of the processor's cache; most hits need two. */
struct value_cache_entry {
    alignas(64) uint64_t what; /* 0: free */
    uint16_t ids[VALUE_CACHE_IDS];
    uint8_t count;
    char bytes[VALUE_CACHE_BYTES];
};

struct value_cache {
    struct value_cache_entry entries[VALUE_CACHE_ENTRIES];
};

enum err value_cache_new(struct value_cache **out) MUST_CHECK;
void value_cache_free(struct value_cache *cache);

/* A value may be remembered: it is short. */
static inline bool value_cache_fits(const struct value *value)
{
    return value->text.size <= VALUE_CACHE_BYTES;
}

/* All but the bytes: the plan's number (never 0, under 2^32), its field, the value's form and
 * size. */
static inline uint64_t value_cache_what(uint64_t plan, uint16_t field, const struct value *value)
{
    return plan << 32 | (uint64_t)field << 16 | (uint64_t)value->form << 8 | value->text.size;
}

/* The entry that a value would stand in, fetched ahead. The hash looks at some bytes only. */
static inline struct value_cache_entry *value_cache_at(
        struct value_cache *cache, uint64_t what, const struct value *value)
{
    const char *at = value->text.at;
    size_t size = value->text.size;
    uint64_t a = 0, b = 0;
    if (size >= 8) {
        a = hash_load64(at) ^ hash_load64(at + (size - 8) / 3) * 0x8CB92BA72F3D8DD7u;
        b = hash_load64(at + size - 8) ^ hash_load64(at + (size - 8) / 3 * 2) * 0xD1B54A32D192ED03u;
    } else if (size >= 4) {
        a = hash_load32(at);
        b = hash_load32(at + size - 4);
    } else if (size) {
        a = (uint64_t)(unsigned char)at[0] << 16 | (uint64_t)(unsigned char)at[size >> 1] << 8 |
            (uint64_t)(unsigned char)at[size - 1];
    }
    uint64_t h = hash_mix(a ^ 0x9E3779B97F4A7C15u, b ^ what * 0xD1B54A32D192ED03u);
    struct value_cache_entry *e = &cache->entries[(h >> 20) & (VALUE_CACHE_ENTRIES - 1)];
    __builtin_prefetch(e);
    __builtin_prefetch((const char *)e + 64);
    return e;
}

/* Are the texts equal? Both have `size` bytes, none is read behind them. */
static inline bool value_cache_same(const char *a, const char *b, size_t size)
{
    uint64_t difference = 0;
    if (size >= 8) {
        for (size_t i = 0; i + 8 <= size; i += 8) {
            difference |= hash_load64(a + i) ^ hash_load64(b + i);
        }
        return (difference | (hash_load64(a + size - 8) ^ hash_load64(b + size - 8))) == 0;
    }
    for (size_t i = 0; i < size; i++) {
        difference |= (uint64_t)(a[i] ^ b[i]);
    }
    return difference == 0;
}

static inline bool value_cache_holds(
        const struct value_cache_entry *e, uint64_t what, const struct value *value)
{
    return e->what == what && value_cache_same(e->bytes, value->text.at, value->text.size);
}
/* Remembers; does nothing for over VALUE_CACHE_IDS ids, or where one has over 16 bits. */
void value_cache_put(struct value_cache_entry *e, uint64_t what, const struct value *value,
        const uint32_t *ids, uint32_t count);
