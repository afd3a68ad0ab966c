/* draft: one document of a rule file, made as far as one thread can: a rule, a filter, or what is
 * wrong with it.
 *
 *     struct draft *draft;
 *     TRY(draft_make(m, document, &draft));    // ERR_MEMORY only
 *     if (draft->kind == DRAFT_PROBLEM) draft->problem...
 *
 * Leaves' predicates are numbers of the maker's pool until the ruleset joins them. */
#pragma once

#include "base/err.h"
#include "base/yaml.h"
#include "sigma/maker.h"
#include "sigma/rule.h"
#include "sigma/ruleset.h"

struct correlation;

enum draft_kind { DRAFT_RULE, DRAFT_FILTER, DRAFT_PROBLEM };

struct draft {
    enum draft_kind kind;
    struct rule rule; /* of a filter: title, id, logsource and condition alone */
    struct slice name;
    struct correlation *correlation; /* NULL: none; else the rule's, its references still texts */
    struct node *condition;
    struct node **leaves; /* of the condition, each once */
    uint32_t leaf_count;
    const struct slice *targets; /* of a filter: ids and names of rules; count 0: any */
    size_t target_count;
    struct ruleset_problem problem;
    uint32_t worker; /* whose pool the leaves' numbers are of */
    struct draft *next;
};

/* `root` is a document's root, actions (sigma/merge.h) done. */
enum err draft_make(struct maker *m, const struct yaml_node *root, struct draft **out) MUST_CHECK;
/* A problem of the file as a whole, or of a document. root may be NULL. */
enum err draft_problem(struct maker *m, const struct yaml_node *root, enum err e,
        const struct diag *diag, struct draft **out) MUST_CHECK;
