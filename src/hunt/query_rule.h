/* query_rule: the selection of a query read as a Sigma rule.
 *
 *     Image|endswith: '\a.exe' and not 'x'     detection: {s0: {Image|endswith: \a.exe},
 *                                                          s1: [x], condition: s0 and not s1}
 *
 * The rule is loaded by the loader of all rules, and so means what Sigma says; its problems are
 * told at their place in the query. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/taxonomy.h"
#include "hunt/query_lex.h"
#include "sigma/ruleset.h"

enum {
    QUERY_RULE_TERMS = 900,   /* `Field: value` and keywords of one rule */
    QUERY_RULE_BRACKETS = 60, /* open at once */
};

struct query_rule_line {
    size_t at;          /* offset in the query */
    struct slice field; /* of a line that begins a term */
};

/* A rule in the making: any number of selections, linked by AND. */
struct query_rule {
    struct buf detection; /* YAML */
    struct buf condition;
    struct query_rule_line *lines; /* by line of `detection`: what it came from */
    size_t line_count, line_room;
    uint32_t terms;
    uint32_t selections;
};

void query_rule_fini(struct query_rule *r);
/* Does a selection begin here, no stage? */
bool query_rule_begins(const struct query_lexer *l);
/* Reads a selection up to the next stage, `)` or the end. Nothing and a lone * select all. */
enum err query_rule_read(struct query_rule *r, struct query_lexer *l) MUST_CHECK;

/* What the rule is loaded with beside itself. */
struct query_rule_frame {
    struct logsource source;    /* empty: any */
    const struct slice *wanted; /* fields that rule->wanted shall name */
    size_t wanted_count;
};
/* Loads the rule: number 0 of *out. Owner of *out: the caller. */
enum err query_rule_load(const struct query_rule *r, const struct query_lexer *l,
        const struct query_rule_frame *frame, struct ruleset **out) MUST_CHECK;
/* Where in the query a field is first tested; `otherwise`: nowhere. */
size_t query_rule_place(const struct query_rule *r, struct slice field, size_t otherwise);
