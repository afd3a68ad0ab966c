/* judge_parts: a judge's inside, for its own files: judge.c searches, evaluate.c decides, explain.c
 * shows.
 *
 *     struct seat *seat = judge->seat;     // the event's class, and what the judge keeps of it */
#pragma once

#include "detect/engine_parts.h"
#include "detect/judge.h"
#include "detect/keywords.h"
#include "detect/learn.h"
#include "detect/scan.h"
#include "detect/texts.h"

enum { JUDGE_ROUTES = 1024 };
/* In a memo, beside the verdicts: a trigger was found, the test must be run. */
enum { JUDGE_MAYBE = 3 };

/* What a judge keeps of one class. */
struct seat {
    struct engine_class *class;
    uint32_t *memo;  /* by test: epoch << 2 | verdict or JUDGE_MAYBE */
    uint32_t *woken; /* by class rule: the epoch it last woke in */
    uint64_t events;
    const uint64_t *late_bits; /* of the events before, and whether the class reads such a field */
    bool late_read;
    struct lessons *lessons; /* NULL: nothing to learn, or no longer */
};

struct route_slot {
    struct seat *seat; /* NULL: free */
    size_t count;
    uint32_t key[ROUTE_LIMIT];
};

/* Which keywords stand in constants that late values may add: a few tables' texts. */
enum { JUDGE_CONSTANTS = 16, JUDGE_CONSTANT_IDS = 16 };
struct constants_found {
    const char *at; /* static storage: the same place is the same text */
    uint64_t plan;
    uint32_t count;
    bool whole; /* see keyword_scan */
    uint32_t ids[JUDGE_CONSTANT_IDS];
};

struct value_cache;

struct judge {
    struct engine *engine;
    uint32_t epoch; /* of the event, under 2^30 */
    struct seat *seat;
    const struct plan *plan;
    struct texts texts;
    struct keywords keywords;
    struct scan scan;
    uint32_t *awake; /* class rules to evaluate */
    uint32_t awake_count;
    struct hit *hits;
    uint32_t hit_count;
    struct seat **seats;
    uint32_t seat_count;
    struct route_slot *routes;
    struct route_memo memo;
    struct value_cache *cache; /* NULL: off */
    struct constants_found constants[JUDGE_CONSTANTS];
    const uint64_t *late_bits; /* of the events before, and whether routes read such a field */
    bool late_routes;
    struct regex_cache *regexes;
    uint32_t *named;        /* by field: the naming it was last shown in */
    uint32_t naming;        /* counts findings shown */
    enum verdict *verdicts; /* of one rule's steps */
    uint32_t verdict_room;
    struct judge_counts counts;
    struct judge_cost *costs; /* by rule number; NULL: not counted */
};
