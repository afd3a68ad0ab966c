/* suite: the checks of the log, each with its count. A failure prints the seed that makes it again.
 *
 *     struct suite suite = {0};
 *     suite_crashes(&suite, 1, 100);       // chains of histories from seed 1 on
 *     return suite.failed != 0; */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wal/model.h"

enum { SUITE_STATES = 100 }; /* crash states of a chain */

struct suite {
    uint64_t passed, failed;
    uint64_t shown;
};

/* Counts one check; `where` and `words` are printed when it failed. */
void suite_count(struct suite *suite, bool good, const char *where, const char *words);

/* The log on that disk opens, goes on, and goes on again after `crashes` more crashes. false: what
 * is wrong stands in words. */
bool suite_check_state(struct crash_disk *disk, const struct model_view *view, uint64_t seed,
        unsigned crashes, char *words);

/* The disk of the tests itself: that what it makes is what it says. */
void suite_disk(struct suite *suite);
/* Crash states of recorded histories, SUITE_STATES a chain. */
void suite_crashes(struct suite *suite, uint64_t seed, uint64_t chains);
/* Bit flips and truncations of closed logs. */
void suite_rot(struct suite *suite, uint64_t seed, uint64_t flips);
/* Each N-th call of a history fails, and each N-th allocation; every `stride`-th of them. */
void suite_failures(struct suite *suite, uint64_t seed, uint64_t stride);
