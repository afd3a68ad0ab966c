#include "detect/anchor.h"

#include <stdbool.h>

#include "base/hash.h"
#include "sigma/predicate.h"

enum { KEY_BYTES = 8 };

struct slot {
    uint64_t key;
    uint32_t first; /* index of its first entry */
    uint32_t count; /* 0: a free slot */
};

struct anchor_set {
    struct slot *slots;
    uint64_t mask;
    struct anchor_entry *entries; /* of one key side by side */
    uint8_t prefix_sizes[KEY_BYTES];
    uint8_t suffix_sizes[KEY_BYTES];
    uint8_t prefix_count;
    uint8_t suffix_count;
    bool has_equal;
    bool has_number;
};

static uint64_t salted(enum anchor_kind kind, unsigned size, uint64_t bytes)
{
    return (bytes ^ (uint64_t)kind << 62 ^ (uint64_t)size << 56) * 0x9E3779B97F4A7C15u ^ bytes >> 7;
}

/* The first or last `size` bytes (1 to 8) of a text that has them, as a number. */
static uint64_t first_bytes(struct slice text, unsigned size)
{
    uint64_t word = 0;
    memcpy(&word, text.at, size);
    return word;
}

static uint64_t last_bytes(struct slice text, unsigned size)
{
    uint64_t word = 0;
    memcpy(&word, text.at + text.size - size, size);
    return word;
}

static unsigned key_size(struct slice text)
{
    return text.size < KEY_BYTES ? (unsigned)text.size : KEY_BYTES;
}

/* Integers of over 53 bits may share a key, as they share a number that is written with a fraction
 * or an exponent. */
static uint64_t number_key(double number)
{
    uint64_t bits;
    number += 0.0; /* minus zero is zero */
    memcpy(&bits, &number, sizeof bits);
    return salted(ANCHOR_NUMBER, 0, bits);
}

static uint64_t entry_key(const struct anchor_entry *e)
{
    unsigned size = key_size(e->text);
    switch (e->kind) {
    case ANCHOR_PREFIX:
        return salted(e->kind, size, first_bytes(e->text, size));
    case ANCHOR_SUFFIX:
        return salted(e->kind, size, last_bytes(e->text, size));
    case ANCHOR_NUMBER:
        return number_key((double)e->integer);
    default:
        return salted(ANCHOR_EQUAL, 0, hash_bytes(e->text, 0));
    }
}

static struct slot *slot_of(const struct anchor_set *set, uint64_t key)
{
    uint64_t i = (key ^ key >> 32) & set->mask;
    while (set->slots[i].count && set->slots[i].key != key) {
        i = (i + 1) & set->mask;
    }
    return &set->slots[i];
}

static void add_size(uint8_t *sizes, uint8_t *count, unsigned size)
{
    for (unsigned i = 0; i < *count; i++) {
        if (sizes[i] == size) {
            return;
        }
    }
    sizes[(*count)++] = (uint8_t)size;
}

static void note_kinds(struct anchor_set *set, const struct anchor_entry *e)
{
    switch (e->kind) {
    case ANCHOR_PREFIX:
        add_size(set->prefix_sizes, &set->prefix_count, key_size(e->text));
        break;
    case ANCHOR_SUFFIX:
        add_size(set->suffix_sizes, &set->suffix_count, key_size(e->text));
        break;
    case ANCHOR_NUMBER:
        set->has_number = true;
        break;
    default:
        set->has_equal = true;
    }
}

enum err anchor_build(struct arena *arena, const struct anchor_entry *entries, size_t count,
        const struct anchor_set **out)
{
    if (count == 0) {
        *out = NULL;
        return OK;
    }
    size_t room = 16;
    while (room < count * 4) {
        room *= 2;
    }
    struct anchor_set *set = ARENA_NEW(arena, struct anchor_set);
    struct slot *slots = ARENA_ARRAY(arena, struct slot, room);
    struct anchor_entry *sorted = ARENA_ARRAY(arena, struct anchor_entry, count);
    if (!set || !slots || !sorted) {
        return ERR_MEMORY;
    }
    set->slots = slots;
    set->mask = room - 1;
    set->entries = sorted;
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = slot_of(set, entry_key(&entries[i]));
        slot->key = entry_key(&entries[i]);
        slot->count++;
        note_kinds(set, &entries[i]);
    }
    uint32_t first = 0;
    for (size_t i = 0; i < room; i++) {
        set->slots[i].first = first;
        first += set->slots[i].count;
    }
    /* Fill each key's run from its end, by counting `first` up and back. */
    for (size_t i = 0; i < count; i++) {
        sorted[slot_of(set, entry_key(&entries[i]))->first++] = entries[i];
    }
    for (size_t i = 0; i < room; i++) {
        set->slots[i].first -= set->slots[i].count;
    }
    *out = set;
    return OK;
}

static bool holds(const struct anchor_entry *e, struct slice value)
{
    switch (e->kind) {
    case ANCHOR_PREFIX:
        return slice_starts(value, e->text);
    case ANCHOR_SUFFIX:
        return slice_ends(value, e->text);
    default:
        return slice_equal(value, e->text);
    }
}

static inline void probe(const struct anchor_set *set, enum anchor_kind kind, uint64_t key,
        struct slice value, struct scan *out)
{
    const struct slot *slot = slot_of(set, key);
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct anchor_entry *e = &set->entries[slot->first + i];
        if (e->kind == kind && holds(e, value)) {
            scan_found(out, e->trigger);
        }
    }
}

static void scan_number(const struct anchor_set *set, struct slice value, struct scan *out)
{
    double number;
    bool is_integer;
    int64_t integer;
    if (value.size == 0 || (value.at[0] != '-' && (value.at[0] < '0' || value.at[0] > '9')) ||
            !predicate_parse_number(value, &number, &is_integer, &integer)) {
        return;
    }
    const struct slot *slot = slot_of(set, number_key(number));
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct anchor_entry *e = &set->entries[slot->first + i];
        bool equal = is_integer ? e->integer == integer : (double)e->integer == number;
        if (e->kind == ANCHOR_NUMBER && equal) {
            scan_found(out, e->trigger);
        }
    }
}

static inline uint64_t low_bytes(uint64_t word, unsigned size)
{
    return size == KEY_BYTES ? word : word & (((uint64_t)1 << (size * 8)) - 1);
}

static void scan_ends(const struct anchor_set *set, struct slice value, struct scan *out)
{
    char ends[2 * KEY_BYTES] = {0};
    const char *front = value.at, *back = value.at + value.size - KEY_BYTES;
    if (value.size < KEY_BYTES) {
        /* Prefix bytes from the front of the first half, suffix bytes at the end of the second. */
        memcpy(ends, value.at, value.size);
        memcpy(ends + 2 * KEY_BYTES - value.size, value.at, value.size);
        front = ends;
        back = ends + KEY_BYTES;
    }
    uint64_t first = hash_load64(front), last = hash_load64(back);
    for (unsigned i = 0; i < set->suffix_count; i++) {
        unsigned size = set->suffix_sizes[i];
        if (size <= value.size) {
            probe(set, ANCHOR_SUFFIX, salted(ANCHOR_SUFFIX, size, last >> (KEY_BYTES - size) * 8),
                    value, out);
        }
    }
    for (unsigned i = 0; i < set->prefix_count; i++) {
        unsigned size = set->prefix_sizes[i];
        if (size <= value.size) {
            probe(set, ANCHOR_PREFIX, salted(ANCHOR_PREFIX, size, low_bytes(first, size)), value,
                    out);
        }
    }
}

void anchor_scan(const struct anchor_set *set, struct slice value, struct scan *out)
{
    if (set->has_equal) {
        probe(set, ANCHOR_EQUAL, salted(ANCHOR_EQUAL, 0, hash_bytes(value, 0)), value, out);
    }
    if (set->has_number) {
        scan_number(set, value, out);
    }
    if (value.size) {
        scan_ends(set, value, out);
    }
}
