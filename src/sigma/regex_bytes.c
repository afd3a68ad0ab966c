#include "sigma/regex_bytes.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

/* How much of a block of code points is in the class. */
enum part { PART_NONE, PART_SOME, PART_ALL };

struct block {
    uint32_t low, high; /* what it may hold, cut to what its sequence length may encode */
};

struct builder {
    struct arena *arena;
    struct regex_nodes *nodes;
    const struct regex_class *set;
    uint32_t first;   /* node 0, reserved for the root */
    uint32_t most;    /* nodes */
    uint16_t full[4]; /* nodes that accept 1, 2, 3 continuation bytes; 0: not made yet */
    struct regex_arc arcs[256];
    uint32_t count;
};

/* Equal nodes are looked for among so many of the newest. */
enum { SHARE_WINDOW = 64 };

static void arc_add(struct builder *b, uint32_t low, uint32_t high, uint16_t to)
{
    if (b->count > 0) {
        struct regex_arc *last = &b->arcs[b->count - 1];
        if (last->to == to && last->high + 1u == low) {
            last->high = (uint8_t)high;
            return;
        }
    }
    b->arcs[b->count++] = (struct regex_arc){(uint8_t)low, (uint8_t)high, to};
}

static bool same_node(const struct regex_nodes *nodes, uint32_t node, const struct regex_arc *arcs,
        uint32_t count)
{
    return nodes->at[node].count == count &&
           memcmp(nodes->arcs + nodes->at[node].arcs, arcs, count * sizeof *arcs) == 0;
}

static enum err arcs_reserve(struct builder *b, uint32_t more)
{
    struct regex_nodes *n = b->nodes;
    if (n->arc_count + more >= n->arc_room) { /* never NULL, not even for none */
        uint32_t room =
                n->arc_room * 2 > n->arc_count + more ? n->arc_room * 2 : n->arc_count + more + 64;
        struct regex_arc *grown = ARENA_ARRAY(b->arena, struct regex_arc, room);
        if (!grown) {
            return ERR_MEMORY;
        }
        if (n->arc_count) {
            memcpy(grown, n->arcs, n->arc_count * sizeof *grown);
        }
        n->arcs = grown;
        n->arc_room = room;
    }
    return OK;
}

static enum err node_reserve(struct builder *b)
{
    struct regex_nodes *n = b->nodes;
    if (n->count == n->room) {
        uint32_t room = n->room ? n->room * 2 : 16;
        struct regex_node *grown = ARENA_ARRAY(b->arena, struct regex_node, room);
        if (!grown) {
            return ERR_MEMORY;
        }
        if (n->count) {
            memcpy(grown, n->at, n->count * sizeof *grown);
        }
        n->at = grown;
        n->room = room;
    }
    return OK;
}

/* Makes a node of arcs[from..], or finds an equal one; takes the arcs away. */
static enum err node_make(struct builder *b, uint32_t from, uint16_t *local)
{
    struct regex_nodes *n = b->nodes;
    const struct regex_arc *arcs = b->arcs + from;
    uint32_t count = b->count - from;
    uint32_t oldest = b->first + 1;
    if (n->count > oldest + SHARE_WINDOW) {
        oldest = n->count - SHARE_WINDOW;
    }
    for (uint32_t i = oldest; i < n->count; i++) {
        if (same_node(n, i, arcs, count)) {
            *local = n->at[i].local;
            b->count = from;
            return OK;
        }
    }
    if (n->count - b->first >= b->most) {
        return ERR_LIMIT;
    }
    TRY(arcs_reserve(b, count));
    TRY(node_reserve(b));
    memcpy(n->arcs + n->arc_count, arcs, count * sizeof *arcs);
    *local = (uint16_t)(n->count - b->first);
    n->at[n->count++] = (struct regex_node){n->arc_count, (uint16_t)count, *local};
    n->arc_count += count;
    b->count = from;
    return OK;
}

/* The node that accepts any `tails` continuation bytes. */
static enum err full_make(struct builder *b, uint32_t tails, uint16_t *local)
{
    for (uint32_t i = 1; i <= tails; i++) {
        if (!b->full[i]) {
            uint32_t from = b->count;
            b->arcs[b->count++] = (struct regex_arc){0x80, 0xBF, b->full[i - 1]};
            TRY(node_make(b, from, &b->full[i]));
        }
    }
    *local = b->full[tails];
    return OK;
}

static enum part part_of(const struct regex_class *set, struct block block)
{
    if (block.low > block.high) {
        return PART_NONE;
    }
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->at[middle].high < block.low) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == set->count || set->at[low].low > block.high) {
        return PART_NONE;
    }
    return set->at[low].low <= block.low && set->at[low].high >= block.high ? PART_ALL : PART_SOME;
}

/* The block of `size` code points from `base`, cut to `limits`. */
static struct block cut(uint32_t base, uint32_t size, struct block limits)
{
    uint32_t low = base, high = base + size - 1;
    return (struct block){
            low > limits.low ? low : limits.low, high < limits.high ? high : limits.high};
}

/* One continuation byte: 64 code points. */
static enum err tail1(struct builder *b, uint32_t base, struct block limits, uint16_t *local)
{
    uint32_t from = b->count;
    for (uint32_t i = 0; i < 64; i++) {
        if (part_of(b->set, cut(base + i, 1, limits)) == PART_ALL) {
            arc_add(b, 0x80 + i, 0x80 + i, 0);
        }
    }
    return node_make(b, from, local);
}

/* Two: 64 blocks of 64. The arcs under construction stay below those of the inner nodes. */
static enum err tail2(struct builder *b, uint32_t base, struct block limits, uint16_t *local)
{
    struct regex_arc own[64];
    uint32_t count = 0;
    for (uint32_t i = 0; i < 64; i++) {
        enum part part = part_of(b->set, cut(base + i * 64, 64, limits));
        uint16_t to = 0;
        if (part == PART_ALL) {
            TRY(full_make(b, 1, &to));
        } else if (part == PART_SOME) {
            TRY(tail1(b, base + i * 64, limits, &to));
        } else {
            continue;
        }
        own[count++] = (struct regex_arc){(uint8_t)(0x80 + i), (uint8_t)(0x80 + i), to};
    }
    uint32_t from = b->count;
    for (uint32_t i = 0; i < count; i++) {
        arc_add(b, own[i].low, own[i].high, own[i].to);
    }
    return node_make(b, from, local);
}

/* Three: 64 blocks of 4096. */
static enum err tail3(struct builder *b, uint32_t base, struct block limits, uint16_t *local)
{
    struct regex_arc own[64];
    uint32_t count = 0;
    for (uint32_t i = 0; i < 64; i++) {
        enum part part = part_of(b->set, cut(base + i * 4096, 4096, limits));
        uint16_t to = 0;
        if (part == PART_ALL) {
            TRY(full_make(b, 2, &to));
        } else if (part == PART_SOME) {
            TRY(tail2(b, base + i * 4096, limits, &to));
        } else {
            continue;
        }
        own[count++] = (struct regex_arc){(uint8_t)(0x80 + i), (uint8_t)(0x80 + i), to};
    }
    uint32_t from = b->count;
    for (uint32_t i = 0; i < count; i++) {
        arc_add(b, own[i].low, own[i].high, own[i].to);
    }
    return node_make(b, from, local);
}

typedef enum err tail_maker(struct builder *b, uint32_t base, struct block limits, uint16_t *local);

/* RFC 3629 section 4: what a lead byte begins. */
static const struct lead {
    uint8_t low, high;
    uint8_t tails;
    uint8_t mask;
    struct block limits;
    tail_maker *make;
} LEADS[] = {
        {0xC2, 0xDF, 1, 0x1F, {0x80, 0x7FF}, tail1},
        {0xE0, 0xEF, 2, 0x0F, {0x800, 0xFFFF}, tail2},
        {0xF0, 0xF4, 3, 0x07, {0x10000, 0x10FFFF}, tail3},
};

static enum err root_leads(
        struct builder *b, const struct lead *lead, struct regex_arc *own, uint32_t *count)
{
    for (uint32_t byte = lead->low; byte <= lead->high; byte++) {
        uint32_t shift = 6u * lead->tails;
        uint32_t base = (byte & lead->mask) << shift;
        enum part part = part_of(b->set, cut(base, 1u << shift, lead->limits));
        uint16_t to = 0;
        if (part == PART_ALL) {
            TRY(full_make(b, lead->tails, &to));
        } else if (part == PART_SOME) {
            TRY(lead->make(b, base, lead->limits, &to));
        } else {
            continue;
        }
        own[(*count)++] = (struct regex_arc){(uint8_t)byte, (uint8_t)byte, to};
    }
    return OK;
}

static enum err build(struct builder *b)
{
    struct regex_nodes *n = b->nodes;
    const struct regex_class *set = b->set;
    TRY(node_reserve(b));
    n->at[n->count++] = (struct regex_node){0};
    struct regex_arc own[64];
    uint32_t count = 0;
    if (set->count && set->at[set->count - 1].high >= 0x80) {
        for (size_t i = 0; i < sizeof LEADS / sizeof *LEADS; i++) {
            TRY(root_leads(b, &LEADS[i], own, &count));
        }
    }
    for (uint32_t i = 0; i < set->count && set->at[i].low < 0x80; i++) {
        arc_add(b, set->at[i].low, set->at[i].high < 0x80 ? set->at[i].high : 0x7F, 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        arc_add(b, own[i].low, own[i].high, own[i].to);
    }
    if (set->count && set->at[set->count - 1].high == REGEX_INVALID) {
        arc_add(b, REGEX_BYTES_INVALID, REGEX_BYTES_INVALID, 0);
    }
    TRY(arcs_reserve(b, b->count));
    memcpy(n->arcs + n->arc_count, b->arcs, b->count * sizeof *b->arcs);
    n->at[b->first].arcs = n->arc_count;
    n->at[b->first].count = (uint16_t)b->count;
    n->arc_count += b->count;
    return OK;
}

enum err regex_bytes_build(struct arena *arena, struct regex_nodes *nodes,
        const struct regex_class *set, uint32_t most, uint32_t *count)
{
    /* UTF-8 never has surrogates: a class with both neighbours need not have a hole there. */
    struct regex_class whole = *set;
    if (regex_class_has(set, 0xD7FF) && regex_class_has(set, 0xE000)) {
        whole = (struct regex_class){0};
        TRY(regex_class_join(arena, &whole, set));
        TRY(regex_class_add(arena, &whole, 0xD800, 0xDFFF));
        regex_class_order(&whole);
    }
    struct builder b = {
            .arena = arena, .nodes = nodes, .set = &whole, .first = nodes->count, .most = most};
    TRY(build(&b));
    *count = nodes->count - b.first;
    return OK;
}

uint32_t regex_bytes_least(const struct regex_class *set)
{
    if (set->count == 0 || set->at[set->count - 1].high == REGEX_INVALID) {
        return 1;
    }
    char bytes[4];
    return (uint32_t)utf8_encode(set->at[0].low, bytes);
}
