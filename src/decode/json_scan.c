#include "decode/json_scan.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#endif

enum { STEPS = JSON_SCAN_BATCH / JSON_SCAN_STEP };

/* What a step has, a bit a byte. */
struct step {
    uint64_t quotes; /* escaped ones too */
    uint64_t backslashes;
    uint64_t controls;
    bool high; /* has a byte of 0x80 or more */
};

static bool portable_only;

static const char SIMPLE_ESCAPES[] = "\"\\/bfnrt";

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Bytes of the escape whose backslash stands at `at`, 0 when RFC 8259 does not know it. */
static size_t escape_size(const char *at, size_t size)
{
    if (size < 2 || at[1] == '\0') {
        return 0;
    }
    if (strchr(SIMPLE_ESCAPES, at[1])) {
        return 2;
    }
    if (at[1] != 'u' || size < 6) {
        return 0;
    }
    return is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5]) ? 6 : 0;
}

size_t json_scan_valid_prefix(struct slice text)
{
    size_t at = 0;
    while (at < text.size) {
        unsigned char c = (unsigned char)text.at[at];
        size_t size = 1;
        if (c < 0x20) {
            size = 0;
        } else if (c == '\\') {
            size = escape_size(text.at + at, text.size - at);
        } else if (c >= 0x80) {
            size = utf8_sequence(text.at + at, text.size - at);
        }
        if (size == 0) {
            break;
        }
        at += size;
    }
    return at;
}

bool json_scan_any_long(const uint64_t *bits, size_t from, size_t to)
{
    if (from >= to) {
        return false;
    }
    size_t first = from >> 6, last = (to - 1) >> 6;
    uint64_t head = ~(uint64_t)0 << (from & 63), tail = ~(uint64_t)0 >> (63 - ((to - 1) & 63));
    if (first == last) {
        return (bits[first] & head & tail) != 0;
    }
    uint64_t all = (bits[first] & head) | (bits[last] & tail);
    for (size_t i = first + 1; i < last; i++) {
        all |= bits[i];
    }
    return all != 0;
}

size_t json_scan_next_long(const uint64_t *bits, size_t at)
{
    size_t i = at >> 6;
    uint64_t word = bits[i] & ~(uint64_t)0 << (at & 63);
    while (word == 0) {
        word = bits[++i];
    }
    return (i << 6) + (size_t)__builtin_ctzll(word);
}

/* The bytes right behind runs of backslashes of odd length: those that are escaped and are not
 * backslashes themselves. A sum carries from a run's first bit to the bit behind its last, so the
 * parity of both places tells the run's. */
static inline uint64_t after_odd_runs(uint64_t backslashes, bool *carry)
{
    const uint64_t even = 0x5555555555555555u;
    uint64_t first = *carry;
    uint64_t runs = backslashes & ~first; /* an escaped backslash starts nothing */
    uint64_t starts = runs & ~(runs << 1);
    uint64_t odd_sum;
    *carry = __builtin_add_overflow(runs, starts & ~even, &odd_sum);
    uint64_t even_sum = runs + (starts & even);
    return (((even_sum & ~even) | (odd_sum & even)) & ~runs) | (first & ~backslashes);
}

/* Checks the UTF-8 sequences that begin in a step; false: one is broken. */
static bool utf8_step(struct json_scan *scan, size_t at)
{
    size_t end = at + JSON_SCAN_STEP < scan->block.size ? at + JSON_SCAN_STEP : scan->block.size;
    size_t i = scan->utf8_done > at ? scan->utf8_done : at;
    bool fine = true;
    while (i < end) {
        size_t size = utf8_sequence(scan->block.at + i, scan->block.size - i);
        fine &= size > 0;
        i += size > 0 ? size : 1;
    }
    scan->utf8_done = i;
    return fine;
}

/* Marks a step that has escapes other than \" and \\. `others`: the bytes behind backslashes. */
static void check_escapes(struct json_scan *scan, size_t at, uint64_t others)
{
    size_t index = at / JSON_SCAN_STEP;
    uint64_t bit = (uint64_t)1 << (index & 63);
    for (; others; others &= others - 1) {
        size_t i = at + (size_t)__builtin_ctzll(others);
        if (i >= scan->block.size) {
            scan->suspect[index >> 6] |= bit;
            return;
        }
        char c = scan->block.at[i];
        if (c == 'u' || c == '/') {
            scan->unplain[index >> 6] |= bit;
        }
        if (escape_size(scan->block.at + i - 1, scan->block.size - i + 1) == 0) {
            scan->suspect[index >> 6] |= bit;
        }
    }
}

static inline void store_step(struct json_scan *scan, size_t at, const struct step *step)
{
    size_t index = at / JSON_SCAN_STEP;
    uint64_t escaped = after_odd_runs(step->backslashes, &scan->escaped);
    scan->quotes[index] = step->quotes & ~escaped;
    scan->backslashes[index] = step->backslashes;
    scan->controls[index] = step->controls;
    scan->rough[index >> 6] |= (uint64_t)(step->controls != 0) << (index & 63);
    uint64_t others = escaped & ~step->quotes;
    if (others) {
        check_escapes(scan, at, others);
    }
    if (step->high && !utf8_step(scan, at)) {
        scan->suspect[index >> 6] |= (uint64_t)1 << (index & 63);
    }
}

static void portable_batch(struct json_scan *scan, const char *bytes, size_t at, size_t steps)
{
    for (size_t i = 0; i < steps; i++) {
        struct step step = {0};
        for (unsigned j = 0; j < JSON_SCAN_STEP; j++) {
            unsigned char c = (unsigned char)bytes[i * JSON_SCAN_STEP + j];
            step.quotes |= (uint64_t)(c == '"') << j;
            step.backslashes |= (uint64_t)(c == '\\') << j;
            step.controls |= (uint64_t)(c < 0x20) << j;
            step.high |= c >= 0x80;
        }
        store_step(scan, at + i * JSON_SCAN_STEP, &step);
    }
}

#if defined(__x86_64__)
AVX2 static inline uint64_t mask64(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                         << 32;
}

AVX2 static void avx2_batch(struct json_scan *scan, const char *bytes, size_t at, size_t steps)
{
    const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\');
    const __m256i control = _mm256_set1_epi8(0x1F);
    for (size_t i = 0; i < steps; i++) {
        const char *p = bytes + i * JSON_SCAN_STEP;
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
        struct step step = {
                .quotes = mask64(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote)),
                .backslashes =
                        mask64(_mm256_cmpeq_epi8(a, backslash), _mm256_cmpeq_epi8(b, backslash)),
                .controls = mask64(_mm256_cmpeq_epi8(_mm256_min_epu8(a, control), a),
                        _mm256_cmpeq_epi8(_mm256_min_epu8(b, control), b)),
                .high = _mm256_movemask_epi8(_mm256_or_si256(a, b)) != 0,
        };
        store_step(scan, at + i * JSON_SCAN_STEP, &step);
    }
}
#endif

static void run_batch(struct json_scan *scan, const char *bytes, size_t at, size_t steps)
{
#if defined(__x86_64__)
    if (!portable_only && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
        avx2_batch(scan, bytes, at, steps);
        return;
    }
#endif
    portable_batch(scan, bytes, at, steps);
}

void json_scan_portable(bool portable)
{
    portable_only = portable;
}

enum err json_scan_begin(struct json_scan *scan, struct slice block)
{
    size_t batches = block.size / JSON_SCAN_BATCH + 1;
    if (batches > scan->room) {
        /* a bit a byte three times, a bit a step three times, each with a closing word */
        size_t words = batches * (STEPS * 3 + 3) + 6;
        uint64_t *memory = memory_alloc_array(words, sizeof *memory);
        if (!memory) {
            return ERR_MEMORY;
        }
        memory_free(scan->memory);
        scan->memory = memory;
        scan->room = batches;
        scan->quotes = memory;
        scan->backslashes = scan->quotes + batches * STEPS + 1;
        scan->controls = scan->backslashes + batches * STEPS + 1;
        scan->rough = scan->controls + batches * STEPS + 1;
        scan->suspect = scan->rough + batches + 1;
        scan->unplain = scan->suspect + batches + 1;
    }
    scan->block = block;
    scan->done = 0;
    scan->utf8_done = 0;
    scan->escaped = false;
    return OK;
}

void json_scan_fini(struct json_scan *scan)
{
    memory_free(scan->memory);
    *scan = (struct json_scan){0};
}

bool json_scan_more(struct json_scan *scan)
{
    if (scan->done == SIZE_MAX) {
        return false;
    }
    size_t at = scan->done, left = scan->block.size - at, batch = at / JSON_SCAN_BATCH;
    scan->rough[batch] = 0;
    scan->suspect[batch] = 0;
    scan->unplain[batch] = 0;
    size_t steps = left / JSON_SCAN_STEP < STEPS ? left / JSON_SCAN_STEP : STEPS;
    run_batch(scan, scan->block.at + at, at, steps);
    size_t end = at / JSON_SCAN_STEP + steps;
    if (steps < STEPS) {
        char tail[JSON_SCAN_STEP];
        size_t rest = left % JSON_SCAN_STEP;
        memset(tail, '\n', sizeof tail);
        memcpy(tail, scan->block.at + at + steps * JSON_SCAN_STEP, rest);
        run_batch(scan, tail, at + steps * JSON_SCAN_STEP, 1);
        end++;
    }
    scan->quotes[end] = ~(uint64_t)0;
    scan->backslashes[end] = ~(uint64_t)0;
    scan->controls[end] = ~(uint64_t)0;
    scan->done = steps < STEPS ? SIZE_MAX : at + JSON_SCAN_BATCH;
    return true;
}
