/* indicators: observables that somebody has judged bad, and which of them a text holds.
 *
 *     struct indicators *set;
 *     TRY(indicators_new(&limits, &set));
 *     TRY(indicators_add(set, &indicator, diag));        // ERR_SYNTAX: it is not used, diag says
 * why TRY(indicators_close(set)); const struct indicator *it = indicators_find(set, &observable);
 *     for (; it; it = indicators_next(set, it)) ...
 *
 * Equal ones from different places are kept each; from the same place, once. A domain is found by
 * its host names and those of its subdomains. An address block (192.0.2.0/24) is an address of
 * it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "event/observable.h"

struct indicators_limits {
    size_t count, bytes;
};
enum { INDICATORS_COUNT = 20000000 };

struct indicator {
    uint8_t kind;        /* enum observable_kind */
    uint8_t bits;        /* of an address block; 0: it is none */
    struct slice text;   /* what is looked for */
    struct slice given;  /* as the place has it */
    struct slice label;  /* what the place calls it: an identity, a comment */
    struct slice file;   /* the place */
    uint32_t line;       /* in it; 0: the file is one value */
    int64_t valid_until; /* nanoseconds; INT64_MAX: it says nothing */
    /* Private. */
    struct slice key;
    uint32_t next; /* of the same key; number and one */
};

struct indicators;

enum err indicators_new(const struct indicators_limits *limits, struct indicators **out) MUST_CHECK;
void indicators_free(struct indicators *set);
/* What `from` has set: kind, text, given, label, file, line, valid_until; all is copied (`file`
 * once). ERR_SYNTAX: the text is none of that kind; ERR_LIMIT: there are too many. */
enum err indicators_add(
        struct indicators *set, const struct indicator *from, struct diag *diag) MUST_CHECK;
/* Nothing is added any more: makes what finding needs. */
enum err indicators_close(struct indicators *set, struct diag *diag) MUST_CHECK;
/* 1 << enum observable_kind of those that are there. */
uint32_t indicators_kinds(const struct indicators *set);
/* Of the domains: for struct observable_scan. */
const uint64_t *indicators_tops(const struct indicators *set);
size_t indicators_count(const struct indicators *set);
/* Those that were there already, from the same place. */
size_t indicators_repeated(const struct indicators *set);
const struct indicator *indicators_at(const struct indicators *set, size_t i);
size_t indicators_number(const struct indicators *set, const struct indicator *it);
/* Calls `found` for each indicator that the observable is of; false from it ends that. */
typedef bool indicators_found(void *context, const struct indicator *it);
void indicators_find(const struct indicators *set, const struct observable *observable,
        indicators_found *found, void *context);
/* May there be one? Quick, seldom wrong. */
bool indicators_maybe(const struct indicators *set, const struct observable *observable);
