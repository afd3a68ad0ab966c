/* json_walk: the grammar of RFC 8259, from stop to stop. Exact and unhurried: it says what is
 * wrong, and where; json_shape goes the ways that it has found before.
 *
 *     walk.at = start; walk.end = end;
 *     json_walk_begin(&walk);
 *     while ((e = json_walk_step(&walk, &stop)) == OK && stop.kind != JSON_END)
 *         TRY(json_walk_value(&walk, &stop, &value));
 *
 * A stop is a string, a number, or something else that has a field: between two stops lies
 * nothing but punctuation, blanks, keys, and values without a field. {"a":{"b":null,"c":"x"}}
 * has one stop if no rule names a, b or c: the inside of "x".
 *
 * Two keys of one name in an object are both visited, in order: rules see both values. A lone
 * surrogate (\uD800) is within the grammar and reads as U+FFFD: Windows file names can hold
 * one, and refusing the record would hide it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "decode/json_scan.h"
#include "event/decoder.h"
#include "event/event.h"
#include "event/paths.h"

enum json_stop_kind {
    JSON_STRING, /* at: behind the opening quote */
    JSON_NUMBER, /* at: its first character */
    JSON_NULL,   /* from here on at is behind the value */
    JSON_TRUE,
    JSON_FALSE,
    JSON_EMPTY, /* {} or [] */
    JSON_OPEN,  /* at: behind the brace of an object that is not empty */
    JSON_END,   /* at: behind the record's last bracket */
    JSON_START, /* no stop: where a record begins */
};

struct json_stop {
    enum json_stop_kind kind;
    const struct path_edge *edge; /* where the value belongs; NULL: nowhere */
};

/* An object or array that is open. */
struct json_level {
    const struct path_edge *edge; /* an array's own: for its elements */
    uint32_t node;                /* where keys below are looked up */
    bool array;
    uint32_t context; /* json_shape's */
};

enum json_expect {
    JSON_WANT_VALUE,
    JSON_WANT_KEY,
    JSON_WANT_KEY_OR_CLOSE,   /* behind { */
    JSON_WANT_VALUE_OR_CLOSE, /* behind [ */
    JSON_WANT_COMMA_OR_CLOSE, /* behind a value */
};

struct json_walk {
    /* Set by the owner. */
    const struct paths *paths;
    struct json_scan *scan; /* positions are those of scan->block */
    struct decode_limits limits;
    bool lines; /* a newline is no blank */
    bool exact; /* look at each byte of strings; otherwise `suspect` is the owner's to check */
    struct diag *diag; /* NULL: no words */
    size_t start;      /* the record's first byte: columns count from here */
    size_t end;        /* nothing at or behind it is the record's */
    size_t at;
    /* Its own. */
    struct json_level *stack; /* limits.depth, owned */
    uint32_t depth;
    uint32_t keys;
    enum json_expect expect;
    const struct path_edge *edge; /* where the next value belongs */
    uint32_t node;                /* and what is below it */
    struct slice key;             /* the last key, as written; size 0 in an array */
    struct buf unescaped;         /* a key with escapes, resolved */
    bool object;                  /* the record is an object */
};

enum err json_walk_init(struct json_walk *walk) MUST_CHECK;
void json_walk_fini(struct json_walk *walk);
/* At the start of a record. */
void json_walk_begin(struct json_walk *walk);
/* To the next stop, from behind the last value (a string: behind its closing quote). */
enum err json_walk_step(struct json_walk *walk, struct json_stop *stop) MUST_CHECK;
/* Over the value of a stop; *value is what to put. */
enum err json_walk_value(
        struct json_walk *walk, const struct json_stop *stop, struct value *value) MUST_CHECK;
/* After JSON_END: nothing but blanks may follow until `end`, and it must be an object. */
enum err json_walk_close(struct json_walk *walk) MUST_CHECK;

/* The position of the quote that closes the string whose inside begins at `at`; SIZE_MAX: none in
 * the block. */
size_t json_walk_quote(struct json_scan *scan, size_t at);
/* The end of the number that begins at `at`, or 0 when there is none; *stop is where it failed. */
size_t json_walk_number(const char *bytes, size_t at, size_t end, size_t *stop);
