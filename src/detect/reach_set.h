/* reach_set: the same of all rules of a set, correlations among them: these can fire where enough
 * of the rules that they are made of can.
 *
 *     struct reach *reaches;
 *     TRY(reach_set(survey, &reaches));
 *     reaches[rule->number].why
 *     memory_free(reaches); */
#pragma once

#include "detect/reach.h"

/* By rule number. Owner: the caller, by memory_free. ERR_MEMORY. */
enum err reach_set(const struct survey *survey, struct reach **out) MUST_CHECK;
