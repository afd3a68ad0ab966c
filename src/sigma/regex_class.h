/* regex_class: sets of code points, as a regular expression's classes and literals.
 *
 *     struct regex_class set = {0};
 *     TRY(regex_class_add(arena, &set, 'a', 'f'));
 *     TRY(regex_class_negate(arena, &set));        // [^a-f]
 *
 * REGEX_INVALID, one past the last code point, stands for a byte that is not part of UTF-8: only
 * sets made by negation have it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum { REGEX_INVALID = 0x110000 };

struct regex_range {
    uint32_t low;
    uint32_t high; /* inclusive */
};

/* {0} is the empty set. */
struct regex_class {
    struct regex_range *at; /* in the arena; in order and apart after regex_class_order */
    uint32_t count;
    uint32_t room;
};

/* The code points of one fold: pairs of (fold, code), built when first needed. */
struct regex_class_folds {
    struct regex_range *pairs; /* low: the fold, high: the code; ordered */
    uint32_t count;
};

/* All of these: ERR_MEMORY past the arena's cap. */
enum err regex_class_add(
        struct arena *arena, struct regex_class *set, uint32_t low, uint32_t high) MUST_CHECK;
enum err regex_class_join(
        struct arena *arena, struct regex_class *set, const struct regex_class *more) MUST_CHECK;
void regex_class_order(struct regex_class *set);
enum err regex_class_negate(struct arena *arena, struct regex_class *set) MUST_CHECK;
/* Adds whatever has the same simple fold as a member (Unicode, CaseFolding.txt, C and S). */
enum err regex_class_fold(
        struct arena *arena, struct regex_class *set, struct regex_class_folds *folds) MUST_CHECK;
/* Adds \d \D \s \S \w \W \h \H \v \V \N (PCRE2, pcre2pattern "Generic character types"; ASCII
 * without UCP). ERR_NOT_FOUND: no such letter. */
enum err regex_class_add_escape(
        struct arena *arena, struct regex_class *set, char letter) MUST_CHECK;
/* Adds a POSIX class by name ("alpha"), ASCII; without regard to case "upper" and "lower" are
 * "alpha", as in PCRE. ERR_NOT_FOUND: no such name. */
enum err regex_class_add_posix(struct arena *arena, struct regex_class *set, struct slice name,
        bool negate, bool nocase) MUST_CHECK;
/* Of an ordered set. */
bool regex_class_has(const struct regex_class *set, uint32_t code);
