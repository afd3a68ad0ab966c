#include "decode/evtx_sum.h"

#include <zlib.h>

uint32_t evtx_sum_add_plain(uint32_t sum, struct slice bytes)
{
    return (uint32_t)crc32_z(sum, (const unsigned char *)bytes.at, bytes.size);
}

#ifdef __x86_64__
#include <emmintrin.h>
#include <smmintrin.h>
#include <wmmintrin.h>

#define FOLDING __attribute__((target("pclmul,sse4.1")))

enum { LANE = 16, BLOCK = 4 * LANE, LEAST = 2 * BLOCK };

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

/* The message is folded to 16 bytes that have its remainder; the table does those and the rest. */
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
    by = load((const char *)over_one);
    __m128i all = fold(fold(fold(a, by, b), by, c), by, d);
    for (; left >= LANE; at += LANE, left -= LANE) {
        all = fold(all, by, load(at));
    }
    char folded[LANE];
    _mm_storeu_si128((__m128i *)(void *)folded, all);
    /* zlib inverts the sum before and after; here it starts at zero. */
    sum = evtx_sum_add_plain(UINT32_MAX, slice_of(folded, LANE));
    return evtx_sum_add_plain(sum, slice_of(at, left));
}

uint32_t evtx_sum_add(uint32_t sum, struct slice bytes)
{
    if (bytes.size >= LEAST && __builtin_cpu_supports("pclmul") &&
            __builtin_cpu_supports("sse4.1")) {
        return add_folding(sum, bytes);
    }
    return evtx_sum_add_plain(sum, bytes);
}
#else
uint32_t evtx_sum_add(uint32_t sum, struct slice bytes)
{
    return evtx_sum_add_plain(sum, bytes);
}
#endif
