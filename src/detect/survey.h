/* survey: what there is in a heap of events, as rules would see it: which kinds of events, which
 * fields they have and how often, what kinds of values stand there.
 *
 *     struct survey *survey;
 *     TRY(survey_new(engine, &survey));
 *     TRY(survey_event(survey, &event, diag));        // each event, once
 *     reach_rule(survey, rule, &reach);               // detect/reach.h: can the rule fire on it?
 *
 * Bounded: names of fields past the limits are counted, not told apart; what rules ask for is
 * always told apart. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"
#include "detect/engine.h"
#include "event/event.h"

enum {
    SURVEY_PATHS = 100000,   /* names of fields that are told apart */
    SURVEY_PAIRS = 1000000,  /* the same, by kind of event */
    SURVEY_PATH_BYTES = 400, /* a longer name is not told apart */
};

struct judge;
struct survey;

/* Kinds of values that were seen: bits. */
#define SURVEY_KIND(kind) (1u << (kind))

enum err survey_new(struct engine *engine, struct survey **out) MUST_CHECK;
void survey_free(struct survey *survey);
/* Forgets all events. */
void survey_clear(struct survey *survey);
/* Counts a decoded event. ERR_LIMIT, ERR_MEMORY: it is not counted. */
enum err survey_event(struct survey *survey, struct event *event, struct diag *diag) MUST_CHECK;
/* The same of the event that a judge of the same engine has just judged, and of the fields alone
 * that rules name: enough for reach_rule, at a fraction of the cost and bounded by the rules. */
enum err survey_judged(
        struct survey *survey, const struct judge *judge, struct event *event) MUST_CHECK;

uint64_t survey_events(const struct survey *survey);
/* Values of fields that were not told apart. */
uint64_t survey_untold(const struct survey *survey);
