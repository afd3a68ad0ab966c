/* engine: a ruleset and a taxonomy, compiled for matching; and one judge a thread that matches.
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

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "event/event.h"
#include "event/paths.h"
#include "event/taxonomy.h"
#include "sigma/ruleset.h"

struct engine;
struct judge;

struct engine_options {
    bool any_source;      /* judge by the rule alone, without its logsource */
    bool no_value_cache;  /* for measuring */
    const bool *excluded; /* by rule number, or NULL */
};

struct hit {
    const struct rule *rule;
    bool undetermined; /* a limit stopped the evaluation: reported, not a finding */
    uint32_t view;     /* which mapping of fields applied; for judge_matched */
};

enum err engine_new(const struct ruleset *set, const struct taxonomy *taxonomy,
        const struct engine_options *options, struct engine **out, struct diag *diag) MUST_CHECK;
void engine_free(struct engine *engine);
const struct paths *engine_paths(const struct engine *engine);
uint32_t engine_field_count(const struct engine *engine);
/* false: the taxonomy maps nothing to the rule's logsource; `reason` gets the words. */
bool engine_routable(const struct engine *engine, uint32_t rule, struct diag *reason);

enum err judge_new(struct engine *engine, struct judge **out) MUST_CHECK;
void judge_free(struct judge *judge);
/* Judges one decoded event. *hits is borrowed until the next call. */
enum err judge_event(struct judge *judge, struct event *event, const struct hit **hits,
        size_t *count, struct diag *diag) MUST_CHECK;
/* Adds the body of "matched": the fields that made the rule true, as JSON members
 * ("Image":"C:\\...","CommandLine":"..."), after judge_event of the same event. */
void judge_matched(
        struct judge *judge, const struct event *event, const struct hit *hit, struct buf *out);
/* For `rules explain`: each condition part with its verdict, values and field mapping, as text or
 * JSON lines. */
enum err judge_explain(
        struct judge *judge, struct event *event, uint32_t rule, struct buf *out) MUST_CHECK;

struct judge_counts {
    uint64_t events;
    uint64_t routed;     /* events that some rule's logsource takes */
    uint64_t candidates; /* rules evaluated */
    uint64_t hits;
    uint64_t undetermined;
    uint64_t cache_asked, cache_found;
};
struct judge_counts judge_counts(const struct judge *judge);
