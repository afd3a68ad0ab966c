/* meaning: SHA-256 of what a rule says: its logsource and its condition, however written.
 *
 * Order of operands, nesting of equal operators, repetition, names of search identifiers and titles
 * make no difference. */
#pragma once

#include "base/err.h"
#include "sigma/maker.h"
#include "sigma/rule.h"

enum { MEANING_BYTES = 64 * 1024 * 1024 }; /* of a condition, written out */

/* `pool`: the one that the leaves' numbers are of. */
enum err meaning_hash(struct maker *m, const struct pool *pool, const struct node *condition,
        const struct logsource *logsource, char out[65]) MUST_CHECK;
