/* modifier: `field|mod1|mod2`: what stands behind the bars, and what it makes of a value.
 *
 *     struct modifier_chain chain;
 *     TRY(modifier_parse(m, key, SLICE("contains|windash"), &chain));
 *     TRY(modifier_apply(m, &chain, value, &terms));   // one term or, linked by OR, several
 *
 * Sigma Rules Specification 2.1, "Value Modifiers": applied in the order given. Adding a modifier
 * is adding a row to the table in modifier.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/yaml.h"
#include "sigma/maker.h"
#include "sigma/predicate.h"

enum {
    MODIFIER_CHAIN = 16,               /* modifiers at one field */
    MODIFIER_TERMS = 20000,            /* what one value may expand to */
    MODIFIER_BYTES = 16 * 1024 * 1024, /* the same in bytes */
    MODIFIER_VALUE = 1024 * 1024       /* of one value's text */
};

enum term_kind {
    TERM_NULL,
    TERM_BOOL,
    TERM_NUMBER,
    TERM_TEXT, /* a literal (sigma/literal.h), or raw where the chain has `re` */
    TERM_REGEX,
    TERM_CIDR,
    TERM_COMPARE, /* op and number */
    TERM_FIELD,
    TERM_EXISTS,
    TERM_TIME, /* op and number */
    TERM_KINDS
};

enum term_encoding { TERM_UTF8, TERM_UTF16LE, TERM_UTF16BE, TERM_UTF16 };

/* A value on its way through the modifiers. */
struct term {
    enum term_kind kind;
    struct slice text; /* in scratch, or the YAML tree's */
    double number;
    int64_t integer;
    bool is_integer;
    bool yes; /* of BOOL and EXISTS */
    bool cased;
    bool starts, ends;           /* of REGEX and FIELD: bound to this end alone; both: contains */
    enum term_encoding encoding; /* asked for, not yet done */
    enum op op;
    unsigned regex_flags;
    struct cidr cidr;
};

struct modifier_terms {
    struct term *items; /* in scratch */
    uint32_t count;
    uint32_t room;
    size_t bytes;
};

struct modifier;

struct modifier_chain {
    const struct modifier *steps[MODIFIER_CHAIN];
    uint32_t count;
    bool all;
    bool negated;
    bool regex;  /* the value is taken as written */
    bool placed; /* contains, startswith or endswith: a keyword is not put between wildcards */
};

/* `names`: the part of the key behind the first bar. */
enum err modifier_parse(struct maker *m, const struct yaml_node *key, struct slice names,
        struct modifier_chain *out) MUST_CHECK;
/* The terms of one scalar. A pending encoding is done, texts are complete. */
enum err modifier_apply(struct maker *m, const struct modifier_chain *chain,
        const struct yaml_node *value, struct modifier_terms *out) MUST_CHECK;
