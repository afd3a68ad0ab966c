/* evtx_plan: from a template straight to the fields that rules name.
 *
 *     if (!evtx_plan_run(&run, place, event)) ... the tree
 *
 * Each template is walked once per place where it is used: every element and attribute whose path
 * leads to a field, or that may hold a fragment, becomes an operation on a slot. A record then
 * touches these slots only. Whatever the walk does not cover (text mixed with slots, names made of
 * values, repeated elements) is left to the tree (decode/evtx_build.h), which gives the same fields
 * and takes longer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode/evtx_template.h"
#include "event/event.h"
#include "event/paths.h"

enum {
    EVTX_PLAN_NODES = 1024,           /* of a template that gets a plan */
    EVTX_PLAN_USES = 4,               /* of one slot */
    EVTX_PLAN_PLACES = 8,             /* where one template is used */
    EVTX_PLAN_RECORD_NODES = 1 << 16, /* that a record would have as a tree */
    EVTX_PLAN_DEPTH = 8,              /* of fragments in fragments */
};

struct evtx_plan_run {
    struct evtx_templates *templates;
    struct evtx_values *values;
    const struct paths *paths; /* NULL: nothing is named */
    struct slice chunk;
    uint32_t depth; /* of elements */
};

/* Reads the record content at `place`: what is named goes into the event. False: not covered;
 * begin the event again and build the tree, which also knows what is wrong with a broken record. */
bool evtx_plan_run(const struct evtx_plan_run *run, struct evtx_place place, struct event *event);
