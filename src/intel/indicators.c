#include "intel/indicators.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { ADDRESS_LENGTHS = 129, FILTER_BITS = 16, TAIL = 0x7a11 };

struct indicators {
    struct indicators_limits limits;
    struct arena arena;
    struct indicator *all;
    size_t count, room, repeated;
    uint32_t *slots; /* open addressing; number and one of the first of a key */
    uint32_t mask;
    uint64_t *filter; /* a block of 64 bits a hash, two bits in it */
    uint64_t filter_mask;
    uint32_t kinds;
    bool lengths[2][ADDRESS_LENGTHS]; /* of address blocks: IPv4, IPv6 */
    bool blocks;
    uint64_t tops[OBSERVABLE_TOPS / 64];
    struct slice file; /* of the last one: most have the same */
    struct observable_scan scan;
};

/* ---- keys -------------------------------------------------------------------------------------
 */

static uint64_t hash_of(uint32_t kind, uint32_t bits, struct slice key)
{
    return hash_bytes(key, (uint64_t)kind << 8 | bits);
}

/* The last two labels of a name. */
static struct slice tail_of(struct slice name)
{
    size_t dots = 0, at = name.size;
    while (at > 0 && !(name.at[at - 1] == '.' && ++dots == 2)) {
        at--;
    }
    return slice_from(name, at);
}

static uint64_t tail_hash(struct slice tail)
{
    return hash_bytes(tail, TAIL);
}

static inline uint64_t *filter_word(const struct indicators *set, uint64_t hash, uint64_t *bits)
{
    *bits = (uint64_t)1 << (hash & 63) | (uint64_t)1 << (hash >> 6 & 63);
    return &set->filter[hash >> 32 & set->filter_mask];
}

static inline bool filter_has(const struct indicators *set, uint64_t hash)
{
    uint64_t bits;
    const uint64_t *word = filter_word(set, hash, &bits);
    return (*word & bits) == bits;
}

/* Keeps the first `bits` of an address. */
static void mask_address(char *key, size_t size, uint32_t bits)
{
    for (size_t i = 0; i < size; i++) {
        uint32_t here = bits >= 8 * (i + 1) ? 8 : bits > 8 * i ? bits - 8 * (uint32_t)i : 0;
        key[i] = (char)((unsigned char)key[i] & (unsigned char)(0xff00u >> here));
    }
}

/* ---- adding -----------------------------------------------------------------------------------
 */

enum err indicators_new(const struct indicators_limits *limits, struct indicators **out)
{
    struct indicators *set = memory_alloc(sizeof *set);
    if (!set) {
        return ERR_MEMORY;
    }
    set->limits = *limits;
    arena_init(&set->arena, limits->bytes);
    *out = set;
    return OK;
}

void indicators_free(struct indicators *set)
{
    if (set) {
        arena_fini(&set->arena);
        memory_free(set->all);
        memory_free(set->slots);
        memory_free(set->filter);
        memory_free(set);
    }
}

/* Equal or not: the slot for it. */
static uint32_t find_slot(
        const struct indicators *set, uint32_t kind, uint32_t bits, struct slice key, uint64_t hash)
{
    uint32_t slot = (uint32_t)hash & set->mask;
    for (; set->slots[slot]; slot = (slot + 1) & set->mask) {
        const struct indicator *it = &set->all[set->slots[slot] - 1];
        if (it->kind == kind && it->bits == bits && slice_equal(it->key, key)) {
            break;
        }
    }
    return slot;
}

/* Chains do not move: the first of each has its slot. */
static enum err grow_slots(struct indicators *set)
{
    if (set->slots && set->count * 2 < set->mask) {
        return OK;
    }
    uint32_t size = set->slots ? (set->mask + 1) * 2 : 1 << 10;
    uint32_t *old = set->slots, old_size = old ? set->mask + 1 : 0;
    set->slots = memory_alloc_array(size, sizeof *set->slots);
    if (!set->slots) {
        set->slots = old;
        return ERR_MEMORY;
    }
    set->mask = size - 1;
    for (uint32_t i = 0; i < old_size; i++) {
        if (old[i]) {
            const struct indicator *it = &set->all[old[i] - 1];
            set->slots[find_slot(set, it->kind, it->bits, it->key,
                    hash_of(it->kind, it->bits, it->key))] = old[i];
        }
    }
    memory_free(old);
    return OK;
}

static enum err full(const struct indicators *set, struct diag *diag)
{
    return diag_say(diag, ERR_LIMIT,
            "more than %zu indicators, or than %zu MiB of them (--state-limit)", set->limits.count,
            set->limits.bytes >> 20);
}

static enum err not_one(const struct indicator *from, struct diag *diag)
{
    struct slice shown = from->given;
    shown.size = shown.size > 80 ? 80 : shown.size;
    return diag_say(diag, ERR_SYNTAX, "'%.*s' is no %s", SLICE_ARG(shown),
            observable_name((enum observable_kind)from->kind));
}

/* "192.0.2.0/24" */
static enum err read_block(
        struct indicators *set, struct indicator *it, struct slice length, struct diag *diag)
{
    uint32_t bits = 0;
    size_t most = it->key.size * 8;
    for (size_t i = 0; i < length.size; i++) {
        if (!slice_is_digit(length.at[i]) || i > 2) {
            return not_one(it, diag);
        }
        bits = bits * 10 + (uint32_t)(length.at[i] - '0');
    }
    if (length.size == 0 || bits > most) {
        return not_one(it, diag);
    }
    if (bits < most / 4) {
        return diag_say(diag, ERR_SYNTAX, "a block of /%u is too wide to hunt for", bits);
    }
    if (bits < most) {
        it->bits = (uint8_t)bits;
        mask_address(set->scan.key, it->key.size, bits);
    }
    return OK;
}

static enum err make_key(struct indicators *set, struct indicator *it, struct diag *diag)
{
    struct slice text = it->text;
    bool made;
    if (it->kind == OBSERVABLE_ACCOUNT) {
        made = observable_account(&set->scan, text, &it->key);
    } else if (it->kind == OBSERVABLE_ADDRESS) {
        struct slice address = slice_cut(&text, '/');
        size_t size = observable_address(address, (unsigned char *)set->scan.key);
        it->key = slice_of(set->scan.key, size);
        made = size > 0;
        if (made && address.size < it->text.size) {
            return read_block(set, it, text, diag);
        }
    } else {
        made = observable_key(&set->scan, (enum observable_kind)it->kind, text, &it->key);
    }
    return made ? OK : not_one(it, diag);
}

static bool same_place(const struct indicator *a, const struct indicator *b)
{
    return slice_equal(a->file, b->file) && slice_equal(a->label, b->label) &&
           a->valid_until == b->valid_until;
}

static enum err copy_texts(struct indicators *set, struct indicator *it, struct diag *diag)
{
    if (!set->file.at || !slice_equal(set->file, it->file)) {
        set->file = arena_copy(&set->arena, it->file);
    }
    it->file = set->file;
    it->key = arena_copy(&set->arena, it->key);
    it->text = (struct slice){0};
    it->given = arena_copy(&set->arena, it->given);
    it->label = arena_copy(&set->arena, it->label);
    bool copied = it->file.at && it->key.at && it->given.at && it->label.at;
    return copied ? OK : full(set, diag);
}

enum err indicators_add(struct indicators *set, const struct indicator *from, struct diag *diag)
{
    struct indicator it = *from;
    it.bits = 0;
    it.next = 0;
    TRY(make_key(set, &it, diag));
    if (set->count >= set->limits.count) {
        return full(set, diag);
    }
    if (grow_slots(set) != OK ||
            !memory_grow(&set->all, &set->room, set->count + 1, sizeof *set->all)) {
        return diag_say(diag, ERR_MEMORY, "no memory for indicators");
    }
    uint64_t hash = hash_of(it.kind, it.bits, it.key);
    uint32_t slot = find_slot(set, it.kind, it.bits, it.key, hash);
    for (uint32_t n = set->slots[slot]; n; n = set->all[n - 1].next) {
        if (same_place(&set->all[n - 1], &it)) {
            set->repeated++;
            return OK;
        }
    }
    TRY(copy_texts(set, &it, diag));
    it.next = set->slots[slot];
    set->all[set->count++] = it;
    set->slots[slot] = (uint32_t)set->count;
    set->kinds |= 1u << it.kind;
    if (it.bits > 0) {
        set->lengths[it.key.size == 16][it.bits] = true;
        set->blocks = true;
    }
    return OK;
}

enum err indicators_close(struct indicators *set, struct diag *diag)
{
    uint64_t words = 64;
    while (words * 64 < set->count * FILTER_BITS) {
        words *= 2;
    }
    set->filter = memory_alloc_array(words, sizeof *set->filter);
    if (!set->filter || grow_slots(set) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for indicators");
    }
    set->filter_mask = words - 1;
    for (size_t i = 0; i < set->count; i++) {
        const struct indicator *it = &set->all[i];
        uint64_t bits, *word = filter_word(set, hash_of(it->kind, it->bits, it->key), &bits);
        *word |= bits;
        if (it->kind == OBSERVABLE_DOMAIN) {
            uint32_t top = observable_top(it->key);
            set->tops[top >> 6] |= (uint64_t)1 << (top & 63);
            word = filter_word(set, tail_hash(tail_of(it->key)), &bits);
            *word |= bits;
        }
    }
    return OK;
}

/* ---- finding ----------------------------------------------------------------------------------
 */

/* What an observable may be known by, one after the other. */
struct keys {
    const struct indicators *set;
    const struct observable *of;
    uint32_t step;
    size_t at;
    uint32_t bits;
    struct slice key;
    char block[16];
};

static bool next_block(struct keys *k)
{
    size_t size = k->of->key.size;
    const bool *lengths = k->set->lengths[size == 16];
    while (k->step <= size * 8) {
        uint32_t bits = k->step++;
        if (lengths[bits]) {
            memcpy(k->block, k->of->key.at, size);
            mask_address(k->block, size, bits);
            k->key = slice_of(k->block, size);
            k->bits = bits;
            return true;
        }
    }
    return false;
}

/* The name's parents; those of one label are no indicators. */
static bool next_parent(struct keys *k)
{
    struct slice name = k->of->key;
    size_t dot = k->at + slice_find_byte(slice_from(name, k->at), '.');
    if (dot >= name.size) {
        return false;
    }
    k->at = dot + 1;
    k->key = slice_from(name, k->at);
    return slice_find_byte(k->key, '.') < k->key.size;
}

static bool next_key(struct keys *k)
{
    if (k->step == 0) {
        k->step = 1;
        k->key = k->of->key;
        bool none =
                k->of->kind == OBSERVABLE_DOMAIN && !filter_has(k->set, tail_hash(tail_of(k->key)));
        return !none;
    }
    if (k->of->kind == OBSERVABLE_DOMAIN) {
        return next_parent(k);
    }
    return k->of->kind == OBSERVABLE_ADDRESS && k->set->blocks && next_block(k);
}

bool indicators_maybe(const struct indicators *set, const struct observable *observable)
{
    struct keys k = {.set = set, .of = observable};
    while (next_key(&k)) {
        if (filter_has(set, hash_of(observable->kind, k.bits, k.key))) {
            return true;
        }
    }
    return false;
}

void indicators_find(const struct indicators *set, const struct observable *observable,
        indicators_found *found, void *context)
{
    struct keys k = {.set = set, .of = observable};
    while (next_key(&k)) {
        uint64_t hash = hash_of(observable->kind, k.bits, k.key);
        if (!filter_has(set, hash)) {
            continue;
        }
        uint32_t slot = find_slot(set, observable->kind, k.bits, k.key, hash);
        for (uint32_t n = set->slots[slot]; n; n = set->all[n - 1].next) {
            if (!found(context, &set->all[n - 1])) {
                return;
            }
        }
    }
}

uint32_t indicators_kinds(const struct indicators *set)
{
    return set->kinds;
}

const uint64_t *indicators_tops(const struct indicators *set)
{
    return set->tops;
}

size_t indicators_count(const struct indicators *set)
{
    return set->count;
}

size_t indicators_repeated(const struct indicators *set)
{
    return set->repeated;
}

const struct indicator *indicators_at(const struct indicators *set, size_t i)
{
    return &set->all[i];
}

size_t indicators_number(const struct indicators *set, const struct indicator *it)
{
    return (size_t)(it - set->all);
}
