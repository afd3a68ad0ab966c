/* evtx_print: from a template straight to the JSON of a record.
 *
 *     if (!evtx_print_run(&print, place, out)) ... the tree
 *
 * Each template becomes a list of literal pieces of JSON with slots between them. What is not
 * covered, and what evtx_plan leaves to the tree as well, is left to the tree
 * (decode/evtx_build.h), which gives the same bytes. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "decode/evtx_template.h"

struct evtx_print {
    struct evtx_templates *templates;
    struct evtx_values *values;
    struct slice chunk;
};

/* Adds the record content at `place` as one object. False: not covered; what was added is to be
 * thrown away. */
bool evtx_print_run(const struct evtx_print *print, struct evtx_place place, struct buf *out);
