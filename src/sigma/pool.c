#include "sigma/pool.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { FIRST_ROOM = 4096 };

enum err pool_init(struct pool *pool)
{
    struct pool p = {.room = FIRST_ROOM, .mask = 2 * FIRST_ROOM - 1};
    p.fields = field_table_new();
    p.predicates = memory_alloc_array(p.room, sizeof *p.predicates);
    p.slots = memory_alloc_array(p.mask + 1, sizeof *p.slots);
    if (!p.fields || !p.predicates || !p.slots) {
        pool_fini(&p);
        return ERR_MEMORY;
    }
    *pool = p;
    return OK;
}

void pool_fini(struct pool *pool)
{
    field_table_free(pool->fields);
    memory_free(pool->predicates);
    memory_free(pool->slots);
    *pool = (struct pool){0};
}

/* What is equal hashes equally; the text of a number or a network is not part of what it is. */
static bool has_text(const struct predicate *p)
{
    return p->op <= OP_REGEX;
}

static uint64_t hash_of(const struct predicate *p)
{
    uint64_t seed = (uint64_t)p->op << 40 ^ (uint64_t)p->cased << 39 ^ (uint64_t)p->field << 3 ^
                    (uint64_t)p->regex_flags ^ (uint64_t)p->other << 20;
    if (has_text(p)) {
        return hash_bytes(p->text, seed);
    }
    if (p->op == OP_CIDR) {
        return hash_bytes(slice_of((const char *)p->cidr.address, 16), seed + p->cidr.bits);
    }
    uint64_t bits;
    memcpy(&bits, &p->number, sizeof bits);
    return hash_mix(seed ^ 0x9E3779B97F4A7C15u, bits ^ (uint64_t)p->integer ^ 0xD1B54A32D192ED03u);
}

static bool same_number(const struct predicate *a, const struct predicate *b)
{
    return a->is_integer == b->is_integer && a->integer == b->integer &&
           memcmp(&a->number, &b->number, sizeof a->number) == 0;
}

static bool same(const struct predicate *a, const struct predicate *b)
{
    if (a->op != b->op || a->cased != b->cased || a->field != b->field || a->other != b->other) {
        return false;
    }
    if (has_text(a)) {
        return a->regex_flags == b->regex_flags && slice_equal(a->text, b->text);
    }
    if (a->op == OP_CIDR) {
        return a->cidr.v6 == b->cidr.v6 && a->cidr.bits == b->cidr.bits &&
               memcmp(a->cidr.address, b->cidr.address, sizeof a->cidr.address) == 0;
    }
    return same_number(a, b);
}

/* The slot of an equal predicate, or the free one where it belongs. */
static struct pool_slot *slot_of(const struct pool *pool, const struct predicate *p, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & pool->mask, upper = (uint32_t)(hash >> 32);
    for (;;) {
        struct pool_slot *slot = &pool->slots[i];
        if (!slot->number ||
                (slot->hash == upper && same(&pool->predicates[slot->number - 1], p))) {
            return slot;
        }
        i = (i + 1) & pool->mask;
    }
}

bool pool_find(const struct pool *pool, const struct predicate *p, uint32_t *id)
{
    const struct pool_slot *slot = slot_of(pool, p, hash_of(p));
    if (!slot->number) {
        return false;
    }
    *id = slot->number - 1;
    return true;
}

static enum err grow(struct pool *pool)
{
    uint32_t room = pool->room * 2;
    struct predicate *predicates = memory_resize(pool->predicates, room * sizeof *predicates);
    if (!predicates) {
        return ERR_MEMORY;
    }
    pool->predicates = predicates;
    struct pool_slot *slots = memory_alloc_array((size_t)room * 2, sizeof *slots);
    if (!slots) {
        return ERR_MEMORY;
    }
    memory_free(pool->slots);
    pool->slots = slots;
    pool->mask = room * 2 - 1;
    pool->room = room;
    for (uint32_t i = 0; i < pool->count; i++) {
        uint64_t hash = hash_of(&pool->predicates[i]);
        *slot_of(pool, &pool->predicates[i], hash) =
                (struct pool_slot){i + 1, (uint32_t)(hash >> 32)};
    }
    return OK;
}

enum err pool_add(struct pool *pool, const struct predicate *p, uint32_t *id)
{
    uint64_t hash = hash_of(p);
    struct pool_slot *slot = slot_of(pool, p, hash);
    if (slot->number) {
        *id = slot->number - 1;
        return OK;
    }
    if (pool->count == POOL_LIMIT) {
        return ERR_LIMIT;
    }
    if (pool->count == pool->room) {
        TRY(grow(pool));
        slot = slot_of(pool, p, hash);
    }
    pool->predicates[pool->count] = *p;
    *slot = (struct pool_slot){pool->count + 1, (uint32_t)(hash >> 32)};
    *id = pool->count++;
    return OK;
}
