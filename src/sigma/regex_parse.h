/* regex_parse: reads a pattern into a tree, without recursion.
 *
 *     struct regex_parsed parsed = {0};
 *     TRY(regex_parse(&scratch, &arena, pattern, REGEX_NOCASE, &parsed, diag));
 *
 * The grammar is pcre2pattern's (PCRE2 10.42) with UTF and without UCP. What is not regular is
 * refused by name. */
#pragma once

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "sigma/regex_bytes.h"
#include "sigma/regex_tree.h"

struct regex_parsed {
    struct regex_tree *root;
    struct regex_nodes nodes;
};

/* The tree and the automata live in `scratch`. */
enum err regex_parse(struct arena *scratch, struct slice pattern, unsigned flags,
        struct regex_parsed *out, struct diag *diag) MUST_CHECK;
