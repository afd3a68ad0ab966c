/* reach_words: why a rule cannot fire, in words and as JSON.
 *
 *     reach_words_text(&reach, near, rule, &out);
 *     // field 'Comandline' is in none of its 12 events; nearest: 'CommandLine' (a similar name) */
#pragma once

#include "base/buf.h"
#include "detect/reach.h"
#include "detect/reach_near.h"
#include "sigma/rule.h"

/* "product windows, category process_creation" */
void reach_words_source(struct buf *out, const struct logsource *logsource);
/* Nothing where the rule can fire. */
void reach_words_text(const struct reach *reach, struct reach_near *near, const struct rule *rule,
        struct buf *out);
/* Members of an object: "verdict", "why", "events", "faults". */
void reach_words_json(const struct reach *reach, struct reach_near *near, const struct rule *rule,
        struct buf *out);
