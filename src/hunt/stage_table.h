/* stage_table: groups by the values of some fields, with what is counted of each.
 *
 *     TRY(stage_table_each(&t, s, cells, diag));      // one row: each combination of its values
 *     t.groups[t.found[i]].count++                     // i < t.found_count
 *
 * A field with several values puts the row into the group of each different one; an absent field
 * is a group of its own. The stage's limit counts all. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "hunt/row.h"
#include "hunt/stage.h"

enum { STAGE_COMBINATIONS = 10000 /* groups that one row may belong to */ };

struct stage_group {
    uint64_t hash;
    const struct row_value *key; /* `width` of them */
    int64_t count;
    int64_t first_ns, last_ns; /* first > last: no row has a time */
    uint32_t number;           /* in order of making */
    uint32_t link;             /* the stage's own, UINT32_MAX at first */
};

struct stage_table {
    uint32_t width;
    struct stage_group *groups;
    size_t room;
    uint32_t count;
    uint32_t *slots; /* open addressing; number plus 1 */
    uint32_t mask;
    struct arena arena; /* of keys */
    uint32_t *found;    /* groups of the row at hand */
    size_t found_room;
    uint32_t found_count;
    struct row_value *key; /* being put together */
    struct row_value *unique;
    size_t unique_room;
};

enum err stage_table_init(struct stage_table *t, uint32_t width) MUST_CHECK;
void stage_table_fini(struct stage_table *t);
/* The group of one key, a new one where there is none. ERR_LIMIT by the stage's room. */
enum err stage_table_put(struct stage_table *t, struct stage *s, const struct row_value *key,
        uint32_t *number, struct diag *diag) MUST_CHECK;
/* UINT32_MAX: none. */
uint32_t stage_table_find(const struct stage_table *t, const struct row_value *key);
/* The groups of a row whose `width` cells are these: found, found_count. */
enum err stage_table_each(struct stage_table *t, struct stage *s, const struct row_cell *cells,
        struct diag *diag) MUST_CHECK;
/* The keys' order. */
int stage_table_compare(
        const struct stage_table *t, const struct stage_group *a, const struct stage_group *b);
