/* parquet_dict: the distinct values of a column, in the order in which they first come, and the
 * number of each row's one among them.
 *
 *     struct parquet_dict dict = {0};
 *     TRY(parquet_dict_build(&dict, texts, count, &small, diag));
 *     if (small) ... dict.entries[dict.indexes[i]] equals texts[i] ...
 *     parquet_dict_fini(&dict);
 *
 * It gives up (small: false) once too many values are distinct for a dictionary to pay. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/slice.h"

enum { PARQUET_DICT_ENTRIES = 65536 };

struct parquet_dict {
    struct slice *entries; /* owned; they borrow from the values */
    uint64_t *hashes;      /* of the entries */
    uint32_t *indexes;     /* of the values */
    uint32_t *slots;       /* 1 + entry; 0: free */
    uint32_t count;        /* of the entries */
    size_t entry_room, hash_room, index_room, slot_room, slots_used;
};

void parquet_dict_fini(struct parquet_dict *dict);
/* Memory is kept from one to the next. */
enum err parquet_dict_build(struct parquet_dict *dict, const struct slice *values, size_t count,
        bool *small, struct diag *diag) MUST_CHECK;
