/* json_span: where one value of a JSON stream ends, be it well formed or not.
 *
 *     struct json_span span = {0};
 *     size_t at = start;
 *     if (json_span_over(&span, bytes, &at)) bytes[start..at) is the value
 *     else go on with the same span when more bytes are there */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum json_span_phase { JSON_SPAN_NEW, JSON_SPAN_INSIDE, JSON_SPAN_BEHIND, JSON_SPAN_STRAY };

/* Where we are in a value that may go on in the next piece of the stream. All zero: before it. */
struct json_span {
    uint32_t depth;  /* of brackets */
    uint32_t blanks; /* behind the value's last bracket, on its line */
    uint8_t phase;   /* enum json_span_phase */
    bool string;     /* inside of one */
    bool escape;     /* behind a backslash */
};

enum { JSON_SPAN_BLANKS = 4096 };

/* Goes on over a value whose brackets may be wrong in kind but pair up in number. A newline in a
 * string ends the value, so that a missing quote does not swallow the rest of the stream. What
 * stands behind the last bracket and is neither blank, comma, bracket nor on the next line belongs
 * to it. True: it ends before bytes[*at]; false: *at is bytes.size, and more is needed to know. */
bool json_span_over(struct json_span *span, struct slice bytes, size_t *at);
