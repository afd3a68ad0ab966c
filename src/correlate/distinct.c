#include "correlate/distinct.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { FIRST_SLOTS = 4 };

void distinct_fini(struct distinct *d)
{
    while (d->oldest) {
        struct distinct_value *next = d->oldest->newer;
        memory_free(d->oldest);
        d->oldest = next;
    }
    memory_free(d->slots);
    *d = (struct distinct){0};
}

static bool grow(struct distinct *d)
{
    size_t slots = d->slot_count ? d->slot_count * 2 : FIRST_SLOTS;
    struct distinct_value **list = memory_alloc_array(slots, sizeof *list);
    if (!list) {
        return false;
    }
    for (struct distinct_value *v = d->oldest; v; v = v->newer) {
        struct distinct_value **slot = &list[v->hash & (slots - 1)];
        v->chain = *slot;
        *slot = v;
    }
    memory_free(d->slots);
    d->bytes += (slots - d->slot_count) * sizeof *list;
    d->slots = list;
    d->slot_count = slots;
    return true;
}

static void unlink_age(struct distinct *d, struct distinct_value *v)
{
    *(v->older ? &v->older->newer : &d->oldest) = v->newer;
    *(v->newer ? &v->newer->older : &d->newest) = v->older;
}

static void append(struct distinct *d, struct distinct_value *v)
{
    v->older = d->newest;
    v->newer = NULL;
    *(d->newest ? &d->newest->newer : &d->oldest) = v;
    d->newest = v;
}

static struct distinct_value *find(const struct distinct *d, uint64_t hash, struct slice text)
{
    struct distinct_value *v = d->slot_count ? d->slots[hash & (d->slot_count - 1)] : NULL;
    while (v && (v->hash != hash || !slice_equal(slice_of(v->text, v->size), text))) {
        v = v->chain;
    }
    return v;
}

bool distinct_add(struct distinct *d, struct slice text, const struct match_id *event)
{
    uint64_t hash = hash_bytes(text, 0);
    struct distinct_value *v = find(d, hash, text);
    if (v) {
        unlink_age(d, v);
        v->event = *event;
        append(d, v);
        return true;
    }
    if (d->count == d->slot_count && !grow(d)) {
        return false;
    }
    v = memory_alloc(sizeof *v + text.size);
    if (!v) {
        return false;
    }
    v->hash = hash;
    v->event = *event;
    v->size = text.size;
    if (text.size) {
        memcpy(v->text, text.at, text.size);
    }
    struct distinct_value **slot = &d->slots[hash & (d->slot_count - 1)];
    v->chain = *slot;
    *slot = v;
    append(d, v);
    d->count++;
    d->bytes += sizeof *v + text.size;
    return true;
}

void distinct_expire(struct distinct *d, int64_t from_ns)
{
    while (d->oldest && d->oldest->event.time_ns < from_ns) {
        struct distinct_value *v = d->oldest;
        struct distinct_value **slot = &d->slots[v->hash & (d->slot_count - 1)];
        while (*slot != v) {
            slot = &(*slot)->chain;
        }
        *slot = v->chain;
        unlink_age(d, v);
        d->count--;
        d->bytes -= sizeof *v + v->size;
        memory_free(v);
    }
}
