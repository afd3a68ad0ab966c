/* regex_literal: texts of which one must stand in whatever a pattern matches.
 *
 *     (?i)echo.*(clip|set)  ->  "echo"
 *
 * Folded by base/fold.h. Found bottom-up: of each part its exact texts if they are few, what it
 * begins and ends with, and the best set that it needs. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "sigma/regex_tree.h"

/* *out in `arena`; count 0: none known. ERR_MEMORY. */
enum err regex_literal_find(struct arena *arena, struct arena *scratch,
        const struct regex_tree *root, const struct slice **out, size_t *count) MUST_CHECK;
