/* condition: the expression over search identifiers, made into a tree.
 *
 *     "selection and not 1 of filter_*"   ->   AND( selection, NOT( OR( filter_a, filter_b ) ) )
 *
 * Sigma Rules Specification 2.1, "Condition": not binds before and, and before or; `1 of`, `any
 * of`, `all of`, `N of` with a pattern or `them`; names that begin with an underscore are left out
 * of both. Words of the language are known without regard to case. No recursion. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"
#include "sigma/maker.h"

enum {
    CONDITION_BYTES = 64 * 1024,
    CONDITION_DEPTH = 64,  /* brackets */
    CONDITION_NAMES = 1000 /* search identifiers */
};

/* A search identifier. Shared where the condition names it twice. */
struct condition_name {
    struct slice name;
    struct node *node;
    uint32_t nodes; /* in its tree */
    bool used;      /* set by condition_make */
};

/* diag->column: the place in `text`, from 1. */
enum err condition_make(struct maker *m, struct slice text, struct condition_name *names,
        uint32_t count, struct node **out) MUST_CHECK;
/* Does a name fit a pattern with `*`? */
bool condition_fits(struct slice pattern, struct slice name);
