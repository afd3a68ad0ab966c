/* json_cut: where records of a JSON stream begin and end, before anybody reads them.
 *
 *     lines:   {"a":1}\n{"a":2}\n          a record a line, whatever it holds
 *     values:  [{"a":1},\n {"a":2}]        one array or more; objects over several lines, one
 *                                          behind another
 *
 * The first line decides. Lines are blocks that end with a newline; a last line without one is a
 * block of its own, with nothing but one value in it. Other blocks hold values with blanks and
 * commas between, and end with the last value. So a block's last byte tells what it is. */
#pragma once

#include "event/decoder.h"

/* As struct decoder wants them. */
int json_cut_recognise(struct slice head, bool whole);
enum err json_cut(struct cutter *c, struct slice bytes, bool last, struct cut *out,
        struct diag *diag) MUST_CHECK;

/* Where we are in a value that may go on in the next piece of the stream. All zero: before it. */
struct json_span {
    uint32_t depth;  /* of brackets */
    uint32_t blanks; /* behind the value's last bracket, on its line */
    uint8_t phase;   /* enum span_phase */
    bool string;     /* inside of one */
    bool escape;     /* behind a backslash */
};

enum { JSON_SPAN_BLANKS = 4096 };

/* Goes on over a value whose brackets may be wrong in kind but pair up in number. A newline in a
 * string ends the value, so that a missing quote does not swallow the rest of the stream. What
 * stands behind the last bracket and is neither blank, comma, bracket nor on the next line belongs
 * to it. True: it ends before bytes[*at]; false: *at is bytes.size, and more is needed to know. */
bool json_cut_span(struct json_span *span, struct slice bytes, size_t *at);
