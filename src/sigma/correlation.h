/* correlation: a Sigma rule over events that other rules match, as it was read.
 *
 *     type: event_count              10 or more events of failed_password, of one user on one host,
 *     rules: [failed_password]       within five minutes
 *     group-by: [host, user]
 *     timespan: 5m
 *     condition: {gte: 10}
 *
 * Sigma Correlation Rules Specification 2.1. What it leaves open is decided in
 * doc/sigma-semantics.md. Immutable after loading; owned by its ruleset's arena. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct fields;
struct rule;

enum {
    CORRELATION_RULES = 256,  /* in one correlation */
    CORRELATION_ORDERED = 16, /* in one of type temporal_ordered */
    CORRELATION_GROUPS = 16,  /* fields in group-by */
    CORRELATION_FIELDS = 16,  /* fields in a condition */
    CORRELATION_ALIASES = 256,
    CORRELATION_CHAIN = 16,   /* correlations of correlations, the outermost counted */
    CORRELATION_STEPS = 4096, /* of a condition's expression */
    CORRELATION_YEARS = 100,  /* the longest timespan */
};

enum correlation_type {
    CORRELATION_EVENT_COUNT,
    CORRELATION_VALUE_COUNT,
    CORRELATION_TEMPORAL,
    CORRELATION_TEMPORAL_ORDERED,
    CORRELATION_VALUE_SUM,
    CORRELATION_VALUE_AVG,
    CORRELATION_VALUE_PERCENTILE,
    CORRELATION_VALUE_MEDIAN,
    CORRELATION_TYPES
};

/* The value must be ... than the number; all of them are linked by AND. */
enum correlation_op {
    CORRELATION_GT,
    CORRELATION_GTE,
    CORRELATION_LT,
    CORRELATION_LTE,
    CORRELATION_EQ,
    CORRELATION_NEQ,
    CORRELATION_OPS
};

struct correlation_bound {
    enum correlation_op op;
    double number;
};

/* One of the rules it is made of. */
struct correlation_part {
    struct slice reference; /* as written: an id, a name or a title */
    uint32_t line, column;
    const struct rule *rule;
    /* By asked name: the field of this rule's events that it means. */
    const uint32_t *fields;
};

/* In the events of one part, `name` stands in `field`. */
struct correlation_alias {
    struct slice name, field;
    uint32_t name_id, field_id; /* in the ruleset's field table */
    struct slice reference;     /* to the part, as written */
    uint32_t line, column;
    uint32_t part;
};

/* An expression over parts, operands before their operator. */
enum correlation_step_kind { STEP_PART, STEP_AND, STEP_OR, STEP_NOT, STEP_AT_LEAST, STEP_NEVER };
struct correlation_step {
    uint16_t kind;
    uint32_t arg;       /* STEP_PART: which; else the number of operands */
    uint32_t threshold; /* of STEP_AT_LEAST */
};

struct correlation {
    enum correlation_type type;
    bool generate; /* its rules give findings of their own as well */
    struct correlation_part *parts;
    uint32_t part_count;
    /* What is asked of each event: the group's names, then the condition's. */
    const struct slice *names;
    const uint32_t *name_ids; /* in the ruleset's field table */
    uint32_t group_count;
    uint32_t field_count;
    struct slice timespan; /* as written */
    int64_t timespan_ns;
    struct correlation_bound bounds[CORRELATION_OPS];
    uint32_t bound_count;
    double percentile; /* of CORRELATION_VALUE_PERCENTILE: 0 to 100 */
    struct correlation_alias *aliases;
    uint32_t alias_count;
    const struct correlation_step *steps; /* instead of bounds */
    uint32_t step_count;
    uint32_t rank; /* every correlation has a greater one than those it is made of */
};

/* "event_count" */
struct slice correlation_type_name(enum correlation_type type);
/* "gte" */
struct slice correlation_op_name(enum correlation_op op);
/* Does the value satisfy all bounds? */
bool correlation_within(const struct correlation *c, double value);
/* Does the expression hold where the parts with a bit are there? */
bool correlation_holds(const struct correlation *c, const uint64_t *parts);
/* The field of a part's events that a name means there: its alias, or itself. */
uint32_t correlation_field(const struct correlation *c, uint32_t part, uint32_t name_id);
/* In words, on one line: "event_count gte 10 within 5m by host, user of 'Failed Password'". */
void correlation_write(const struct correlation *c, struct buf *out);
