/* tree: a rule's condition in words, on one line, for people and tests.
 *
 *     Image endswith '\a.exe' and not (User is 'x' or User is 'y')
 *
 * Groups stand in brackets below another group; `2 of (a, b, c)`; `never` where nothing fits. */
#pragma once

#include "base/buf.h"
#include "event/field.h"
#include "sigma/rule.h"

/* Most levels that a condition of a ruleset has. */
enum { TREE_DEPTH = 512 };

void tree_write(const struct node *root, const struct predicate *predicates,
        const struct fields *fields, struct buf *out);
