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
    bool front;      /* behind a newline */
    char last;       /* the last byte that was no blank */
    bool broken;     /* it ended where it could not: see below */
};

enum {
    JSON_SPAN_BLANKS = 4096,
    /* Brackets that may be open where a line begins with a brace. */
    JSON_SPAN_DEEP = 1024,
};

/* Goes on over a value whose brackets may be wrong in kind but pair up in number. What stands
 * behind the last bracket and is neither blank, comma, bracket nor on the next line belongs to it.
 * A value that misses a quote or a bracket must not swallow the rest of the stream: it is broken
 * and ends at a newline in a string, and before a line's first byte that is a brace and can be no
 * part of it: no value may stand there, or more than JSON_SPAN_DEEP brackets are open. True: it
 * ends before bytes[*at]; false: *at is bytes.size, and more is needed to know. */
bool json_span_over(struct json_span *span, struct slice bytes, size_t *at);
