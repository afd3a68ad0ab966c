/* ruleset: all rules of a run, read from files and directories; what could not be read is named.
 *
 *     struct ruleset_options options = {0};
 *     struct ruleset *set;
 *     TRY(ruleset_new(&options, &set));
 *     ruleset_load(set, "rules/windows");     // any number of times
 *     TRY(ruleset_finish(set, diag));         // filters applied, predicates unique, rules in order
 *     for (i...) set->rules[i], set->problems[i]
 *
 * Order: by path (bytes), then document; it depends neither on the order of arguments nor on
 * threads. A rule that cannot be loaded never stops the others. Immutable after ruleset_finish,
 * shared between threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "event/field.h"
#include "sigma/rule.h"

/* A document that is no rule of the set, and why. */
struct ruleset_problem {
    struct slice file;
    struct slice id; /* empty where it could not be read */
    struct slice title;
    uint32_t line;
    uint32_t column;
    struct slice reason;
    enum err err;
};

struct ruleset_options {
    /* Values of placeholders (`%name%` under |expand): the text of a YAML file, a map of name to
     * value or list. */
    struct slice placeholders;
    unsigned threads; /* for reading; 0 or 1: none */
};

struct ruleset {
    struct fields *fields;
    const struct predicate *predicates;
    uint32_t predicate_count;
    const struct rule *const *rules;
    uint32_t rule_count;
    const struct ruleset_problem *problems;
    uint32_t problem_count;
    uint32_t files_read;
    char hash[65];               /* hex SHA-256 over the rules' hashes in order */
    struct ruleset_build *build; /* private */
};

enum err ruleset_new(
        const struct ruleset_options *options, struct ruleset **out, struct diag *diag) MUST_CHECK;
void ruleset_free(struct ruleset *set);
/* Is it the name of a file with tests of rules: *.test.yml, *.test.yaml? */
bool ruleset_is_test(struct slice path);
/* A file, or a directory walked in byte order of names (*.yml, *.yaml; see base/files.h), but for
 * files with tests. Files are
 * read by ruleset_finish; one that is named twice is read once. Only ERR_MEMORY and a path that
 * cannot be read at all are returned; everything else becomes a problem of the set. */
enum err ruleset_load(struct ruleset *set, const char *path, struct diag *diag) MUST_CHECK;
/* The same of a text, for tests and standard input. */
enum err ruleset_load_text(
        struct ruleset *set, struct slice file, struct slice text, struct diag *diag) MUST_CHECK;
/* Sigma filters that hold for a tenant's events alone: see struct rule. */
enum err ruleset_load_exceptions(struct ruleset *set, struct slice tenant, struct slice file,
        struct slice text, struct diag *diag) MUST_CHECK;
enum err ruleset_finish(struct ruleset *set, struct diag *diag) MUST_CHECK;
