/* held: how many matches by tenant and rule something befell, in memory that all processes share:
 * exceptions held them back, or they came too late for a correlation. The judge writes, whoever
 * wants reads.
 *
 *     held_add(&page->held, tenant, rule, 1);
 *     for (i = 0; i < HELD_ROWS; i++)
 *         if ((row = held_at(&page->held, i))) row->tenant, row->rule, row->count
 *
 * What has no place of its own is counted in `others`. All zero is empty. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { HELD_ROWS = 1024, HELD_TENANT = 120, HELD_RULE = 128 };

struct held_row {
    _Atomic bool there; /* the texts are written */
    char tenant[HELD_TENANT], rule[HELD_RULE];
    _Atomic uint64_t count;
};

struct held {
    struct held_row rows[HELD_ROWS];
    _Atomic uint64_t others;
};

/* `rule`: its id, or its title; what is too long is cut. */
void held_add(struct held *held, struct slice tenant, struct slice rule, uint64_t count);
/* NULL: nothing there. */
const struct held_row *held_at(const struct held *held, size_t i);
