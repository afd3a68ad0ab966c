#include "detect/literal.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/hash.h"

enum { WINDOW = 4, STRIDES = 3, BLOOM_MIN_BITS = 10, BLOOM_MAX_BITS = 18, BITS_A_WINDOW = 16 };
static const unsigned stride_of[STRIDES] = {4, 2, 1};

struct window {
    uint32_t bytes;
    uint32_t literal;
    uint32_t offset; /* where in the literal */
};

struct slot {
    uint32_t bytes;
    uint32_t first;
    uint32_t count; /* 0: free */
};

/* The literals that are searched for with one stride. */
struct group {
    uint64_t *bloom;
    unsigned bloom_shift; /* 32 - bits */
    struct slot *slots;
    uint32_t mask;
    struct window *windows; /* sorted by bytes */
    uint32_t window_count;
};

struct literal_set {
    struct group groups[STRIDES];
    const struct literal_entry *entries;
    uint32_t *shorts; /* entries of under 4 bytes */
    uint32_t short_count;
};

/* Share of a character in folded log text, roughly: what command lines and paths are made of. */
static double character_frequency(unsigned char c)
{
    static const char *const common = "etaoinsrlcdm\\ ";
    if (c >= 0x80) {
        return 0.0005;
    }
    if (strchr(common, c) && c) {
        return 0.055;
    }
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        return 0.02;
    }
    return strchr(".-/\":_=", c) && c ? 0.02 : 0.004;
}

static double window_frequency(const char *at)
{
    double share = 1;
    for (int i = 0; i < WINDOW; i++) {
        share *= character_frequency((unsigned char)at[i]);
    }
    return share;
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

/* The offset whose `count` windows from there on are rarest together. */
static uint32_t rarest_offset(struct slice text, unsigned count)
{
    uint32_t best = 0;
    double least = 1e9;
    size_t last = text.size - WINDOW - (count - 1);
    for (size_t at = 0; at <= last && at < 4096; at++) {
        double sum = 0;
        for (unsigned i = 0; i < count; i++) {
            sum += window_frequency(text.at + at + i);
        }
        if (sum < least) {
            least = sum;
            best = (uint32_t)at;
        }
    }
    return best;
}

static unsigned group_of(size_t size)
{
    return size >= WINDOW + 3 ? 0 : size > WINDOW ? 1 : 2;
}

static uint32_t mix(uint32_t bytes)
{
    return bytes * 0x9E3779B1u;
}

static int by_bytes(const void *a, const void *b)
{
    const struct window *x = a, *y = b;
    if (x->bytes != y->bytes) {
        return x->bytes < y->bytes ? -1 : 1;
    }
    return x->literal < y->literal ? -1 : x->literal > y->literal;
}

static void collect_windows(
        struct group *group, unsigned stride, const struct literal_entry *entries, uint32_t literal)
{
    struct slice text = entries[literal].text;
    uint32_t at = rarest_offset(text, stride);
    for (unsigned i = 0; i < stride; i++) {
        group->windows[group->window_count++] =
                (struct window){(uint32_t)hash_load32(text.at + at + i), literal, at + i};
    }
}

static enum err index_windows(struct arena *arena, struct group *group)
{
    qsort(group->windows, group->window_count, sizeof *group->windows, by_bytes);
    unsigned bits = BLOOM_MIN_BITS;
    while (bits < BLOOM_MAX_BITS && (1u << bits) < group->window_count * BITS_A_WINDOW) {
        bits++;
    }
    uint32_t room = 16;
    while (room < group->window_count * 2) {
        room *= 2;
    }
    group->bloom = ARENA_ARRAY(arena, uint64_t, ((size_t)1 << bits) / 64);
    group->slots = ARENA_ARRAY(arena, struct slot, room);
    if (!group->bloom || !group->slots) {
        return ERR_MEMORY;
    }
    group->bloom_shift = 32 - bits;
    group->mask = room - 1;
    for (uint32_t i = 0; i < group->window_count; i++) {
        uint32_t bytes = group->windows[i].bytes, h = mix(bytes);
        uint32_t bit = h >> group->bloom_shift;
        group->bloom[bit >> 6] |= (uint64_t)1 << (bit & 63);
        uint32_t s = h & group->mask;
        while (group->slots[s].count && group->slots[s].bytes != bytes) {
            s = (s + 1) & group->mask;
        }
        if (group->slots[s].count++ == 0) {
            group->slots[s].bytes = bytes;
            group->slots[s].first = i;
        }
    }
    return OK;
}

static enum err build_group(struct arena *arena, const struct literal_entry *entries, size_t count,
        unsigned which, struct group *group)
{
    size_t windows = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].text.size >= WINDOW && group_of(entries[i].text.size) == which) {
            windows += stride_of[which];
        }
    }
    if (windows == 0) {
        return OK;
    }
    if (windows > UINT32_MAX / (2 * BITS_A_WINDOW)) {
        return ERR_LIMIT;
    }
    group->windows = ARENA_ARRAY(arena, struct window, windows);
    if (!group->windows) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        if (entries[i].text.size >= WINDOW && group_of(entries[i].text.size) == which) {
            collect_windows(group, stride_of[which], entries, (uint32_t)i);
        }
    }
    return index_windows(arena, group);
}

enum err literal_build(struct arena *arena, const struct literal_entry *entries, size_t count,
        const struct literal_set **out)
{
    if (count == 0) {
        *out = NULL;
        return OK;
    }
    struct literal_set *set = ARENA_NEW(arena, struct literal_set);
    struct literal_entry *own = ARENA_ARRAY(arena, struct literal_entry, count);
    uint32_t *shorts = ARENA_ARRAY(arena, uint32_t, count);
    if (!set || !own || !shorts || count > UINT32_MAX) {
        return ERR_MEMORY;
    }
    memcpy(own, entries, count * sizeof *own);
    set->entries = own;
    set->shorts = shorts;
    for (size_t i = 0; i < count; i++) {
        if (own[i].text.size < WINDOW) {
            set->shorts[set->short_count++] = (uint32_t)i;
        }
    }
    for (unsigned which = 0; which < STRIDES; which++) {
        TRY(build_group(arena, own, count, which, &set->groups[which]));
    }
    *out = set;
    return OK;
}

static void verify(const struct literal_set *set, const struct group *group, struct slice value,
        size_t at, struct scan *out)
{
    uint32_t bytes = (uint32_t)hash_load32(value.at + at);
    uint32_t s = mix(bytes) & group->mask;
    while (group->slots[s].count && group->slots[s].bytes != bytes) {
        s = (s + 1) & group->mask;
    }
    const struct slot *slot = &group->slots[s];
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct window *w = &group->windows[slot->first + i];
        const struct literal_entry *e = &set->entries[w->literal];
        if (at >= w->offset && e->text.size <= value.size - (at - w->offset) &&
                memcmp(value.at + at - w->offset, e->text.at, e->text.size) == 0) {
            scan_found(out, e->trigger);
        }
    }
}

static inline void scan_group(const struct literal_set *set, const struct group *group,
        size_t stride, struct slice value, struct scan *out)
{
    const uint64_t *bloom = group->bloom;
    const unsigned shift = group->bloom_shift;
    for (size_t at = 0; at + WINDOW <= value.size; at += stride) {
        uint32_t bit = mix((uint32_t)hash_load32(value.at + at)) >> shift;
        if (__builtin_expect(bloom[bit >> 6] >> (bit & 63) & 1, 0)) {
            verify(set, group, value, at, out);
        }
    }
}

void literal_scan(const struct literal_set *set, struct slice value, struct scan *out)
{
    if (set->groups[0].windows) {
        scan_group(set, &set->groups[0], 4, value, out);
    }
    if (set->groups[1].windows) {
        scan_group(set, &set->groups[1], 2, value, out);
    }
    if (set->groups[2].windows) {
        scan_group(set, &set->groups[2], 1, value, out);
    }
    for (uint32_t i = 0; i < set->short_count; i++) {
        const struct literal_entry *e = &set->entries[set->shorts[i]];
        if (slice_find(value, e->text) != SIZE_MAX) {
            scan_found(out, e->trigger);
        }
    }
}
