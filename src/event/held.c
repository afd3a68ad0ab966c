#include "event/held.h"

#include <string.h>

#include "event/counts.h"

enum { TRIES = 64 };

static struct slice cut(struct slice text, size_t room)
{
    return slice_of(text.at, text.size < room ? text.size : room - 1);
}

static uint64_t hash(uint64_t h, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        h = (h ^ (unsigned char)text.at[i]) * 0x100000001b3; /* FNV-1a */
    }
    return (h ^ 0xff) * 0x100000001b3;
}

static void name(char *to, size_t room, struct slice text)
{
    memset(to, 0, room);
    if (text.size > 0) {
        memcpy(to, text.at, text.size);
    }
}

void held_add(struct held *held, struct slice tenant, struct slice rule, uint64_t count)
{
    tenant = cut(tenant, HELD_TENANT);
    rule = cut(rule, HELD_RULE);
    uint64_t at = hash(hash(0xcbf29ce484222325, tenant), rule);
    for (size_t i = 0; i < TRIES; i++) {
        struct held_row *row = &held->rows[(at + i) % HELD_ROWS];
        if (!atomic_load(&row->there)) {
            name(row->tenant, sizeof row->tenant, tenant);
            name(row->rule, sizeof row->rule, rule);
            atomic_store(&row->there, true);
        } else if (!slice_equal(slice_text(row->tenant), tenant) ||
                   !slice_equal(slice_text(row->rule), rule)) {
            continue;
        }
        counts_add(&row->count, count);
        return;
    }
    counts_add(&held->others, count);
}

const struct held_row *held_at(const struct held *held, size_t i)
{
    return atomic_load(&held->rows[i].there) ? &held->rows[i] : NULL;
}
