/* make_event: a record drawn at random, as one line of JSON, in one of the shapes in which Windows
 * events arrive or in none.
 *
 *     make_event(&dice, &words, &json);        // with a newline
 */
#pragma once

#include "base/buf.h"
#include "property/dice.h"
#include "property/words.h"

void make_event(struct dice *dice, const struct words *words, struct buf *json);
