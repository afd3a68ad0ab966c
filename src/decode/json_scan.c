#include "decode/json_scan.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#endif

enum { STEPS = JSON_SCAN_BATCH / JSON_SCAN_STEP };

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

/* The bytes that a backslash escapes, the second of two backslashes among them. A run of
 * backslashes alternates between those that escape and those that are escaped, starting with the
 * former. Within a run that begins at an even place the former are the even ones: taking the
 * run's bits from the odd pattern (with one more behind each backslash) borrows through the run
 * just so that, against the odd pattern, what escapes and what is behind it stays marked. */
static inline __attribute__((always_inline)) uint64_t escaped_bytes(
        uint64_t backslashes, uint64_t *carry)
{
    const uint64_t odd = 0xAAAAAAAAAAAAAAAAu;
    uint64_t free = backslashes & ~*carry; /* an escaped one starts nothing */
    uint64_t marked = (((free << 1) | odd) - free) ^ odd;
    uint64_t escaped = marked ^ (backslashes | *carry);
    *carry = (marked & backslashes) >> 63;
    return escaped;
}

/* The first byte of 0x80 or more in [at, end). */
static size_t skip_ascii(const char *bytes, size_t at, size_t end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        word &= 0x8080808080808080u;
        if (word) {
            return at + ((size_t)__builtin_ctzll(word) >> 3);
        }
        at += 8;
    }
    while (at < end && !(bytes[at] & 0x80)) {
        at++;
    }
    return at;
}

/* Checks the UTF-8 sequences that begin in a step; false: one is broken. */
static bool utf8_step(struct json_scan *scan, size_t at)
{
    const struct slice block = scan->block;
    size_t end = at + JSON_SCAN_STEP < block.size ? at + JSON_SCAN_STEP : block.size;
    size_t i = scan->utf8_done > at ? scan->utf8_done : at;
    bool fine = true;
    while (i < end && (i = skip_ascii(block.at, i, end)) < end) {
        size_t size = utf8_sequence(block.at + i, block.size - i);
        fine &= size > 0;
        i += size > 0 ? size : 1;
    }
    scan->utf8_done = i;
    return fine;
}

/* Looks at escapes other than \" and \\; `others`: the bytes behind their backslashes. */
static __attribute__((noinline)) void check_escapes(
        struct json_scan *scan, size_t at, uint64_t others)
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

static __attribute__((noinline)) void check_utf8(struct json_scan *scan, size_t at)
{
    if (!utf8_step(scan, at)) {
        size_t index = at / JSON_SCAN_STEP;
        scan->suspect[index >> 6] |= (uint64_t)1 << (index & 63);
    }
}

static void portable_batch(struct json_scan *scan, const char *bytes, size_t at, size_t steps)
{
    uint64_t carry = scan->escaped;
    for (size_t i = 0; i < steps; i++) {
        uint64_t quotes = 0, backslashes = 0, controls = 0, simple = 0;
        bool high = false;
        for (unsigned j = 0; j < JSON_SCAN_STEP; j++) {
            unsigned char c = (unsigned char)bytes[i * JSON_SCAN_STEP + j];
            quotes |= (uint64_t)(c == '"') << j;
            backslashes |= (uint64_t)(c == '\\') << j;
            controls |= (uint64_t)(c < 0x20) << j;
            simple |= (uint64_t)(c == 'f' || c == 'n' || c == 'r' || c == 't') << j;
            high |= c >= 0x80;
        }
        size_t index = at / JSON_SCAN_STEP + i;
        uint64_t escaped = escaped_bytes(backslashes, &carry);
        scan->quotes[index] = quotes & ~escaped;
        scan->backslashes[index] = backslashes;
        scan->controls[index] = controls;
        scan->rough[index >> 6] |= (uint64_t)(controls != 0) << (index & 63);
        check_escapes(scan, at + i * JSON_SCAN_STEP, escaped & ~(quotes | backslashes | simple));
        if (high) {
            check_utf8(scan, at + i * JSON_SCAN_STEP);
        }
    }
    scan->escaped = carry;
}

#if defined(__x86_64__)
AVX2 static inline uint64_t mask64(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                         << 32;
}

/* By the low half of a byte: the only one of f n r t that it can be. */
AVX2 static inline __m256i simple_table(void)
{
    return _mm256_setr_epi8(-1, -1, 'r', -1, 't', -1, 'f', -1, -1, -1, -1, -1, -1, -1, 'n', 0, -1,
            -1, 'r', -1, 't', -1, 'f', -1, -1, -1, -1, -1, -1, -1, 'n', 0);
}

/* A step with backslashes or behind one, with control bytes or bytes that are not ASCII. */
AVX2 static inline __attribute__((always_inline)) void avx2_rare(
        struct json_scan *scan, const char *bytes, size_t index, uint64_t *carry)
{
    const __m256i backslash = _mm256_set1_epi8('\\'), table = simple_table();
    const __m256i control = _mm256_set1_epi8(0x1F);
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32));
    uint64_t quotes = scan->quotes[index];
    uint64_t backslashes = mask64(_mm256_cmpeq_epi8(a, backslash), _mm256_cmpeq_epi8(b, backslash));
    uint64_t escaped = escaped_bytes(backslashes, carry);
    uint64_t simple = mask64(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, a), a),
            _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, b), b));
    uint64_t controls = mask64(_mm256_cmpeq_epi8(_mm256_min_epu8(a, control), a),
            _mm256_cmpeq_epi8(_mm256_min_epu8(b, control), b));
    scan->quotes[index] = quotes & ~escaped;
    scan->backslashes[index] = backslashes;
    scan->controls[index] = controls;
    scan->rough[index >> 6] |= (uint64_t)(controls != 0) << (index & 63);
    uint64_t others = escaped & ~(quotes | backslashes | simple);
    if (__builtin_expect(others != 0, 0)) {
        check_escapes(scan, index * JSON_SCAN_STEP, others);
    }
    if (__builtin_expect(_mm256_movemask_epi8(_mm256_or_si256(a, b)) != 0, 0)) {
        check_utf8(scan, index * JSON_SCAN_STEP);
    }
}

AVX2 static void avx2_batch(struct json_scan *scan, const char *bytes, size_t at, size_t steps)
{
    const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\');
    const __m256i control = _mm256_set1_epi8(0x1F);
    const size_t first = at / JSON_SCAN_STEP;
    uint64_t *const quotes = scan->quotes + first;
    uint64_t *const backslashes = scan->backslashes + first;
    uint64_t *const controls = scan->controls + first;
    uint64_t carry = scan->escaped;
    for (size_t i = 0; i < steps; i++) {
        const char *p = bytes + i * JSON_SCAN_STEP;
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
        quotes[i] = mask64(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote));
        __m256i escapes =
                _mm256_or_si256(_mm256_cmpeq_epi8(a, backslash), _mm256_cmpeq_epi8(b, backslash));
        /* signed: not above 0x1F are control bytes and those that are not ASCII */
        __m256i fine =
                _mm256_and_si256(_mm256_cmpgt_epi8(a, control), _mm256_cmpgt_epi8(b, control));
        uint32_t rare = ~(uint32_t)_mm256_movemask_epi8(_mm256_andnot_si256(escapes, fine));
        if (rare | carry) {
            avx2_rare(scan, p, first + i, &carry);
        } else {
            backslashes[i] = 0;
            controls[i] = 0;
        }
    }
    scan->escaped = carry;
}

/* '[' and '{' differ in one bit, and so do ']' and '}'; no other byte becomes one of them by it. */
AVX2 static void avx2_marks(const char *bytes, struct json_marks *marks, uint64_t *backslashes)
{
    const __m256i bit = _mm256_set1_epi8(0x20), open = _mm256_set1_epi8('{');
    const __m256i close = _mm256_set1_epi8('}'), quote = _mm256_set1_epi8('"');
    const __m256i backslash = _mm256_set1_epi8('\\'), newline = _mm256_set1_epi8('\n');
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32));
    __m256i c = _mm256_or_si256(a, bit), d = _mm256_or_si256(b, bit);
    marks->quotes = mask64(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote));
    marks->opens = mask64(_mm256_cmpeq_epi8(c, open), _mm256_cmpeq_epi8(d, open));
    marks->closes = mask64(_mm256_cmpeq_epi8(c, close), _mm256_cmpeq_epi8(d, close));
    marks->newlines = mask64(_mm256_cmpeq_epi8(a, newline), _mm256_cmpeq_epi8(b, newline));
    *backslashes = mask64(_mm256_cmpeq_epi8(a, backslash), _mm256_cmpeq_epi8(b, backslash));
}
#endif

bool json_scan_is_fast(void)
{
#if defined(__x86_64__)
    return !portable_only && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

static void portable_marks(const char *bytes, struct json_marks *marks, uint64_t *backslashes)
{
    *marks = (struct json_marks){0};
    *backslashes = 0;
    for (unsigned i = 0; i < JSON_SCAN_STEP; i++) {
        char c = bytes[i];
        marks->quotes |= (uint64_t)(c == '"') << i;
        marks->opens |= (uint64_t)(c == '{' || c == '[') << i;
        marks->closes |= (uint64_t)(c == '}' || c == ']') << i;
        marks->newlines |= (uint64_t)(c == '\n') << i;
        *backslashes |= (uint64_t)(c == '\\') << i;
    }
}

struct json_marks json_scan_marks(const char *bytes, uint64_t *escaped)
{
    struct json_marks marks;
    uint64_t backslashes;
#if defined(__x86_64__)
    if (json_scan_is_fast()) {
        avx2_marks(bytes, &marks, &backslashes);
    } else {
        portable_marks(bytes, &marks, &backslashes);
    }
#else
    portable_marks(bytes, &marks, &backslashes);
#endif
    if (backslashes | *escaped) {
        uint64_t plain = ~escaped_bytes(backslashes, escaped);
        marks.quotes &= plain;
        marks.opens &= plain;
        marks.closes &= plain;
    }
    return marks;
}

static void run_batch(struct json_scan *scan, const char *bytes, size_t at, size_t steps)
{
#if defined(__x86_64__)
    if (json_scan_is_fast()) {
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
