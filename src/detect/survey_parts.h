/* survey_parts: a survey's inside: survey.c counts, survey_list.c lists, reach.c concludes.
 *
 *     survey->classes[i].facts[field]      // of the events of one class
 *
 * Nobody else's. */
#pragma once

#include "base/intern.h"
#include "detect/engine_parts.h"
#include "detect/judge.h"
#include "detect/survey.h"

/* Of one field of the engine, in the events of one class. */
struct survey_fact {
    uint64_t there;   /* events that have it, null included */
    uint64_t valued;  /* events where some value is not null */
    uint32_t kinds;   /* SURVEY_KIND bits */
    bool asks_number; /* some rule compares it with a number */
    bool has_number;  /* some value was one, or a text that is wholly one */
};

/* The facts of a class whose events were seen. */
struct survey_class {
    uint64_t events;
    struct survey_fact *facts; /* by the engine's field; NULL: no event yet */
};

/* A path in the records of one class. */
struct survey_pair {
    uint32_t class;
    uint32_t path; /* index into survey->paths */
    uint64_t there;
    uint64_t filled;
    uint64_t last;        /* the event that had it last, counted from 1 */
    uint64_t last_filled; /* and that had it filled */
    unsigned kinds;
};

struct survey {
    struct engine *engine;
    struct judge *judge;          /* NULL: not asked for yet */
    struct survey_class *classes; /* ENGINE_CLASSES, as engine->classes */
    struct intern paths;
    struct survey_pair *pairs;
    uint32_t pair_count;
    uint32_t *slots; /* open addressing: pair plus 1 */
    uint32_t slot_mask;
    uint64_t events;
    uint64_t untold;
    uint32_t class; /* of the event being counted */
    struct buf scratch;
};
