/* class: the events for which the same rules are asked: one combination of what the taxonomy
 * tells apart. Its rules, with their fields resolved to the event's, as programs.
 *
 *     process creation by Sysmon    -> Image stands in Image
 *     process creation by Security  -> Image stands in NewProcessName
 *
 * A rule's condition is kept twice: as a tree in preorder (for witnesses, for what is shown, for
 * the three-valued evaluation) and as a program of tests with a jump for yes and for no, in which
 * cheap and selective tests come first. Immutable after class_build. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "detect/handle.h"
#include "event/taxonomy.h"
#include "sigma/ruleset.h"

/* A predicate with its fields resolved. */
struct test {
    const struct predicate *predicate;
    uint32_t field; /* FIELD_NONE: keyword */
    uint32_t other;
    struct handle handle;
};

/* One node of a rule's tree, in preorder: its children follow it. */
struct step {
    uint8_t kind;  /* enum node_kind */
    uint32_t size; /* nodes of this subtree, itself included */
    uint32_t arg;  /* NODE_PREDICATE: the test; NODE_AT_LEAST: the threshold */
    const struct node *origin;
};

/* Ends of a program. */
#define CODE_YES UINT32_MAX
#define CODE_NO (UINT32_MAX - 1)

struct code {
    uint32_t test;
    uint32_t yes; /* the next code, CODE_YES or CODE_NO */
    uint32_t no;
};

struct class_rule {
    const struct rule *rule;
    uint32_t steps;         /* first of class->steps */
    uint32_t step_count;    /* of them */
    uint32_t code;          /* where its program starts; CODE_YES or CODE_NO for a constant */
    bool slow;              /* no program: a threshold; the tree decides */
    const uint32_t *wanted; /* rule->wanted as the event's fields */
};

/* How rules see the fields of this class. */
struct view {
    const uint32_t *fields; /* rule's field -> event's field; NULL: the same */
};

/* A field that the event does not have: the first present of others, its values mapped. */
struct fill {
    uint32_t to;
    const uint32_t *from;
    size_t from_count;
    const struct slice *map;
    size_t map_count;
};

struct class
{
    struct arena arena;
    struct class_rule *rules; /* by rule number */
    uint32_t rule_count;
    struct test *tests;
    uint32_t test_count;
    struct step *steps;
    uint32_t step_count;
    struct code *codes;
    uint32_t code_count;
    struct fill *fills;
    uint32_t fill_count;
};

/* What a class is built from. */
struct class_member {
    const struct rule *rule;
    uint32_t view;
};
struct class_source {
    const struct ruleset *set;
    struct handle
            *handles; /* by predicate, run_cost 0: not made yet; filled as they are asked for */
    const struct class_member *members; /* by rule number */
    uint32_t member_count;
    const struct view *views;
    uint32_t view_count;
    const struct fill *fills;
    uint32_t fill_count;
};

/* Arrays of the source are copied, what they point to is not. ERR_MEMORY, ERR_LIMIT. */
enum err class_build(const struct class_source *source, struct class *out) MUST_CHECK;
void class_fini(struct class *class);
