/* placeholder: values for %names% under |expand, from a YAML map.
 *
 *     Administrators: [adm_*, root]
 *     Servers: srv*
 *
 * Sigma Rules Specification 2.1, "Placeholders". */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

struct placeholder {
    struct slice name;
    const struct slice *values; /* at least one, as written */
    size_t count;
};

struct placeholders {
    const struct placeholder *items;
    size_t count;
};

/* Reads the text of the file; everything is copied into the arena. */
enum err placeholder_read(struct arena *arena, struct slice text, struct placeholders *out,
        struct diag *diag) MUST_CHECK;
/* NULL: no such name (or no placeholders). */
const struct placeholder *placeholder_find(const struct placeholders *p, struct slice name);
