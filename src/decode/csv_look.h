/* csv_look: whether a stream is a table with a header, and not text that has commas.
 *
 *     int sure = csv_look(head, whole);       // struct decoder.recognise
 *
 * Its first record must be names, three or more, each once; the records behind it must have as many
 * cells. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"

int csv_look(struct slice head, bool whole);
