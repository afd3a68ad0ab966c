/* literal: a Sigma string: text with wildcards and escapes made into bytes and marks.
 *
 *     literal_parse(&arena, SLICE("C:\\\\*\\?"), &out)     // C:\\*\?  ->  C: \ MANY ?
 *
 * Sigma Rules Specification 2.1, "String Wildcard" and "Escaping": `*` is any run of characters,
 * `?` one character; a backslash escapes only `*`, `?` and the backslash and is itself anywhere
 * else. The marks are bytes that UTF-8 never has (PATTERN_MANY, PATTERN_ONE in predicate.h). */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum err literal_parse(struct arena *arena, struct slice text, struct slice *out) MUST_CHECK;
/* Does it hold a mark? */
bool literal_has_marks(struct slice literal);
/* Runs of MANY become one; `*?` becomes `?*`. In place. */
struct slice literal_squeeze(char *literal, size_t size);
/* As it would be written in a rule: marks as wildcards, plain wildcards escaped. */
void literal_write(struct slice literal, struct buf *out);
