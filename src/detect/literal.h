/* literal: many texts searched for in one value at once.
 *
 *     struct literal_entry e = {SLICE("-encodedcommand"), trigger};
 *     TRY(literal_build(&arena, entries, count, &set));
 *     literal_scan(set, folded_value, &out);
 *
 * Of each text of 7 bytes or more the four windows of 4 bytes at consecutive offsets that are
 * rarest together are kept: one of them stands at a multiple of 4 wherever the text occurs, so that
 * only every fourth position of the value is looked up. A few shorter texts go through one sieve
 * (detect/keyword.h); where they are many, those of 5 and 6 bytes keep two windows and ask for
 * every second position, those of 4 one. Texts of 1 and 2 bytes (3, where there is no sieve) are
 * searched for one by one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "detect/scan.h"

struct literal_entry {
    struct slice text; /* folded, not empty; borrowed as long as the set */
    uint32_t trigger;
};

/* How often windows were seen in some values, by their hash: better than a guess at what is rare.
 */
struct literal_census {
    uint32_t total;
    uint16_t seen[1 << 14];
};
void literal_count(struct literal_census *census, struct slice folded);

struct literal_set;

/* *out is NULL for no entries. Everything lives in the arena. census: NULL for none. */
enum err literal_build(struct arena *arena, const struct literal_entry *entries, size_t count,
        const struct literal_census *census, const struct literal_set **out) MUST_CHECK;
void literal_scan(const struct literal_set *set, struct slice value, struct scan *out);
/* The same for texts of LITERAL_STRIDED ASCII bytes and more, to be found in text of either case
 * that is not folded; nothing behind it is read. */
enum { LITERAL_STRIDED = 7 };
enum err literal_build_any_case(struct arena *arena, const struct literal_entry *entries,
        size_t count, const struct literal_set **out) MUST_CHECK;
void literal_scan_any_case(const struct literal_set *set, struct slice text, struct scan *out);
/* How common a text is in logs, by its rarest window: an estimate of the share of values that
 * contain it. */
double literal_frequency(struct slice text);
/* One text in one value: for the tests that are no triggers. The two places of the text whose bytes
 * are rarest are looked for first. LITERAL_SLACK readable bytes of any content stand behind the
 * value (and so they must for literal_scan). */
enum { LITERAL_SLACK = 64 };
struct literal_places {
    uint8_t first, second;
};
struct literal_places literal_rare_places(struct slice text);
bool literal_stands_in(struct slice value, struct slice text, struct literal_places places);
