#include "sigma/regex_skip.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void regex_skip_init(struct regex_skip *skip)
{
    memset(skip, 0xFF, sizeof *skip);
}

void regex_skip_pass(struct regex_skip *skip, uint8_t byte)
{
    uint8_t *table = byte < 0x80 ? skip->low : skip->high;
    table[byte & 15] &= (uint8_t) ~(1u << (byte >> 4 & 7));
}

static inline unsigned stops(const struct regex_skip *skip, uint8_t byte)
{
    const uint8_t *table = byte < 0x80 ? skip->low : skip->high;
    return table[byte & 15] >> (byte >> 4 & 7) & 1;
}

const uint8_t *regex_skip_find_plain(
        const struct regex_skip *skip, const uint8_t *at, const uint8_t *end)
{
    while (at < end && !stops(skip, *at)) {
        at++;
    }
    return at;
}

#if defined(__x86_64__)

enum { WIDTH = 32 };

/* Bit n: byte n of the block is a stop. Two lookups by the low half, of which one gives zero (a
 * shuffle does where the top bit of its index is set), then the bit of the high half. */
__attribute__((target("avx2"))) static inline uint32_t block(
        __m256i low, __m256i high, const uint8_t *at)
{
    const __m256i bits = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64,
            -128, 1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i top = _mm256_set1_epi8(-128);
    __m256i rows = _mm256_or_si256(
            _mm256_shuffle_epi8(low, v), _mm256_shuffle_epi8(high, _mm256_xor_si256(v, top)));
    __m256i half = _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
    __m256i hit = _mm256_and_si256(rows, _mm256_shuffle_epi8(bits, half));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(hit, _mm256_setzero_si256()));
}

__attribute__((target("avx2"))) static const uint8_t *find_avx2(
        const struct regex_skip *skip, const uint8_t *begin, const uint8_t *at, const uint8_t *end)
{
    __m256i low =
            _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)skip->low));
    __m256i high =
            _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)skip->high));
    for (; end - at >= WIDTH; at += WIDTH) {
        uint32_t found = block(low, high, at);
        if (found) {
            return at + __builtin_ctz(found);
        }
    }
    if (at == end) {
        return end;
    }
    if (end - begin < WIDTH) {
        return regex_skip_find_plain(skip, at, end);
    }
    /* The last block again, without what was seen. */
    uint32_t found = block(low, high, end - WIDTH) & (~(uint32_t)0 << (WIDTH - (end - at)));
    return found ? end - WIDTH + __builtin_ctz(found) : end;
}

const uint8_t *regex_skip_find(
        const struct regex_skip *skip, const uint8_t *begin, const uint8_t *at, const uint8_t *end)
{
    if (__builtin_cpu_supports("avx2")) {
        return find_avx2(skip, begin, at, end);
    }
    return regex_skip_find_plain(skip, at, end);
}

#else

const uint8_t *regex_skip_find(
        const struct regex_skip *skip, const uint8_t *begin, const uint8_t *at, const uint8_t *end)
{
    (void)begin;
    return regex_skip_find_plain(skip, at, end);
}

#endif
