/* standing: how the rules in force stand: what each costs, and whether it can fire on what each
 * tenant sends; in memory that all processes share. The judge writes, whoever wants reads.
 *
 *     TRY(standing_new(&standing, diag));                      // before fork
 *     standing_write(standing);  ...change it...  standing_written(standing);
 *
 *     do {
 *         generation = standing_read(standing);
 *         ...make an answer of it...
 *     } while (!standing_is(standing, generation) && tries-- > 0);
 *
 * Counters of a rule may be read at any time; names and verdicts only between the two. Nothing in
 * it is trusted: texts end within their places, numbers are kept within the tables. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    STANDING_RULES = 16384,
    STANDING_TENANTS = 64,
    STANDING_NAME = 120,
    STANDING_ID = 40,
    STANDING_FIELD = 63,
};

/* Why a rule cannot fire on what a tenant sends; as REACH_ in detect/reach.h. */
enum standing_why {
    STANDING_CAN,
    STANDING_UNMAPPED,
    STANDING_UNSEEN,
    STANDING_NEVER,
    STANDING_TESTS,
    STANDING_PARTS,
    STANDING_WHYS,
};

/* All texts with a NUL; longer ones are cut. */
struct standing_rule {
    char id[STANDING_ID];
    char title[STANDING_NAME];
    char level[16];
    bool exception; /* it is none that could fire: cost and title alone say anything */
    _Atomic uint64_t asked, held; /* since these rules are in force, or the judge began */
    _Atomic uint64_t timed, timed_ns;
};

struct standing_verdict {
    uint8_t why;                /* enum standing_why */
    char field[STANDING_FIELD]; /* of STANDING_TESTS: what stands in the way, if it has a name */
};

struct standing_tenant {
    char name[STANDING_NAME];
    _Atomic uint64_t events, looked_at; /* since these rules are in force, or the judge began */
    int64_t since_ns, made_ns;          /* the verdicts; made_ns 0: there are none yet */
    struct standing_verdict verdicts[STANDING_RULES];
};

struct standing {
    _Atomic uint64_t generation; /* odd while it is changed */
    char ruleset[65];
    uint32_t rule_count; /* of the tables, at most STANDING_RULES */
    uint32_t tenant_count;
    _Atomic uint64_t not_looked_at; /* events of tenants that have no place */
    struct standing_rule rules[STANDING_RULES];
    struct standing_tenant tenants[STANDING_TENANTS];
};

enum err standing_new(struct standing **out, struct diag *diag) MUST_CHECK;
void standing_free(struct standing *standing);
/* The writer, around a change; one that died within one is made good by the next. */
void standing_write(struct standing *standing);
void standing_written(struct standing *standing);
/* Other rules: all is forgotten. Within a change. */
void standing_clear(struct standing *standing, const char *ruleset);
/* Copies a text to one of the places, cut where a character ends. */
void standing_text(char *to, size_t room, struct slice text);
/* A reader: the generation before reading; and whether it is still that, and was whole. */
uint64_t standing_read(const struct standing *standing);
bool standing_is(const struct standing *standing, uint64_t generation);
/* "unmapped", "unseen", "never", "tests", "parts"; "can". Any number. */
const char *standing_why_name(unsigned why);
