/* need: does an event satisfy what a query says it needs (hunt/query_needs.h)? Looked up plainly,
 * value by value, with all its values from the decoder's own walk.
 *
 *     assert(need_holds(query_scan(query, 0)->needs, &event)); */
#pragma once

#include <stdbool.h>

#include "event/event.h"
#include "hunt/query_needs.h"

bool need_holds(const struct query_need *need, struct event *event);
