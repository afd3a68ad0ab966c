#include "hunt/stage_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_SLOTS = 1024 };

enum err stage_table_init(struct stage_table *t, uint32_t width)
{
    *t = (struct stage_table){.width = width};
    arena_init(&t->arena, SIZE_MAX);
    t->key = memory_alloc_array(width + 1, sizeof *t->key);
    t->slots = memory_alloc_array(FIRST_SLOTS, sizeof *t->slots);
    t->mask = FIRST_SLOTS - 1;
    return t->key && t->slots ? OK : ERR_MEMORY;
}

void stage_table_fini(struct stage_table *t)
{
    arena_fini(&t->arena);
    memory_free(t->groups);
    memory_free(t->slots);
    memory_free(t->found);
    memory_free(t->key);
    memory_free(t->unique);
    *t = (struct stage_table){0};
}

static uint64_t hash_key(const struct stage_table *t, const struct row_value *key)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < t->width; i++) {
        hash = row_hash(&key[i], hash + i);
    }
    return hash;
}

static bool same_key(
        const struct stage_table *t, const struct row_value *a, const struct row_value *b)
{
    for (uint32_t i = 0; i < t->width; i++) {
        if (row_compare(&a[i], &b[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The slot of the key, or the free one where it belongs. */
static uint32_t find_slot(const struct stage_table *t, uint64_t hash, const struct row_value *key)
{
    for (uint32_t i = (uint32_t)hash & t->mask;; i = (i + 1) & t->mask) {
        if (t->slots[i] == 0) {
            return i;
        }
        const struct stage_group *g = &t->groups[t->slots[i] - 1];
        if (g->hash == hash && same_key(t, g->key, key)) {
            return i;
        }
    }
}

static enum err grow_slots(struct stage_table *t, struct stage *s, struct diag *diag)
{
    uint32_t count = (t->mask + 1) * 2;
    if (count == 0 || t->count > UINT32_MAX / 4) {
        return diag_say(diag, ERR_LIMIT, "over %u groups", t->count);
    }
    TRY(stage_take(s, (size_t)(count / 2) * sizeof *t->slots, diag));
    uint32_t *slots = memory_alloc_array(count, sizeof *slots);
    if (!slots) {
        return stage_no_memory(diag);
    }
    memory_free(t->slots);
    t->slots = slots;
    t->mask = count - 1;
    for (uint32_t n = 0; n < t->count; n++) {
        uint32_t i = (uint32_t)t->groups[n].hash & t->mask;
        while (t->slots[i]) {
            i = (i + 1) & t->mask;
        }
        t->slots[i] = n + 1;
    }
    return OK;
}

static enum err grow_groups(struct stage_table *t, struct stage *s, struct diag *diag)
{
    if (t->count < t->room) {
        return OK;
    }
    size_t before = t->room;
    TRY(stage_take(s, (before ? before : 64) * sizeof *t->groups, diag));
    if (!memory_grow(&t->groups, &t->room, t->count + 1, sizeof *t->groups)) {
        return stage_no_memory(diag);
    }
    return OK;
}

static enum err copy_key(struct stage_table *t, struct stage *s, const struct row_value *key,
        const struct row_value **out, struct diag *diag)
{
    size_t bytes = t->width * sizeof *key;
    for (uint32_t i = 0; i < t->width; i++) {
        bytes += key[i].kind == ROW_TEXT ? key[i].text.size + 1 : 0;
    }
    TRY(stage_take(s, bytes, diag));
    struct row_value *copy = ARENA_ARRAY(&t->arena, struct row_value, t->width);
    if (!copy) {
        return stage_no_memory(diag);
    }
    for (uint32_t i = 0; i < t->width; i++) {
        copy[i] = key[i];
        if (key[i].kind == ROW_TEXT) {
            copy[i].text = arena_copy(&t->arena, key[i].text);
            if (!copy[i].text.at) {
                return stage_no_memory(diag);
            }
        }
    }
    *out = copy;
    return OK;
}

enum err stage_table_put(struct stage_table *t, struct stage *s, const struct row_value *key,
        uint32_t *number, struct diag *diag)
{
    uint64_t hash = hash_key(t, key);
    uint32_t slot = find_slot(t, hash, key);
    if (t->slots[slot]) {
        *number = t->slots[slot] - 1;
        return OK;
    }
    struct stage_group group = {.hash = hash,
            .first_ns = INT64_MAX,
            .last_ns = INT64_MIN,
            .number = t->count,
            .link = UINT32_MAX};
    TRY(grow_groups(t, s, diag));
    TRY(copy_key(t, s, key, &group.key, diag));
    if ((uint64_t)t->count * 2 >= t->mask) {
        TRY(grow_slots(t, s, diag));
        slot = find_slot(t, hash, key);
    }
    t->groups[t->count] = group;
    t->slots[slot] = ++t->count;
    *number = t->count - 1;
    return OK;
}

uint32_t stage_table_find(const struct stage_table *t, const struct row_value *key)
{
    return t->slots[find_slot(t, hash_key(t, key), key)] - 1;
}

/* ---- combinations -------------------------------------------------------------------------- */

static int compare_values(const void *a, const void *b)
{
    return row_compare(a, b);
}

/* Each different value of each cell, cell by cell; ends[i]: behind those of cell i. */
static enum err list_unique(struct stage_table *t, const struct row_cell *cells, size_t *ends)
{
    size_t n = 0;
    for (uint32_t i = 0; i < t->width; i++) {
        size_t from = n, count = cells[i].count;
        if (!memory_grow(&t->unique, &t->unique_room, n + count + 1, sizeof *t->unique)) {
            return ERR_MEMORY;
        }
        if (count == 0) {
            t->unique[n++] = (struct row_value){.kind = ROW_ABSENT};
        } else {
            memcpy(t->unique + from, cells[i].values, count * sizeof *t->unique);
            if (count > 1) {
                qsort(t->unique + from, count, sizeof *t->unique, compare_values);
            }
            n++;
            for (size_t k = 1; k < count; k++) {
                if (row_compare(&t->unique[from + k], &t->unique[n - 1]) != 0) {
                    t->unique[n++] = t->unique[from + k];
                }
            }
        }
        ends[i] = n;
    }
    return OK;
}

enum err stage_table_each(
        struct stage_table *t, struct stage *s, const struct row_cell *cells, struct diag *diag)
{
    size_t ends[QUERY_FIELDS * 2], at[QUERY_FIELDS * 2];
    t->found_count = 0;
    if (list_unique(t, cells, ends) != OK) {
        return stage_no_memory(diag);
    }
    for (uint32_t i = 0; i < t->width; i++) {
        at[i] = i ? ends[i - 1] : 0;
    }
    for (;;) {
        for (uint32_t i = 0; i < t->width; i++) {
            t->key[i] = t->unique[at[i]];
        }
        if (t->found_count == STAGE_COMBINATIONS) {
            return diag_say(diag, ERR_LIMIT,
                    "stage '%.*s' (column %zu): the values of one event make over %d combinations",
                    SLICE_ARG(stage_word(s)), s->plan->at + 1, (int)STAGE_COMBINATIONS);
        }
        if (!memory_grow(&t->found, &t->found_room, t->found_count + 1, sizeof *t->found)) {
            return stage_no_memory(diag);
        }
        TRY(stage_table_put(t, s, t->key, &t->found[t->found_count], diag));
        t->found_count++;
        uint32_t i = t->width;
        while (i > 0 && ++at[i - 1] == ends[i - 1]) {
            at[i - 1] = i > 1 ? ends[i - 2] : 0;
            i--;
        }
        if (i == 0) {
            return OK;
        }
    }
}

int stage_table_compare(
        const struct stage_table *t, const struct stage_group *a, const struct stage_group *b)
{
    for (uint32_t i = 0; i < t->width; i++) {
        int order = row_compare(&a->key[i], &b->key[i]);
        if (order) {
            return order;
        }
    }
    return 0;
}
