/* serve_reload: what the processes of a centre tell each other of its rules, in shared memory.
 *
 *     api, SIGHUP --asked--> parent --forks--> rules (serve_rules) --verdict--> parent
 *     parent --announced--> listen --a RULES frame, through the intake channel--> log --> judge
 *
 *     serve_reload_ask(reload)                            // anyone; the ask's number
 *     serve_reload_answered(reload, &verdict) >= number   // it was looked at: this came of it
 *
 * Each part has one writer, named below; who reads takes a copy that is of one moment. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "source/intake.h"

enum { SERVE_RELOAD_WORDS = 8192, SERVE_HASH_WORDS = 8, SERVE_MARK_WORDS = 1 + SERVE_HASH_WORDS };

/* A set of rules and a place, changed together. */
struct serve_mark {
    _Atomic uint64_t count;                      /* how often it was set */
    _Atomic uint64_t slots[2][SERVE_MARK_WORDS]; /* the place, then the hash's digits */
};

/* What became of loading the rules anew. */
struct serve_verdict {
    bool good;
    uint32_t problems;              /* rules that were refused */
    char hash[DIGEST_HEX];          /* of the set that was looked at; "" where none could be read */
    char words[SERVE_RELOAD_WORDS]; /* a line each: LINE tab COLUMN tab FILE tab REASON */
    uint32_t size;                  /* of words */
};

enum { SERVE_SPARE = 256, SERVE_SPARE_WORDS = 2 + SERVE_SPARE * SERVE_HASH_WORDS };

/* Sets that nothing names any more: no frame that is kept, and nobody's wish. */
struct serve_spare {
    uint64_t answered; /* good until one more ask is answered; 0: never */
    uint64_t count;
    char hash[SERVE_SPARE][DIGEST_HEX];
};

struct serve_spare_told {
    _Atomic uint64_t writing;                  /* odd: it changes what follows */
    _Atomic uint64_t words[SERVE_SPARE_WORDS]; /* answered, count, the digits of each */
};

struct serve_reload {
    _Atomic uint64_t asked;
    /* The rules process's, while it runs. */
    struct serve_verdict draft;
    /* The parent's. */
    _Atomic uint64_t writing;  /* odd: it changes what follows */
    _Atomic uint64_t answered; /* asks up to this one */
    struct serve_verdict verdict;
    struct serve_mark wanted; /* the set that is to be in force; `at` is not used */
    /* The listener's. */
    _Atomic uint64_t told;    /* the count of `wanted` for which a frame was put */
    _Atomic uint64_t told_at; /* and behind which place of the intake channel */
    /* The log's. */
    struct serve_spare_told spare;
    struct serve_mark through; /* the set in force at `at`, below which all is judged on disk */
    /* The judge's. */
    struct serve_mark judging; /* the set that it has */
};

void serve_reload_mark(struct serve_mark *mark, const char *hash, uint64_t at);
/* false: it was never set; hash "", at 0 then. */
bool serve_reload_marked(const struct serve_mark *mark, char hash[DIGEST_HEX], uint64_t *at);

uint64_t serve_reload_ask(struct serve_reload *reload);
/* The parent: asks up to `number` are answered by the draft. */
void serve_reload_answer(struct serve_reload *reload, uint64_t number);
uint64_t serve_reload_answered(const struct serve_reload *reload, struct serve_verdict *out);
/* The listener: puts a RULES frame where another set is wanted; false: no room, come again. */
bool serve_reload_announce(struct serve_reload *reload, struct intake *intake);
/* The RULES frame of the set that is wanted now is on disk. */
bool serve_reload_is_told(const struct serve_reload *reload, const struct channel *intake);
/* Nothing is asked, and the set that is wanted stands in the log: what is on disk then names every
 * set that somebody may need, but for those that are loaded later. The asks answered; 0: not so. */
uint64_t serve_reload_settled(const struct serve_reload *reload, const struct channel *intake);
/* The log: what it found to be spare after that. */
void serve_reload_set_spare(struct serve_reload *reload, const struct serve_spare *found);
/* The rules process: a copy; false: it does not hold, others were loaded since. */
bool serve_reload_spare(const struct serve_reload *reload, struct serve_spare *out);
/* Adds a line to a verdict; what has no room is left out. */
void serve_reload_add(struct serve_verdict *verdict, struct slice file, uint32_t line,
        uint32_t column, struct slice reason);
