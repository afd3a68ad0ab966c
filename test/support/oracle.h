/* oracle: what correlations of a stream of events find, found in the plainest way: for each event
 * the whole window is looked at again, from scratch. Shares nothing with src/correlate/ or with the
 * reading of rules: it works on a description of the rules, not on their YAML.
 *
 *     TRY(oracle_run(&scene, every, &findings));       // in order of events, then rules
 *     findings.at[i].rule, .event, .key, .value
 *     oracle_fini(&findings); */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    ORACLE_RULES = 10,
    ORACLE_PARTS = 4,
    ORACLE_NAMES = 3,
    ORACLE_FIELDS = 5, /* of an event: f0 to f4 */
    ORACLE_VALUES = 2,
    ORACLE_TOKENS = 9,
    ORACLE_KEY = 120,
};

enum oracle_type {
    ORACLE_EVENTS,
    ORACLE_DISTINCT,
    ORACLE_TEMPORAL,
    ORACLE_ORDERED,
    ORACLE_SUM,
    ORACLE_AVG,
    ORACLE_PERCENTILE,
    ORACLE_MEDIAN,
    ORACLE_TYPES
};

enum oracle_op { ORACLE_GT, ORACLE_GTE, ORACLE_LT, ORACLE_LTE, ORACLE_EQ, ORACLE_NEQ, ORACLE_OPS };

struct oracle_alias {
    char name[8];
    char field[8];
    uint32_t part;
};

struct oracle_rule {
    bool base; /* of single events: nothing else holds */
    bool generate;
    enum oracle_type type;
    uint32_t parts[ORACLE_PARTS]; /* rules before this one */
    uint32_t part_count;
    char names[2 * ORACLE_NAMES][8]; /* group-by, then the condition's */
    uint32_t group_count, field_count;
    enum oracle_op ops[2];
    double numbers[2];
    uint32_t bound_count; /* 0: an expression, or the default */
    double percentile;
    int64_t span_s;
    struct oracle_alias aliases[4];
    uint32_t alias_count;
    /* Postfix: a part's place, or '&', '|', '!'. */
    char tokens[ORACLE_TOKENS];
    uint32_t token_count;
};

struct oracle_event {
    int64_t time_ns;
    uint32_t file;
    uint64_t record;
    uint32_t matched; /* a bit for each base rule */
    const char *values[ORACLE_FIELDS][ORACLE_VALUES];
    uint32_t value_count[ORACLE_FIELDS];
};

struct oracle_scene {
    struct oracle_rule rules[ORACLE_RULES];
    uint32_t rule_count;
    struct oracle_event *events; /* in order of time, file, record */
    uint32_t event_count;
};

struct oracle_finding {
    uint32_t rule;
    uint32_t event; /* at which it fired */
    char key[ORACLE_KEY];
    double value;
    int64_t to_ns;
    uint64_t events; /* behind it */
};

struct oracle_findings {
    struct oracle_finding *at;
    size_t count, room;
};

/* Rules that give findings alone. */
enum err oracle_run(
        const struct oracle_scene *scene, bool every, struct oracle_findings *out) MUST_CHECK;
void oracle_fini(struct oracle_findings *findings);
/* Does the rule give findings? A part gives none, unless a correlation of it asks for them. */
bool oracle_visible(const struct oracle_scene *scene, uint32_t rule);
/* A group's values as a key: each folded (ASCII) between brackets, or "-". */
void oracle_key(char *key, const char *const *values, uint32_t count);
