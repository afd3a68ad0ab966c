/* correlation_steps: the expression of a temporal correlation: `a and (b or not c)`.
 *
 *     TRY(correlation_steps_read(m, node, correlation));     // correlation->steps
 *
 * The names are the references of the correlation's rules, as written in its list; where it has no
 * list, its rules are the names in order of appearance. Brackets, not, and, or, and what else a
 * rule's condition may say (sigma/condition.h). */
#pragma once

#include "base/err.h"
#include "base/yaml.h"
#include "sigma/correlation.h"
#include "sigma/maker.h"

/* Fills c->parts. */
enum err correlation_steps_parts(
        struct maker *m, const struct yaml_node *condition, struct correlation *c) MUST_CHECK;
/* c->parts is there. A rule of the list that the expression does not name is refused. Of type
 * temporal_ordered only `and` has a meaning: the default bound says the same. */
enum err correlation_steps_read(
        struct maker *m, const struct yaml_node *condition, struct correlation *c) MUST_CHECK;
