/* explain: why a rule holds or does not, in words.
 *
 *     explain_matched(judge, event, hit, &out);    // "Image":"C:\\x.exe","CommandLine":"..."
 *     TRY(explain_rule(judge, event, rule, &out)); // every part of the condition, for a person */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "detect/judge_parts.h"

/* Of the tests that hold and stand under no negation: their fields, each once, with the value that
 * satisfied the first of them. Keywords: "keywords":["..."]. After judge_event of the same event.
 */
void explain_matched(
        struct judge *judge, const struct event *event, const struct hit *hit, struct buf *out);
/* The first value that satisfies a test that holds; the first of all for tests of presence. */
const struct value *explain_satisfying(
        struct judge *judge, const struct event *event, const struct test *test);
/* After judge_event of the same event. `rule`: number in the ruleset. */
enum err explain_rule(
        struct judge *judge, const struct event *event, uint32_t rule, struct buf *out) MUST_CHECK;
