/* evaluate: does a test hold, does a rule's condition hold, in the event that a judge is at.
 *
 *     enum verdict v = evaluate_rule(judge, event, class_rule);
 *
 * A test is run when a program first reaches it and remembered for the event. Programs know yes and
 * no; where a test was undetermined the whole tree is evaluated in three values instead. */
#pragma once

#include "detect/class.h"
#include "detect/judge_parts.h"
#include "event/event.h"
#include "sigma/verdict.h"

/* Runs a test, without remembering. */
enum verdict evaluate_run(struct judge *judge, const struct event *event, const struct test *test);
/* A test of the event's class. */
enum verdict evaluate_test(struct judge *judge, const struct event *event, uint32_t test);
/* A rule of the event's class. */
enum verdict evaluate_rule(
        struct judge *judge, const struct event *event, const struct class_rule *rule);
/* One value against a test that is neither of presence nor of another field. */
enum verdict evaluate_value(
        struct judge *judge, const struct test *test, const struct value *value);
/* The verdicts of all steps of a rule of the event's class, borrowed until the next call; NULL: no
 * memory. */
const enum verdict *evaluate_steps(
        struct judge *judge, const struct event *event, const struct class_rule *rule);
/* The verdicts of a whole tree from its leaves': `verdicts` by step, leaves given. */
void evaluate_tree(const struct step *steps, uint32_t count, enum verdict *verdicts);
