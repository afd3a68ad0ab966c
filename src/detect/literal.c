#include "detect/literal.h"

#include <immintrin.h>
#include <stdalign.h>

#include "base/hash.h"
#include "base/memory.h"
#include "detect/keyword.h"

enum { LANES = 32 };                      /* bytes of a vector */
enum { SIEVED = 64, LONGEST_SIEVED = 6 }; /* texts in a sieve, bytes of one */
enum { BOTH_CASES = 0x20 };
enum { LOOKED_AT = 24, COUNTED = 2048 }; /* bytes of a literal, of a value */
enum { KNOWN_HEAD = 48 };
enum { PLACES = 32 }; /* LOOKED_AT and a few: whole vectors */
enum { WINDOW = 4, STRIDES = 3, LIKELY_MIN_BITS = 10, LIKELY_MAX_BITS = 16, PLACES_A_WINDOW = 16 };
static const unsigned stride_of[STRIDES] = {4, 2, 1};

struct window {
    uint32_t bytes;
    uint32_t literal;
    uint32_t offset; /* where in the literal */
};

/* The windows of equal bytes: the only one, or those that stand side by side. */
struct slot {
    uint32_t bytes;
    uint32_t count;  /* 0: free */
    uint32_t first;  /* of one: the literal; of several: the index of the first window */
    uint32_t offset; /* of one */
};

/* What a literal is compared by: a line of the processor's cache, since most searches find it cold.
 */
struct known {
    alignas(64) const char *text;
    uint32_t size;
    uint32_t trigger;
    char head[KNOWN_HEAD];
};

/* The literals that are searched for with one stride. */
struct group {
    uint8_t *likely;       /* by the top bits of a window's hash: some window has them */
    unsigned likely_shift; /* 32 - bits */
    struct slot *slots;
    uint32_t mask;
    struct window *windows; /* those of equal bytes side by side */
};

struct literal_set {
    /* Bits set in every byte of a window: 0, or BOTH_CASES, which makes a letter's two cases (and
     * some marks) one. */
    uint8_t shade;
    struct group groups[STRIDES];
    const struct literal_entry *entries;
    const struct known *known;       /* the same */
    const struct keyword_set *sieve; /* of the texts of KEYWORD_MIN bytes up to 6; or NULL */
    uint32_t *shorts;                /* entries that are searched for one by one */
    uint32_t short_count;
};

/* Share of a character in folded log text, roughly: what command lines and paths are made of.
 * a: common, b: usual, c: rare, d: beyond ASCII. */
static double character_frequency(unsigned char c)
{
    static const char classes[] = "cccccccccccccccccccccccccccccccc"
                                  "acbccccccccccbbbbbbbbbbbbbbccbcc"
                                  "ccccccccccccccccccccccccccccaccb"
                                  "cabaaabbbabbaaaabbaaabbbbbbccccc"
                                  "dddddddddddddddddddddddddddddddd"
                                  "dddddddddddddddddddddddddddddddd"
                                  "dddddddddddddddddddddddddddddddd"
                                  "dddddddddddddddddddddddddddddddd";
    static const double shares[] = {0.055, 0.02, 0.004, 0.0005};
    return shares[classes[c] - 'a'];
}

double literal_frequency(struct slice text)
{
    const double positions = 80; /* of a value */
    double share = 1;
    for (size_t i = 0; i < text.size && i < 64; i++) {
        double f = character_frequency((unsigned char)text.at[i]) * 3;
        share *= f < 1 ? f : 1;
    }
    double expected = share * positions;
    return expected < 0.9 ? expected : 0.9;
}

#define MIX 0x9E3779B1u
static uint32_t mix(uint32_t bytes)
{
    return bytes * MIX;
}

static uint32_t load_shaded(const char *at, uint8_t shade)
{
    return (uint32_t)hash_load32(at) | shade * 0x01010101u;
}

static uint32_t census_slot(const char *window)
{
    return mix((uint32_t)hash_load32(window)) >> 18;
}

void literal_count(struct literal_census *census, struct slice folded)
{
    for (size_t i = 0; i + WINDOW <= folded.size && i < COUNTED; i++) {
        uint16_t *seen = &census->seen[census_slot(folded.at + i)];
        *seen = *seen < UINT16_MAX ? *seen + 1 : *seen;
        census->total++;
    }
}

/* The offset whose `count` (1, 2 or 4) windows from there on are rarest together. Sums are of
 * fixed numbers of places, several at once: those behind the last are of no use. */
static uint32_t rarest_offset(
        const struct literal_census *census, struct slice text, unsigned count)
{
    float characters[PLACES + WINDOW] = {0}, windows[PLACES + 1] = {0}, sums[PLACES];
    size_t last = text.size - WINDOW - (count - 1);
    last = last < LOOKED_AT ? last : LOOKED_AT - 1;
    for (size_t at = 0; at < last + count + WINDOW - 1; at++) {
        characters[at] = (float)character_frequency((unsigned char)text.at[at]);
    }
    for (size_t at = 0; at < PLACES; at++) {
        const float *c = characters + at;
        windows[at] = c[0] * c[1] * c[2] * c[3];
    }
    float seen = census && census->total ? 1 / (float)census->total : 0;
    for (size_t at = 0; seen > 0 && at < last + count; at++) {
        windows[at] += seen * (float)census->seen[census_slot(text.at + at)];
    }
    const float *sum = windows;
    if (count > 1) {
        for (size_t at = 0; at < PLACES; at++) {
            sums[at] = windows[at] + windows[at + 1];
        }
        sum = sums;
    }
    uint32_t best = 0;
    float least = 1e9f;
    for (size_t at = 0; at <= last; at++) {
        float all = count > 2 ? sum[at] + sum[at + 2] : sum[at];
        best = all < least ? (uint32_t)at : best;
        least = all < least ? all : least;
    }
    return best;
}

static unsigned group_of(size_t size)
{
    return size >= WINDOW + 3 ? 0 : size > WINDOW ? 1 : 2;
}

/* What a group is made from. */
struct source {
    const struct literal_entry *entries;
    size_t count;
    const struct literal_census *census;
    unsigned which; /* of the groups */
    uint8_t shade;
};

static bool is_of(const struct source *s, size_t i)
{
    return s->entries[i].text.size >= WINDOW && group_of(s->entries[i].text.size) == s->which;
}

static void collect_windows(const struct source *s, struct window *windows)
{
    unsigned stride = stride_of[s->which];
    for (size_t e = 0; e < s->count; e++) {
        if (!is_of(s, e)) {
            continue;
        }
        uint32_t at = rarest_offset(s->census, s->entries[e].text, stride);
        for (unsigned i = 0; i < stride; i++) {
            uint32_t bytes = load_shaded(s->entries[e].text.at + at + i, s->shade);
            *windows++ = (struct window){bytes, (uint32_t)e, at + i};
        }
    }
}

static struct slot *slot_of(const struct group *group, uint32_t bytes)
{
    /* The low bits of a product know the low bits of its factors alone. */
    uint32_t s = mix(bytes) >> 8 & group->mask;
    while (group->slots[s].count && group->slots[s].bytes != bytes) {
        s = (s + 1) & group->mask;
    }
    return &group->slots[s];
}

/* Puts the windows of equal bytes side by side, reached by slot; `at` is room for as many numbers.
 */
static void index_windows(
        struct group *group, const struct window *windows, uint32_t count, uint32_t *at)
{
    for (uint32_t i = 0; i < count; i++) {
        group->likely[mix(windows[i].bytes) >> group->likely_shift] = 1;
        struct slot *slot = slot_of(group, windows[i].bytes);
        slot->bytes = windows[i].bytes;
        slot->count++;
        at[i] = (uint32_t)(slot - group->slots);
    }
    uint32_t first = 0;
    for (uint32_t s = 0; s <= group->mask; s++) {
        group->slots[s].first = first;
        first += group->slots[s].count;
    }
    for (uint32_t i = 0; i < count; i++) {
        group->windows[group->slots[at[i]].first++] = windows[i];
    }
    for (uint32_t s = 0; s <= group->mask; s++) {
        struct slot *slot = &group->slots[s];
        slot->first -= slot->count;
        if (slot->count == 1) {
            const struct window *only = &group->windows[slot->first];
            slot->offset = only->offset;
            slot->first = only->literal;
        }
    }
}

static enum err make_group(struct arena *arena, struct group *group, uint32_t count)
{
    unsigned bits = LIKELY_MIN_BITS;
    while (bits < LIKELY_MAX_BITS && (1u << bits) < count * PLACES_A_WINDOW) {
        bits++;
    }
    uint32_t room = 16;
    while (room < count * 2) {
        room *= 2;
    }
    group->likely = ARENA_ARRAY(arena, uint8_t, (size_t)1 << bits);
    group->slots = ARENA_ARRAY(arena, struct slot, room);
    group->windows = ARENA_ARRAY(arena, struct window, count);
    group->likely_shift = 32 - bits;
    group->mask = room - 1;
    return group->likely && group->slots && group->windows ? OK : ERR_MEMORY;
}

static enum err build_group(struct arena *arena, const struct source *s, struct group *group)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        count += is_of(s, i) ? stride_of[s->which] : 0;
    }
    if (count == 0) {
        return OK;
    }
    if (count > UINT32_MAX / (2 * PLACES_A_WINDOW)) {
        return ERR_LIMIT;
    }
    struct window *windows = memory_alloc_array(count, sizeof *windows + sizeof(uint32_t));
    if (!windows) {
        return ERR_MEMORY;
    }
    enum err e = make_group(arena, group, (uint32_t)count);
    if (e == OK) {
        collect_windows(s, windows);
        index_windows(group, windows, (uint32_t)count, (uint32_t *)(void *)(windows + count));
    }
    memory_free(windows);
    return e;
}

static bool fits_sieve(struct slice text)
{
    return text.size >= KEYWORD_MIN && text.size <= LONGEST_SIEVED;
}

/* The entries, and what they are compared by, in the set's own memory. */
static enum err keep_entries(struct arena *arena, const struct literal_entry *entries, size_t count,
        struct literal_set *set)
{
    struct literal_entry *own = ARENA_ARRAY(arena, struct literal_entry, count);
    struct known *known = ARENA_ARRAY(arena, struct known, count);
    if (!own || !known || count > UINT32_MAX) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        struct slice text = entries[i].text;
        if (text.size > UINT32_MAX) {
            return ERR_LIMIT;
        }
        own[i] = entries[i];
        known[i].text = text.at;
        known[i].size = (uint32_t)text.size;
        known[i].trigger = entries[i].trigger;
        memcpy(known[i].head, text.at, text.size < KNOWN_HEAD ? text.size : KNOWN_HEAD);
    }
    set->entries = own;
    set->known = known;
    return OK;
}

/* *out is NULL for no short texts, or for too many, or some beyond ASCII. */
static enum err build_sieve(struct arena *arena, const struct literal_entry *entries, size_t count,
        const struct keyword_set **out)
{
    struct keyword_entry list[SIEVED];
    size_t n = 0;
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!fits_sieve(entries[i].text)) {
            continue;
        }
        if (n == SIEVED || !slice_is_ascii(entries[i].text)) {
            return OK;
        }
        list[n++] = (struct keyword_entry){entries[i].text, entries[i].trigger};
    }
    return keyword_build(arena, list, n, out);
}

enum err literal_build(struct arena *arena, const struct literal_entry *entries, size_t count,
        const struct literal_census *census, const struct literal_set **out)
{
    if (count == 0) {
        *out = NULL;
        return OK;
    }
    struct literal_set *set = ARENA_NEW(arena, struct literal_set);
    uint32_t *shorts = ARENA_ARRAY(arena, uint32_t, count);
    if (!set || !shorts) {
        return ERR_MEMORY;
    }
    TRY(keep_entries(arena, entries, count, set));
    const struct literal_entry *own = set->entries;
    set->shorts = shorts;
    bool sieved = false;
    TRY(build_sieve(arena, own, count, &set->sieve));
    sieved = set->sieve != NULL;
    for (size_t i = 0; i < count; i++) {
        if (own[i].text.size < (sieved ? KEYWORD_MIN : WINDOW)) {
            set->shorts[set->short_count++] = (uint32_t)i;
        }
    }
    for (unsigned which = 0; which < (sieved ? 1 : STRIDES); which++) {
        struct source source = {own, count, census, which, 0};
        TRY(build_group(arena, &source, &set->groups[which]));
    }
    *out = set;
    return OK;
}

enum err literal_build_any_case(struct arena *arena, const struct literal_entry *entries,
        size_t count, const struct literal_set **out)
{
    struct literal_set *set = ARENA_NEW(arena, struct literal_set);
    if (!set) {
        return ERR_MEMORY;
    }
    TRY(keep_entries(arena, entries, count, set));
    set->shade = BOTH_CASES;
    struct source source = {set->entries, count, NULL, 0, BOTH_CASES};
    TRY(build_group(arena, &source, &set->groups[0]));
    *out = set;
    return OK;
}

static inline uint64_t same_lanes(const char *a, const char *b)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)a);
    __m128i y = _mm_loadu_si128((const __m128i *)(const void *)b);
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y));
}

/* Are the first bytes, up to KNOWN_HEAD, the same? LITERAL_SLACK bytes behind the value are
 * readable. */
static bool is_head(const char *at, const struct known *known)
{
    uint32_t size = known->size < KNOWN_HEAD ? known->size : KNOWN_HEAD;
    uint64_t same = same_lanes(at, known->head) | same_lanes(at + 16, known->head + 16) << 16 |
                    same_lanes(at + 32, known->head + 32) << 32;
    return (~same & (((uint64_t)1 << size) - 1)) == 0;
}

/* Does the text stand at `at`, which `shade` says may have capitals? */
static bool is_text(const char *at, const struct known *known, uint8_t shade)
{
    if (shade) {
        return slice_equal_nocase(slice_of(at, known->size), slice_of(known->text, known->size));
    }
    const size_t head = KNOWN_HEAD;
    return is_head(at, known) &&
           (known->size <= head || memcmp(at + head, known->text + head, known->size - head) == 0);
}

static inline void verify_one(const struct literal_set *set, const struct known *known,
        struct slice value, size_t start, struct scan *out)
{
    /* The window may reach behind the value; the text must not. */
    if (known->size + start <= value.size && is_text(value.at + start, known, set->shade)) {
        scan_found(out, known->trigger);
    }
}

static void verify(const struct literal_set *set, const struct group *group, struct slice value,
        size_t at, struct scan *out)
{
    const struct slot *slot = slot_of(group, load_shaded(value.at + at, set->shade));
    if (slot->count == 1) {
        if (at >= slot->offset) {
            verify_one(set, &set->known[slot->first], value, at - slot->offset, out);
        }
        return;
    }
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct window *w = &group->windows[slot->first + i];
        if (at >= w->offset) {
            verify_one(set, &set->known[w->literal], value, at - w->offset, out);
        }
    }
}

/* From a multiple of the stride on. */
static void scan_plain(const struct literal_set *set, unsigned which, struct slice value,
        size_t from, struct scan *out)
{
    const struct group *group = &set->groups[which];
    for (size_t at = from; at + WINDOW <= value.size; at += stride_of[which]) {
        uint32_t bytes = load_shaded(value.at + at, set->shade);
        if (group->likely[mix(bytes) >> group->likely_shift]) {
            verify(set, group, value, at, out);
        }
    }
}

/* The eight windows that stand side by side from `at` on. */
__attribute__((target("avx2"))) static inline void scan_eight(const struct literal_set *set,
        const struct group *group, struct slice value, size_t at, struct scan *out)
{
    uint32_t places[8];
    const uint8_t *likely = group->likely;
    __m256i windows = _mm256_loadu_si256((const __m256i *)(const void *)(value.at + at));
    windows = _mm256_or_si256(windows, _mm256_set1_epi8((char)set->shade));
    __m256i hashes = _mm256_mullo_epi32(windows, _mm256_set1_epi32((int)MIX));
    _mm256_storeu_si256((__m256i *)(void *)places,
            _mm256_srl_epi32(hashes, _mm_cvtsi32_si128((int)group->likely_shift)));
    unsigned any = likely[places[0]] | likely[places[1]] | likely[places[2]] | likely[places[3]];
    any |= likely[places[4]] | likely[places[5]] | likely[places[6]] | likely[places[7]];
    if (__builtin_expect(any == 0, 1)) {
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (likely[places[i]]) {
            verify(set, group, value, at + i * WINDOW, out);
        }
    }
}

__attribute__((target("avx2"))) static void scan_wide(
        const struct literal_set *set, unsigned which, struct slice value, struct scan *out)
{
    const struct group *group = &set->groups[which];
    for (size_t at = 0; at + WINDOW <= value.size; at += 8 * WINDOW) {
        for (size_t shift = 0; shift < WINDOW; shift += stride_of[which]) {
            scan_eight(set, group, value, at + shift, out);
        }
    }
}

/* Returns where it got to: less than a vector is left. */
__attribute__((target("avx2"))) static size_t scan_whole_vectors(
        const struct literal_set *set, struct slice text, struct scan *out)
{
    size_t at = 0;
    for (; at + LANES <= text.size; at += LANES) {
        scan_eight(set, &set->groups[0], text, at, out);
    }
    return at;
}

void literal_scan_any_case(const struct literal_set *set, struct slice text, struct scan *out)
{
    size_t at = __builtin_cpu_supports("avx2") ? scan_whole_vectors(set, text, out) : 0;
    scan_plain(set, 0, text, at, out);
}

void literal_scan(const struct literal_set *set, struct slice value, struct scan *out)
{
    for (unsigned which = 0; which < STRIDES; which++) {
        if (set->groups[which].windows && __builtin_cpu_supports("avx2")) {
            scan_wide(set, which, value, out);
        } else if (set->groups[which].windows) {
            scan_plain(set, which, value, 0, out);
        }
    }
    if (set->sieve) {
        (void)keyword_scan(set->sieve, value, 1, out); /* the value is folded */
    }
    for (uint32_t i = 0; i < set->short_count; i++) {
        const struct literal_entry *e = &set->entries[set->shorts[i]];
        if (literal_stands_in(value, e->text, literal_rare_places(e->text))) {
            scan_found(out, e->trigger);
        }
    }
}

/* ---- one text ---- */

struct literal_places literal_rare_places(struct slice text)
{
    struct literal_places best = {0, 0};
    double least = 9, second = 9;
    for (size_t i = 0; i < text.size && i < LOOKED_AT; i++) {
        double f = character_frequency((unsigned char)text.at[i]);
        if (f < least) {
            best.second = best.first;
            second = least;
            best.first = (uint8_t)i;
            least = f;
        } else if (f < second) {
            best.second = (uint8_t)i;
            second = f;
        }
    }
    return best;
}

/* Places where the two bytes fit are compared in full; what is read behind the value is masked
 * off. */
__attribute__((target("avx2"))) static bool find_wide(
        struct slice value, struct slice text, struct literal_places places)
{
    const __m256i first = _mm256_set1_epi8(text.at[places.first]);
    const __m256i second = _mm256_set1_epi8(text.at[places.second]);
    const size_t ends = value.size - text.size + 1;
    for (size_t at = 0; at < ends; at += LANES) {
        const char *p = value.at + at;
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + places.first));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + places.second));
        unsigned hits = (unsigned)_mm256_movemask_epi8(
                _mm256_and_si256(_mm256_cmpeq_epi8(a, first), _mm256_cmpeq_epi8(b, second)));
        if (ends - at < LANES) {
            hits &= (1u << (ends - at)) - 1;
        }
        for (; hits; hits &= hits - 1) {
            if (memcmp(p + __builtin_ctz(hits), text.at, text.size) == 0) {
                return true;
            }
        }
    }
    return false;
}

bool literal_stands_in(struct slice value, struct slice text, struct literal_places places)
{
    if (text.size > value.size) {
        return false;
    }
    if (text.size == 0) {
        return true;
    }
    return __builtin_cpu_supports("avx2") ? find_wide(value, text, places)
                                          : slice_find(value, text) != SIZE_MAX;
}
