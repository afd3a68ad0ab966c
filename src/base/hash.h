/* hash: fast 64-bit hashes of bytes for tables in memory. Not stable between versions, never
 * stored, no defence by itself: tables verify their keys and are bounded.
 *
 *     uint64_t h = hash_bytes(key, 0); */
#pragma once

#include <stdint.h>
#include <string.h>

#include "base/slice.h"

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_load64(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static inline uint64_t hash_load32(const char *at)
{
    uint32_t word;
    memcpy(&word, at, 4);
    return word;
}

/* Reads exactly s.size bytes; 16 bytes a step. */
static inline uint64_t hash_bytes(struct slice s, uint64_t seed)
{
    const uint64_t k0 = 0x9E3779B97F4A7C15u, k1 = 0xD1B54A32D192ED03u, k2 = 0x8CB92BA72F3D8DD7u;
    uint64_t h = seed ^ k2 ^ s.size * k0;
    const char *p = s.at;
    size_t left = s.size;
    while (left > 16) {
        h = hash_mix(hash_load64(p) ^ k0, hash_load64(p + 8) ^ h);
        p += 16;
        left -= 16;
    }
    uint64_t a = 0, b = 0;
    if (left >= 8) {
        a = hash_load64(p);
        b = hash_load64(p + left - 8);
    } else if (left >= 4) {
        a = hash_load32(p);
        b = hash_load32(p + left - 4);
    } else if (left > 0) {
        a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[left >> 1] << 8 |
            (uint64_t)(unsigned char)p[left - 1];
    }
    return hash_mix(a ^ k1 ^ h, b ^ k0 ^ (h >> 32 | h << 32));
}
