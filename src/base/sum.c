#include "base/sum.h"

#include <zlib.h>

uint32_t sum_add_plain(uint32_t sum, struct slice bytes)
{
    return (uint32_t)crc32_z(sum, (const unsigned char *)bytes.at, bytes.size);
}

#ifdef __x86_64__
#include <immintrin.h>

#define FOLDING __attribute__((target("pclmul,sse4.1")))

#define FOLDING_WIDE __attribute__((target("vpclmulqdq,pclmul,avx2")))

enum { LANE = 16, BLOCK = 4 * LANE, LEAST = BLOCK, LEAST_WIDE = 2 * BLOCK };

/* x^n mod P for the distances that lanes are folded over, bits reflected (V. Gopal and others,
 * "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", Intel 2009). */
static const uint64_t over_four[2] = {0x154442bd4, 0x1c6e41596}; /* 512 + 32, 512 - 32 */
static const uint64_t over_one[2] = {0x1751997d0, 0x0ccaa009e};  /* 128 + 32, 128 - 32 */

FOLDING static __m128i load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

FOLDING static __m128i fold(__m128i lane, __m128i by, __m128i next)
{
    __m128i low = _mm_clmulepi64_si128(lane, by, 0x00);
    __m128i high = _mm_clmulepi64_si128(lane, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* Four lanes that the message was folded to, and what is left of it: the lanes are folded to one,
 * which has their remainder; the table does that one and the rest. */
FOLDING static uint32_t finish(const __m128i lanes[4], struct slice rest)
{
    __m128i by = load((const char *)over_one);
    __m128i all = fold(fold(fold(lanes[0], by, lanes[1]), by, lanes[2]), by, lanes[3]);
    for (; rest.size >= LANE; rest = slice_of(rest.at + LANE, rest.size - LANE)) {
        all = fold(all, by, load(rest.at));
    }
    char folded[LANE];
    _mm_storeu_si128((__m128i *)(void *)folded, all);
    /* zlib inverts the sum before and after; here it starts at zero. */
    uint32_t sum = sum_add_plain(UINT32_MAX, slice_of(folded, LANE));
    return sum_add_plain(sum, rest);
}

FOLDING static uint32_t add_folding(uint32_t sum, struct slice bytes)
{
    const char *at = bytes.at;
    size_t left = bytes.size;
    __m128i by = load((const char *)over_four);
    __m128i a = load(at), b = load(at + LANE), c = load(at + 2 * LANE), d = load(at + 3 * LANE);
    a = _mm_xor_si128(a, _mm_cvtsi32_si128((int)~sum));
    for (at += BLOCK, left -= BLOCK; left >= BLOCK; at += BLOCK, left -= BLOCK) {
        a = fold(a, by, load(at));
        b = fold(b, by, load(at + LANE));
        c = fold(c, by, load(at + 2 * LANE));
        d = fold(d, by, load(at + 3 * LANE));
    }
    const __m128i lanes[4] = {a, b, c, d};
    return finish(lanes, slice_of(at, left));
}

FOLDING_WIDE static __m256i load_two(const char *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

FOLDING_WIDE static __m256i fold_two(__m256i lanes, __m256i by, __m256i next)
{
    __m256i low = _mm256_clmulepi64_epi128(lanes, by, 0x00);
    __m256i high = _mm256_clmulepi64_epi128(lanes, by, 0x11);
    return _mm256_xor_si256(_mm256_xor_si256(low, high), next);
}

/* The same four lanes, two in a register. */
FOLDING_WIDE static uint32_t add_folding_wide(uint32_t sum, struct slice bytes)
{
    const char *at = bytes.at;
    size_t left = bytes.size;
    __m256i by = _mm256_broadcastsi128_si256(load((const char *)over_four));
    __m256i ab = load_two(at), cd = load_two(at + 2 * LANE);
    ab = _mm256_xor_si256(ab, _mm256_zextsi128_si256(_mm_cvtsi32_si128((int)~sum)));
    for (at += BLOCK, left -= BLOCK; left >= BLOCK; at += BLOCK, left -= BLOCK) {
        ab = fold_two(ab, by, load_two(at));
        cd = fold_two(cd, by, load_two(at + 2 * LANE));
    }
    const __m128i lanes[4] = {_mm256_castsi256_si128(ab), _mm256_extracti128_si256(ab, 1),
            _mm256_castsi256_si128(cd), _mm256_extracti128_si256(cd, 1)};
    return finish(lanes, slice_of(at, left));
}

static bool has_folding(void)
{
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

uint32_t sum_add_folding(uint32_t sum, struct slice bytes)
{
    return bytes.size >= LEAST && has_folding() ? add_folding(sum, bytes)
                                                : sum_add_plain(sum, bytes);
}

uint32_t sum_add(uint32_t sum, struct slice bytes)
{
    bool wide = bytes.size >= LEAST_WIDE && __builtin_cpu_supports("vpclmulqdq") &&
                __builtin_cpu_supports("avx2");
    return wide ? add_folding_wide(sum, bytes) : sum_add_folding(sum, bytes);
}
#else
uint32_t sum_add_folding(uint32_t sum, struct slice bytes)
{
    return sum_add_plain(sum, bytes);
}

uint32_t sum_add(uint32_t sum, struct slice bytes)
{
    return sum_add_plain(sum, bytes);
}
#endif
