#include "correlate/groups.h"

#include <string.h>

#include "base/memory.h"

enum { FIRST_SLOTS = 256 };

bool groups_init(struct groups *groups, uint32_t units)
{
    *groups = (struct groups){.slot_count = FIRST_SLOTS};
    groups->slots = memory_alloc_array(FIRST_SLOTS, sizeof(struct group *));
    groups->units = memory_alloc_array((size_t)units + 1, sizeof *groups->units);
    return groups->slots && groups->units;
}

void groups_fini(struct groups *groups)
{
    memory_free(groups->slots);
    memory_free(groups->units);
    *groups = (struct groups){0};
}

struct group *groups_find(
        const struct groups *groups, uint32_t unit, uint64_t hash, struct slice key)
{
    struct group *g = groups->slots[hash & (groups->slot_count - 1)];
    while (g && (g->hash != hash || g->unit != unit || !slice_equal(g->key, key))) {
        g = g->chain;
    }
    return g;
}

/* Where memory is refused the slots stay as many as they were, and get longer. */
static void grow(struct groups *groups)
{
    size_t count = groups->slot_count * 2;
    struct group **slots = memory_alloc_array(count, sizeof *slots);
    if (!slots) {
        return;
    }
    for (struct group *g = groups->oldest; g; g = g->after) {
        struct group **slot = &slots[g->hash & (count - 1)];
        g->chain = *slot;
        *slot = g;
    }
    memory_free(groups->slots);
    groups->slots = slots;
    groups->slot_count = count;
}

/* One piece of memory: the group, the slices it shows, their texts, the key. */
static size_t size_of(const struct groups_new *made)
{
    size_t size = sizeof(struct group) + made->shown_count * sizeof(struct slice) + made->key.size;
    for (uint32_t i = 0; i < made->shown_count; i++) {
        size += made->shown[i].size + 1;
    }
    return size;
}

static struct slice lay(char **at, struct slice text)
{
    struct slice out = slice_of(*at, text.size);
    if (text.size) {
        memcpy(*at, text.at, text.size);
    }
    *at += text.size;
    return out;
}

static void link_all(struct groups *groups, struct group *g)
{
    struct groups_list *unit = &groups->units[g->unit];
    g->older = unit->newest;
    g->newer = NULL;
    *(unit->newest ? &unit->newest->newer : &unit->oldest) = g;
    unit->newest = g;
    g->before = groups->newest;
    g->after = NULL;
    *(groups->newest ? &groups->newest->after : &groups->oldest) = g;
    groups->newest = g;
}

static void unlink_all(struct groups *groups, struct group *g)
{
    struct groups_list *unit = &groups->units[g->unit];
    *(g->older ? &g->older->newer : &unit->oldest) = g->newer;
    *(g->newer ? &g->newer->older : &unit->newest) = g->older;
    *(g->before ? &g->before->after : &groups->oldest) = g->after;
    *(g->after ? &g->after->before : &groups->newest) = g->before;
}

struct group *groups_add(struct groups *groups, const struct groups_new *made)
{
    size_t size = size_of(made);
    struct group *g = memory_alloc(size);
    if (!g) {
        return NULL;
    }
    if (groups->count >= groups->slot_count) {
        grow(groups);
    }
    char *at = (char *)(g + 1) + made->shown_count * sizeof(struct slice);
    g->hash = made->hash;
    g->unit = made->unit;
    g->shown = (struct slice *)(void *)(g + 1);
    for (uint32_t i = 0; i < made->shown_count; i++) {
        if (made->shown[i].at) {
            g->shown[i] = lay(&at, made->shown[i]);
            at++; /* an empty text is there all the same */
        }
    }
    g->key = lay(&at, made->key);
    struct group **slot = &groups->slots[g->hash & (groups->slot_count - 1)];
    g->chain = *slot;
    *slot = g;
    link_all(groups, g);
    groups->count++;
    g->own = size;
    g->bytes = size;
    groups->bytes += size;
    return g;
}

void groups_remove(struct groups *groups, const struct correlation *c, struct group *g)
{
    struct group **slot = &groups->slots[g->hash & (groups->slot_count - 1)];
    while (*slot != g) {
        slot = &(*slot)->chain;
    }
    *slot = g->chain;
    unlink_all(groups, g);
    groups->count--;
    groups->bytes -= g->bytes;
    state_fini(c, &g->state);
    memory_free(g->open);
    memory_free(g);
}

void groups_touch(struct groups *groups, struct group *g, int64_t now_ns)
{
    g->last_ns = now_ns;
    if (groups->newest != g || groups->units[g->unit].newest != g) {
        unlink_all(groups, g);
        link_all(groups, g);
    }
}

void groups_charge(struct groups *groups, struct group *g, size_t bytes)
{
    groups->bytes -= g->bytes;
    g->bytes = g->own + (g->open ? sizeof *g->open : 0) + bytes;
    groups->bytes += g->bytes;
}
