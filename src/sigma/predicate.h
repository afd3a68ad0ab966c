/* predicate: one test of one field against one value, all modifiers already applied.
 *
 *     CommandLine|contains: ' -enc '   ->   {OP_CONTAINS, field CommandLine, text " -enc "}
 *
 * Predicates of a ruleset are unique: equal tests of different rules are one. A field with several
 * values (an array) satisfies a test when one of its values does. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "event/field.h"
#include "sigma/regex.h"
#include "sigma/verdict.h"

enum op {
    /* Of a text: the value's own, or a number's or boolean's as written. An object has none. */
    OP_EQUAL,    /* text */
    OP_PREFIX,   /* text, never empty */
    OP_SUFFIX,   /* text, never empty */
    OP_CONTAINS, /* text, never empty */
    OP_PATTERN,  /* text with wildcards, whole value (PATTERN_MANY, PATTERN_ONE) */
    OP_REGEX,    /* regex, in the text as it is */
    OP_CIDR,     /* the text is an address in the network */
    /* Of a number, or of a text that is wholly a number. */
    OP_NUMBER, /* equal */
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    /* Of presence. */
    OP_NULL,    /* the field is missing or null */
    OP_PRESENT, /* a lone `*`: there, and not null */
    OP_EXISTS,  /* |exists: there, null included */
    /* Of another field of the same event: `other`. */
    OP_FIELD_EQUAL,
    OP_FIELD_PREFIX,
    OP_FIELD_SUFFIX,
    OP_FIELD_CONTAINS,
    /* Of a part of a time in the text, as written (sigma/moment.h): equals `integer`. */
    OP_MINUTE,
    OP_HOUR,
    OP_DAY,
    OP_WEEK,
    OP_MONTH,
    OP_YEAR,
    OP_COUNT
};

/* In the text of OP_PATTERN: bytes that UTF-8 never has. Everything else is literal. */
#define PATTERN_MANY '\xFF' /* any characters, none and newlines included */
#define PATTERN_ONE '\xFE'  /* exactly one character (code point) */

struct cidr {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d would be ambiguous: see v6 */
    uint8_t bits;        /* of 32 or 128 */
    bool v6;
};

struct predicate {
    enum op op;
    bool cased;     /* text is compared as it is; otherwise it is folded (base/fold.h) */
    uint32_t field; /* number in the ruleset's field table; FIELD_NONE: a keyword, any value of
                       the event, its keys excepted */
    uint32_t other; /* of OP_FIELD_...: the other field */
    struct slice
            text; /* of OP_EQUAL to OP_PATTERN: folded unless cased; of the others: as written */
    double number;
    bool is_integer; /* the number is exactly `integer` */
    int64_t integer;
    struct cidr cidr;
    const struct regex *regex;
    unsigned regex_flags;
};

/* The test's words for a person: "CommandLine|contains ' -enc '". */
struct buf;
struct fields;
void predicate_write(const struct predicate *p, const struct fields *fields, struct buf *out);

/* What a text satisfies. The one place of the rules of comparison that both the engine's
 * verification and `rules explain` use. `text` is as in the event; `folded` its fold, of the same
 * value; number tests parse `text`. Not for ops of presence or of other fields. */
enum verdict predicate_test_text(const struct predicate *p, struct slice text, struct slice folded,
        struct regex_cache *cache);
/* The text as a number: the whole of it is an optional minus, digits, an optional fraction and an
 * optional exponent, at most 1,000 bytes. false: it is none. */
bool predicate_parse_number(struct slice text, double *number, bool *is_integer, int64_t *integer);
