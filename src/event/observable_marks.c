#include "event/observable_marks.h"

#include <immintrin.h>

/* A byte's class is what its two halves have in common. */
enum { DIGIT = 1, LETTER = 2, COLON = 4, DOT = 8, SLASH = 16 };

static const uint8_t low_half[16] = {DIGIT, DIGIT | LETTER, DIGIT | LETTER, DIGIT | LETTER,
        DIGIT | LETTER, DIGIT | LETTER, DIGIT | LETTER, DIGIT, DIGIT, DIGIT, COLON, 0, 0, 0, DOT,
        SLASH};
static const uint8_t high_half[16] = {
        [2] = DOT | SLASH, [3] = DIGIT | COLON, [4] = LETTER, [6] = LETTER};

void observable_marks_plain(const char *bytes, struct observable_marks *out)
{
    *out = (struct observable_marks){0};
    for (unsigned i = 0; i < OBSERVABLE_MARKS_BYTES; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        uint64_t class = low_half[byte & 15] & high_half[byte >> 4];
        out->hexes |= (uint64_t)((class & (DIGIT | LETTER)) != 0) << i;
        out->colons |= (class >> 2 & 1) << i;
        out->dots |= (class >> 3 & 1) << i;
        out->slashes |= (class >> 4 & 1) << i;
    }
}

__attribute__((target("avx2"))) static inline uint64_t bits_of(__m256i a, __m256i b, char class)
{
    __m256i want = _mm256_set1_epi8(class);
    uint32_t first = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, want)),
             second = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, want));
    return first | (uint64_t)second << 32;
}

__attribute__((target("avx2"))) static inline __m256i classes_of(const char *bytes)
{
    const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)low_half)),
                  high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)high_half)),
                  half = _mm256_set1_epi8(15);
    __m256i text = _mm256_loadu_si256((const __m256i *)bytes);
    __m256i upper = _mm256_and_si256(_mm256_srli_epi16(text, 4), half);
    return _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(text, half)),
            _mm256_shuffle_epi8(high, upper));
}

/* A byte has one class at most. */
__attribute__((target("avx2"))) static void take_avx2(
        const char *bytes, struct observable_marks *out)
{
    __m256i a = classes_of(bytes), b = classes_of(bytes + 32);
    out->hexes = bits_of(a, b, DIGIT) | bits_of(a, b, LETTER);
    out->colons = bits_of(a, b, COLON);
    out->dots = bits_of(a, b, DOT);
    out->slashes = bits_of(a, b, SLASH);
}

observable_marks_way *observable_marks_best(void)
{
    return __builtin_cpu_supports("avx2") ? take_avx2 : observable_marks_plain;
}
