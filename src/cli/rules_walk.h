/* rules_walk: a set's rules and refused documents, one after another, in the order of their files,
 * each written by a function of the verb.
 *
 *     static void write(void *context, const struct rules_walk_item *item, struct buf *out);
 *     TRY(rules_walk(set, write, &context));      // to stdout, made visible on a terminal */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "sigma/ruleset.h"

/* One of both. */
struct rules_walk_item {
    const struct rule *rule;
    const struct ruleset_problem *problem;
};

typedef void rules_walk_write(void *context, const struct rules_walk_item *item, struct buf *out);

/* ERR_IO: stdout cannot be written. */
enum err rules_walk(const struct ruleset *set, rules_walk_write *write, void *context) MUST_CHECK;
/* "name":"text", or null where the text is empty. */
void rules_walk_member(struct buf *out, const char *name, struct slice text);
/* FILE:LINE[:COLUMN], made visible; 0: not known. */
void rules_walk_place(struct buf *out, struct slice file, uint32_t line, uint32_t column);
