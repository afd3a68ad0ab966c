#include "detect/keyword.h"

#include <immintrin.h>
#include <stdlib.h>

#include "detect/literal.h"

enum { BUCKETS = 8, PRINT = 3, LANES = 32 };
enum { MANY = 32 }; /* parts: a sieve of more lets too much through */

/* Three bytes of each part are its print. A record's byte is looked up by each half: a table says
 * in which buckets some print has such a half at that place; a bucket that is left after all six
 * look-ups sends its print to be looked up. */
struct slot {
    uint32_t mark; /* the print's bytes, bit 5 set, as a number */
    uint32_t first;
    uint32_t count; /* of entries; 0: free */
};

struct keyword_set {
    uint8_t low[PRINT][16];
    uint8_t high[PRINT][16];
    const struct keyword_entry *entries; /* those of one print side by side */
    const uint32_t *prints;              /* where the print stands in the part */
    struct slot *slots;                  /* by print: a hash table, more than half of it free */
    uint32_t mask;
    /* Of many parts, for text of one byte a character: the long ones, and a set of the others. NULL
     * where there are none. */
    const struct literal_set *strided;
    struct keyword_set *rest;
};

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

static bool searchable(char c)
{
    return c >= ' ' && c < 0x7F && c != '"' && c != '\\';
}

struct slice keyword_part(struct slice folded)
{
    struct slice best = {0};
    double least = 2;
    size_t start = 0;
    if (folded.size == 0) {
        return best;
    }
    for (size_t i = 0; i <= folded.size; i++) {
        if (i < folded.size && searchable(folded.at[i])) {
            continue;
        }
        struct slice run = slice_of(folded.at + start, i - start);
        start = i + 1;
        if (run.size >= KEYWORD_MIN && literal_frequency(run) < least) {
            least = literal_frequency(run);
            best = run;
        }
    }
    return best;
}

static bool odd_at(const char *at, unsigned step)
{
    /* U+212A and U+017F, in UTF-16LE and in UTF-8. */
    return step == 2 ? memcmp(at, "\x2A\x21", 2) == 0 || memcmp(at, "\x7F\x01", 2) == 0
                     : memcmp(at, "\xE2\x84", 2) == 0 || memcmp(at, "\xC5\xBF", 2) == 0;
}

/* Two neighbours at each of 32 places. */
__attribute__((target("avx2"))) static inline __m256i pair(__m256i a, __m256i b, int x, int y)
{
    return _mm256_and_si256(_mm256_cmpeq_epi8(a, _mm256_set1_epi8((char)x)),
            _mm256_cmpeq_epi8(b, _mm256_set1_epi8((char)y)));
}

/* Returns where it got to. */
__attribute__((target("avx2"))) static size_t find_odd_utf8(struct slice record, bool *found)
{
    size_t at = 0;
    for (; at + LANES + 1 <= record.size && !*found; at += LANES) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(record.at + at));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(record.at + at + 1));
        __m256i any = _mm256_or_si256(pair(a, b, 0xE2, 0x84), pair(a, b, 0xC5, 0xBF));
        *found = !_mm256_testz_si256(any, any);
    }
    return at;
}

/* Units of UTF-16 at `at`, and on in steps of `by` bytes, that a part may be found in; at most
 * KEYWORD_MIN. */
static unsigned units_at(struct slice record, size_t at, int by)
{
    unsigned count = 0;
    while (count < KEYWORD_MIN && at < record.size && record.size - at >= 2) {
        const char *unit = record.at + at;
        bool plain = unit[1] == 0 && unit[0] >= ' ' && unit[0] < 0x7F;
        if (!plain && !odd_at(unit, 2)) {
            break;
        }
        count++;
        at += (size_t)by; /* from below 0 past the record's end */
    }
    return count;
}

/* Binary values have the bytes of an odd letter by chance: it counts where it stands among so many
 * others as the shortest part has. */
static bool folds_oddly_wide(struct slice record)
{
    for (size_t at = 0; at + 2 <= record.size; at++) {
        if (odd_at(record.at + at, 2) &&
                units_at(record, at, 2) + units_at(record, at, -2) > KEYWORD_MIN) {
            return true;
        }
    }
    return false;
}

static bool folds_oddly(struct slice record, unsigned step)
{
    bool found = false;
    size_t at = 0;
    if (step == 2) {
        return folds_oddly_wide(record);
    }
    if (__builtin_cpu_supports("avx2")) {
        at = find_odd_utf8(record, &found);
    }
    for (; at + 2 <= record.size && !found; at++) {
        found = odd_at(record.at + at, step);
    }
    return found;
}

bool keyword_is_bare(struct slice part)
{
    /* Digits, hexadecimal digits, the words true, false, null, inf and nan, and what stands
     * between the digits of times, GUIDs, SIDs and addresses. */
    for (size_t i = 0; i < part.size; i++) {
        if (!memchr("0123456789abcdefxtzrulnis-+.:{} ", part.at[i], 32)) {
            return false;
        }
    }
    return true;
}

static bool is_doubled(const char *at)
{
    return at[0] == at[1] && !((at[0] >= 'a' && at[0] <= 'z') || (at[0] >= '0' && at[0] <= '9'));
}

/* A mark that is written twice is far rarer than twice the same mark. */
static double print_frequency(const char *at)
{
    double f = literal_frequency(slice_of(at, PRINT));
    return is_doubled(at) || is_doubled(at + 1) ? f * 0.01 : f;
}

static uint32_t rarest_print(struct slice part)
{
    uint32_t best = 0;
    double least = 2;
    for (size_t i = 0; i + PRINT <= part.size; i++) {
        double f = print_frequency(part.at + i);
        if (f < least) {
            least = f;
            best = (uint32_t)i;
        }
    }
    return best;
}

/* Three characters, bit 5 set: that folds letters. */
static uint32_t mark_at(const char *at, unsigned step)
{
    uint32_t bytes = (uint32_t)(unsigned char)at[0] | (uint32_t)(unsigned char)at[step] << 8 |
                     (uint32_t)(unsigned char)at[2 * step] << 16;
    return bytes | 0x202020;
}

static void add_print(struct keyword_set *set, unsigned bucket, const char *print)
{
    for (int i = 0; i < PRINT; i++) {
        unsigned char c = (unsigned char)print[i];
        unsigned char other = c >= 'a' && c <= 'z' ? (unsigned char)(c - 32) : c;
        set->low[i][c & 15] |= (uint8_t)(1u << bucket);
        set->high[i][c >> 4] |= (uint8_t)(1u << bucket);
        set->high[i][other >> 4] |= (uint8_t)(1u << bucket);
    }
}

static struct slot *slot_of(const struct keyword_set *set, uint32_t mark)
{
    uint32_t s = mark * 0x9E3779B1u >> 8 & set->mask;
    while (set->slots[s].count && set->slots[s].mark != mark) {
        s = (s + 1) & set->mask;
    }
    return &set->slots[s];
}

struct listed {
    struct keyword_entry entry;
    uint32_t print, mark;
};

static int by_mark(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    return x->mark < y->mark ? -1 : x->mark > y->mark;
}

/* *out is NULL for no entries. */
static enum err make_sieve(struct arena *arena, const struct keyword_entry *entries, size_t count,
        struct keyword_set **out)
{
    if (count == 0) {
        *out = NULL;
        return OK;
    }
    uint32_t room = 16;
    while (room < count * 4) {
        room *= 2;
    }
    struct keyword_set *set = ARENA_NEW(arena, struct keyword_set);
    struct keyword_entry *own = ARENA_ARRAY(arena, struct keyword_entry, count);
    uint32_t *prints = ARENA_ARRAY(arena, uint32_t, count);
    struct listed *list = ARENA_ARRAY(arena, struct listed, count);
    struct slot *slots = ARENA_ARRAY(arena, struct slot, room);
    if (!set || !own || !prints || !list || !slots) {
        return ERR_MEMORY;
    }
    set->slots = slots;
    set->mask = room - 1;
    for (size_t i = 0; i < count; i++) {
        list[i].entry = entries[i];
        list[i].print = rarest_print(entries[i].part);
        list[i].mark = mark_at(entries[i].part.at + list[i].print, 1);
    }
    /* Like prints share a bucket, so that a bucket has few different halves of bytes. */
    qsort(list, count, sizeof *list, by_mark);
    for (uint32_t i = 0; i < count; i++) {
        own[i] = list[i].entry;
        prints[i] = list[i].print;
        add_print(set, (unsigned)(i * (uint64_t)BUCKETS / count), own[i].part.at + prints[i]);
        struct slot *slot = slot_of(set, list[i].mark);
        if (slot->count++ == 0) {
            slot->mark = list[i].mark;
            slot->first = i;
        }
    }
    set->entries = own;
    set->prints = prints;
    *out = set;
    return OK;
}

/* Parts long enough for windows are searched for by these. */
static enum err part_many(struct arena *arena, const struct keyword_entry *entries, size_t count,
        struct keyword_set *set)
{
    struct literal_entry *strided = ARENA_ARRAY(arena, struct literal_entry, count);
    struct keyword_entry *rest = ARENA_ARRAY(arena, struct keyword_entry, count);
    size_t strided_count = 0, rest_count = 0;
    if (!strided || !rest) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        if (entries[i].part.size >= LITERAL_STRIDED) {
            strided[strided_count++] = (struct literal_entry){entries[i].part, entries[i].trigger};
        } else {
            rest[rest_count++] = entries[i];
        }
    }
    if (strided_count == 0) {
        return OK;
    }
    TRY(literal_build_any_case(arena, strided, strided_count, &set->strided));
    return make_sieve(arena, rest, rest_count, &set->rest);
}

enum err keyword_build(struct arena *arena, const struct keyword_entry *entries, size_t count,
        const struct keyword_set **out)
{
    struct keyword_set *set;
    TRY(make_sieve(arena, entries, count, &set));
    *out = set;
    return count > MANY ? part_many(arena, entries, count, set) : OK;
}

/* What is searched, and how far its characters are apart. */
struct haystack {
    struct slice record;
    unsigned step;
};

static bool stands_at(const struct haystack *in, size_t at, struct slice part)
{
    const struct slice record = in->record;
    const unsigned step = in->step;
    if (at > record.size || part.size * step - (step - 1) > record.size - at) {
        return false;
    }
    for (size_t i = 0; i < part.size; i++) {
        if (lower(record.at[at + i * step]) != (unsigned char)part.at[i]) {
            return false;
        }
    }
    return true;
}

/* A print may begin at `at`. */
static void verify(
        const struct keyword_set *set, const struct haystack *in, size_t at, struct scan *out)
{
    const struct slot *slot = slot_of(set, mark_at(in->record.at + at, in->step));
    for (uint32_t i = slot->first; i < slot->first + slot->count; i++) {
        size_t before = (size_t)set->prints[i] * in->step;
        if (before <= at && stands_at(in, at - before, set->entries[i].part)) {
            scan_found(out, set->entries[i].trigger);
        }
    }
}

static bool passes(const struct keyword_set *set, const char *at, unsigned step)
{
    unsigned buckets = 0xFF;
    for (unsigned i = 0; i < PRINT; i++) {
        unsigned char c = (unsigned char)at[i * step];
        buckets &= set->low[i][c & 15] & set->high[i][c >> 4];
    }
    return buckets != 0;
}

static void scan_plain(const struct keyword_set *set, const struct haystack *in, struct scan *out)
{
    size_t span = (PRINT - 1) * in->step + 1;
    for (size_t at = 0; at + span <= in->record.size; at++) {
        if (passes(set, in->record.at + at, in->step)) {
            verify(set, in, at, out);
        }
    }
}

/* A byte of 0x80 or more finds nothing: prints are ASCII. */
__attribute__((target("avx2"))) static inline __m256i look_up(
        __m256i low, __m256i high, __m256i bytes)
{
    __m256i halves = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
    return _mm256_and_si256(_mm256_shuffle_epi8(low, bytes), _mm256_shuffle_epi8(high, halves));
}

__attribute__((target("avx2"))) static inline __m256i load(const char *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

__attribute__((target("avx2"))) static inline __m256i table(const uint8_t *bytes)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)bytes));
}

__attribute__((target("avx2"), noinline)) static void verify_lanes(const struct keyword_set *set,
        const struct haystack *in, size_t at, __m256i found, struct scan *out)
{
    unsigned lanes =
            ~(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(found, _mm256_setzero_si256()));
    for (; lanes; lanes &= lanes - 1) {
        verify(set, in, at + (unsigned)__builtin_ctz(lanes), out);
    }
}

/* Where `a` and, a byte further, `b` hold what may be an odd letter. */
__attribute__((target("avx2"))) static inline __m256i odd_pairs(__m256i a, __m256i b, unsigned step)
{
    if (step == 1) {
        return a; /* any byte beyond ASCII: bit 7 is looked at */
    }
    return _mm256_or_si256(pair(a, b, 0x2A, 0x21), pair(a, b, 0x7F, 0x01));
}

/* For records of at least one reach; the last step overlaps the one before. false: some letter may
 * be odd. */
__attribute__((target("avx2"))) static inline bool scan_steps(
        const struct keyword_set *set, const struct haystack *in, size_t step, struct scan *out)
{
    const __m256i l0 = table(set->low[0]), l1 = table(set->low[1]), l2 = table(set->low[2]);
    const __m256i h0 = table(set->high[0]), h1 = table(set->high[1]), h2 = table(set->high[2]);
    const size_t reach = LANES + (PRINT - 1) * step;
    const char *p = in->record.at, *last = p + in->record.size - reach;
    __m256i odd = _mm256_setzero_si256();
    for (;; p = p + LANES <= last ? p + LANES : last) {
        __m256i a = load(p), b = load(p + step), c = load(p + 2 * step);
        odd = _mm256_or_si256(odd, odd_pairs(a, step == 1 ? b : load(p + 1), (unsigned)step));
        __m256i found = _mm256_and_si256(look_up(l0, h0, a), look_up(l1, h1, b));
        found = _mm256_and_si256(found, look_up(l2, h2, c));
        if (__builtin_expect(!_mm256_testz_si256(found, found), 0)) {
            verify_lanes(set, in, (size_t)(p - in->record.at), found, out);
        }
        if (p == last) {
            break;
        }
    }
    /* The bytes that were looked at as second and third ones only. */
    for (const char *rest = last + LANES; rest + 2 <= last + reach; rest++) {
        if (odd_at(rest, (unsigned)step)) {
            return false;
        }
    }
    return _mm256_movemask_epi8(odd) == 0;
}

__attribute__((target("avx2"))) static bool scan_wide(
        const struct keyword_set *set, const struct haystack *in, struct scan *out)
{
    return in->step == 1 ? scan_steps(set, in, 1, out) : scan_steps(set, in, 2, out);
}

/* A shorter record, with NULs behind it, which no part has. */
__attribute__((target("avx2"))) static bool scan_short(
        const struct keyword_set *set, struct slice record, struct scan *out)
{
    char padded[LANES + PRINT - 1] = {0};
    const struct haystack in = {slice_of(padded, sizeof padded), 1};
    memcpy(padded, record.at, record.size);
    return scan_steps(set, &in, 1, out);
}

bool keyword_scan(
        const struct keyword_set *set, struct slice record, unsigned step, struct scan *out)
{
    if (step == 1 && set->strided) {
        literal_scan_any_case(set->strided, record, out);
        return set->rest ? keyword_scan(set->rest, record, 1, out) : !folds_oddly(record, 1);
    }
    const struct haystack in = {record, step};
    size_t reach = LANES + (size_t)(PRINT - 1) * step;
    if (record.size >= reach && __builtin_cpu_supports("avx2")) {
        return scan_wide(set, &in, out) || !folds_oddly(record, step);
    }
    if (step == 1 && record.size > 0 && record.size < reach && __builtin_cpu_supports("avx2")) {
        return scan_short(set, record, out) || !folds_oddly(record, step);
    }
    scan_plain(set, &in, out);
    return !folds_oddly(record, step);
}
