/* anchor: texts that a value must equal, begin with or end with, all looked up at once.
 *
 *     struct anchor_entry e = {ANCHOR_SUFFIX, SLICE("\\certutil.exe"), trigger};
 *     TRY(anchor_build(&arena, entries, count, &set));
 *     anchor_scan(set, folded_value, &out);
 *
 * A hash of the whole value, of its last 1 to 8 bytes and of its first 1 to 8, then a comparison:
 * the cost depends on how many different lengths there are below 9, not on how many entries. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "detect/scan.h"

enum anchor_kind { ANCHOR_EQUAL, ANCHOR_PREFIX, ANCHOR_SUFFIX, ANCHOR_NUMBER };

struct anchor_entry {
    enum anchor_kind kind;
    struct slice text; /* folded; borrowed as long as the set */
    int64_t integer;   /* of ANCHOR_NUMBER */
    uint32_t trigger;
};

struct anchor_set;

/* *out is NULL for no entries. Everything lives in the arena. */
enum err anchor_build(struct arena *arena, const struct anchor_entry *entries, size_t count,
        const struct anchor_set **out) MUST_CHECK;
/* Finds the entries that a folded value satisfies. ANCHOR_NUMBER takes a value that is wholly a
 * number, and that number. */
void anchor_scan(const struct anchor_set *set, struct slice value, struct scan *out);
