/* keyword: does any of some texts stand anywhere in a record, keys and all? A sieve before the
 * exact test, which looks at values alone.
 *
 *     TRY(keyword_build(&arena, entries, count, &set));
 *     keyword_scan(set, record, 1, &out);     // step 2: the record's texts are UTF-16LE
 *
 * Only a part of each text is looked for: printable ASCII without quote and backslash (JSON
 * may escape them): so the part stands in the bytes wherever the text stands in a value, and ASCII
 * case is all the folding needed: but where the record has a KELVIN SIGN or a LONG S, which fold to
 * k and s (keyword_scan says so). It serves for short texts in a folded value as well. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "detect/scan.h"

enum { KEYWORD_MIN = 3 }; /* bytes of a part that can be looked for */

struct keyword_entry {
    struct slice part; /* folded ASCII, at least KEYWORD_MIN bytes; borrowed */
    uint32_t trigger;
};

struct keyword_set;

/* The part of a folded text to look for: its rarest run, at.NULL when none has KEYWORD_MIN
 * bytes. */
struct slice keyword_part(struct slice folded);
/* May the part stand in a value that is no text: a number, a time, a GUID, an address? */
bool keyword_is_bare(struct slice part);
/* *out is NULL for no entries. */
enum err keyword_build(struct arena *arena, const struct keyword_entry *entries, size_t count,
        const struct keyword_set **out) MUST_CHECK;
/* step: 1, or 2 where a zero byte follows each character. false: the record holds a character
 * beyond ASCII that may fold into it, so that more may be there than was found. */
bool keyword_scan(
        const struct keyword_set *set, struct slice record, unsigned step, struct scan *out);
