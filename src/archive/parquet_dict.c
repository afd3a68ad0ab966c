#include "archive/parquet_dict.h"

#include "base/hash.h"
#include "base/memory.h"

enum { FIRST_SLOTS = 1024 };
/* Distinct values that are always borne, and past them their share of the values so far. */
enum { BORNE = 1024, SHARE_OF = 4, SHARE = 3 };

void parquet_dict_fini(struct parquet_dict *dict)
{
    memory_free(dict->entries);
    memory_free(dict->hashes);
    memory_free(dict->indexes);
    memory_free(dict->slots);
    *dict = (struct parquet_dict){0};
}

/* Twice the slots, all entries in their new places. */
static bool spread(struct parquet_dict *dict, size_t slots)
{
    if (!memory_grow(&dict->slots, &dict->slot_room, slots, sizeof *dict->slots)) {
        return false;
    }
    memset(dict->slots, 0, slots * sizeof *dict->slots);
    dict->slots_used = slots;
    for (uint32_t i = 0; i < dict->count; i++) {
        size_t at = dict->hashes[i] & (slots - 1);
        while (dict->slots[at]) {
            at = (at + 1) & (slots - 1);
        }
        dict->slots[at] = i + 1;
    }
    return true;
}

/* The value's number; dict->count: it is new, and *slot is its place. */
static uint32_t find(
        const struct parquet_dict *dict, struct slice value, uint64_t hash, size_t *slot)
{
    size_t at = hash & (dict->slots_used - 1);
    for (; dict->slots[at]; at = (at + 1) & (dict->slots_used - 1)) {
        uint32_t i = dict->slots[at] - 1;
        if (dict->hashes[i] == hash && slice_equal(dict->entries[i], value)) {
            return i;
        }
    }
    *slot = at;
    return dict->count;
}

static bool add(struct parquet_dict *dict, struct slice value, uint64_t hash, size_t slot)
{
    uint32_t n = dict->count;
    if (!memory_grow(&dict->entries, &dict->entry_room, n + 1, sizeof *dict->entries) ||
            !memory_grow(&dict->hashes, &dict->hash_room, n + 1, sizeof *dict->hashes)) {
        return false;
    }
    dict->entries[n] = value;
    dict->hashes[n] = hash;
    dict->slots[slot] = n + 1;
    dict->count++;
    return dict->count * 2 <= dict->slots_used || spread(dict, dict->slots_used * 2);
}

enum err parquet_dict_build(struct parquet_dict *dict, const struct slice *values, size_t count,
        bool *small, struct diag *diag)
{
    dict->count = 0;
    if (!spread(dict, FIRST_SLOTS) ||
            !memory_grow(&dict->indexes, &dict->index_room, count, sizeof *dict->indexes)) {
        return diag_say(diag, ERR_MEMORY, "no memory for a column's dictionary");
    }
    uint32_t last = 0;
    for (size_t i = 0; i < count; i++) {
        if (dict->count && slice_equal(dict->entries[last], values[i])) {
            dict->indexes[i] = last;
            continue;
        }
        uint64_t hash = hash_bytes(values[i], 0);
        size_t slot = 0;
        last = find(dict, values[i], hash, &slot);
        if (last == dict->count) {
            if (last >= PARQUET_DICT_ENTRIES || last > BORNE + i * SHARE / SHARE_OF) {
                *small = false;
                return OK;
            }
            if (!add(dict, values[i], hash, slot)) {
                return diag_say(diag, ERR_MEMORY, "no memory for a column's dictionary");
            }
        }
        dict->indexes[i] = last;
    }
    *small = true;
    return OK;
}
