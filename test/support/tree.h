/* tree: JSON read in the plainest way there is, as what the reference evaluator looks at. Shares no
 * code with the decoders under test: numbers stay as written, equal keys stay beside each other.
 *
 *     struct tree *root;
 *     TRY(tree_read(&arena, SLICE("{\"a\":[1,2]}"), &rest, &root));
 *     for (const struct tree *t = root->first; t; t = t->next) ... t->key, t->text */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum tree_kind { TREE_NULL, TREE_BOOL, TREE_NUMBER, TREE_STRING, TREE_ARRAY, TREE_OBJECT };

struct tree {
    enum tree_kind kind;
    struct slice key;    /* of an object's member, escapes resolved */
    struct slice text;   /* of a string: escapes resolved; of a number, boolean: as written */
    struct slice source; /* the bytes that it was read from */
    struct tree *first;  /* children in order */
    struct tree *next;   /* the next sibling */
};

enum { TREE_DEPTH = 400 };

/* Reads one value and the blanks around it; *rest (may be NULL: there must be none) gets what
 * stands behind it. Texts point into `json` or the arena. A lone surrogate becomes U+FFFD. */
enum err tree_read(
        struct arena *arena, struct slice json, struct slice *rest, struct tree **out) MUST_CHECK;
/* The last member of that key, or NULL. */
const struct tree *tree_get(const struct tree *object, const char *key);
/* Its text; empty when it is absent. */
struct slice tree_text(const struct tree *object, const char *key);
bool tree_is_true(const struct tree *object, const char *key);
/* Its text as a number of digits only; 0 when it is absent. */
uint64_t tree_count(const struct tree *object, const char *key);
/* Writes UTF-8 of a code point, returns its size. A surrogate is written as U+FFFD. */
size_t tree_encode(uint32_t code, char *to);
