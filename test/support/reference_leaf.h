/* reference_leaf: one predicate against one value, compared in the plainest way.
 *
 *     struct reference_value v = {.kind = REFERENCE_TEXT, .text = SLICE("A.EXE")};
 *     TRY(reference_leaf_fold(&arena, v.text, &v.folded));
 *     enum verdict yes = reference_leaf_test(p, &v, cache);
 *
 * Part of support/reference.h. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "sigma/predicate.h"
#include "sigma/regex.h"
#include "sigma/verdict.h"

enum reference_kind {
    REFERENCE_NULL,
    REFERENCE_TEXT,   /* a string, a number or a boolean: its text */
    REFERENCE_OBJECT, /* there, but without a text: an object, an empty array */
};

struct reference_value {
    enum reference_kind kind;
    struct slice text;
    struct slice folded;
};

enum err reference_leaf_fold(
        struct arena *arena, struct slice text, struct slice *folded) MUST_CHECK;
/* Any test of one text: not those of presence, not those of other fields. */
enum verdict reference_leaf_test(
        const struct predicate *p, const struct reference_value *value, struct regex_cache *cache);
/* OP_FIELD_...: of two texts, both folded or both as they are. */
bool reference_leaf_texts(enum op op, struct slice text, struct slice other);
