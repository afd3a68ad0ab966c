/* words: a list of borrowed strings, for options that may be given several times.
 *
 *     struct words rules = {0};
 *     TRY(words_add(&rules, "sigma/rules"));      // rules.at[0 .. rules.count) */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct words {
    const char **at;
    size_t count;
    size_t room;
};

enum err words_add(struct words *words, const char *word) MUST_CHECK;
/* Removes the first one; NULL: there is none. */
const char *words_take_first(struct words *words);
void words_fini(struct words *words);
