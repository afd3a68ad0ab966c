/* engine: a ruleset and a taxonomy, compiled for matching; shared by the judges.
 *
 *     struct engine *engine;
 *     TRY(engine_new(set, taxonomy, &options, &engine, diag));
 *     reader_new(engine_paths(engine), ...)                  // decoders find just the named fields
 *     struct judge *judge;
 *     TRY(judge_new(engine, &judge));
 *     TRY(event_init(&event, engine_field_count(engine)));
 *     size_t n = judge_event(judge, &event, &hits);          // hits: rules in order of their
 * number
 *
 * Exact: the answer does not depend on witnesses, caches, threads or what was seen before. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "event/event.h"
#include "event/paths.h"
#include "event/taxonomy.h"
#include "sigma/ruleset.h"

struct engine;

struct engine_options {
    bool any_source;      /* judge by the rule alone, without its logsource */
    bool no_value_cache;  /* for measuring */
    const bool *excluded; /* by rule number, or NULL */
};

enum err engine_new(const struct ruleset *set, const struct taxonomy *taxonomy,
        const struct engine_options *options, struct engine **out, struct diag *diag) MUST_CHECK;
void engine_free(struct engine *engine);
const struct paths *engine_paths(const struct engine *engine);
uint32_t engine_field_count(const struct engine *engine);
/* false: the taxonomy maps nothing to the rule's logsource; `reason` gets the words. */
bool engine_routable(const struct engine *engine, uint32_t rule, struct diag *reason);
/* Was there an event yet that the rule's logsource takes? Not while judges run. */
bool engine_seen(const struct engine *engine, uint32_t rule);
