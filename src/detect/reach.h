/* reach: can a rule fire on events like those of a survey? An answer from the rule's condition and
 * the fields and values that the events have.
 *
 *     struct reach reach;
 *     TRY(reach_rule(survey, rule, &reach));
 *     if (reach.why != REACH_CAN) ... reach.faults[0 .. reach.fault_count)
 *
 * "Cannot" is proven for the events surveyed: with what their fields are, no way through the
 * condition becomes true. A test of a field that no event has does not hold, except of absence;
 * what holds for some event may hold together with anything else. So "can" means that nothing
 * stands against it, not that it does fire. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "detect/survey.h"

enum { REACH_FAULTS = 8 };

enum reach_why {
    REACH_CAN,
    REACH_UNMAPPED, /* the taxonomy says of no event that it is of the rule's logsource */
    REACH_UNSEEN,   /* no event was of the rule's logsource */
    REACH_NEVER,    /* the condition is never true, whatever the events */
    REACH_TESTS,    /* tests that it needs do not hold in any event: faults */
    REACH_PARTS,    /* a correlation: too many of its rules cannot fire: faults */
};

enum reach_fault_kind {
    REACH_ABSENT,    /* the field is in no event */
    REACH_NO_VALUE,  /* it is there, but only as null, an object or an empty list */
    REACH_NO_NUMBER, /* no value of it is a number */
    REACH_PRESENT,   /* the rule needs it absent or null, and every event has it */
    REACH_PART,      /* no field: a rule that a correlation is made of cannot fire */
};

struct reach_fault {
    enum reach_fault_kind kind;
    struct slice field;  /* as the rule names it; of REACH_PART: the other rule, as named */
    struct slice stands; /* as events name it there, where that differs; else empty */
    uint64_t events;     /* for which it is in the way; in the others it is another fault */
    uint32_t class;      /* private */
};

struct reach {
    enum reach_why why;
    uint64_t events; /* that the rule's logsource takes */
    uint32_t fault_count;
    bool more; /* there are more faults than REACH_FAULTS */
    struct reach_fault faults[REACH_FAULTS];
};

/* Of one that is no correlation: for these see detect/reach_set.h. ERR_MEMORY. The slices are the
 * engine's. */
enum err reach_rule(const struct survey *survey, uint32_t rule, struct reach *out) MUST_CHECK;
