/* shape_escape: a text as the inside of a JSON string, in the way that a program once wrote it.
 *
 *     uint8_t how = shape_escape_guess(inside);            // of `C:\\a\/b`: SHAPE_JSON | ..SLASH
 *     to += shape_escape(text, how, to);                   // `C:\\a\/b` again
 *
 * Quotes, backslashes and control bytes are always escaped, \b \f \n \r \t in short; what else is
 * follows from `how`. Whether a guess is right only a comparison tells. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
    SHAPE_PLAIN = 0,         /* not as JSON, but as it stands */
    SHAPE_JSON = 1,          /* the flags below need it */
    SHAPE_JSON_SLASH = 2,    /* \/ */
    SHAPE_JSON_ASCII = 4,    /* \u00e9 for what is beyond ASCII */
    SHAPE_JSON_UPPER = 8,    /* \u00E9 */
    SHAPE_JSON_ANGLES = 16,  /* \u003c, \u003e, \u0026 for < > & */
    SHAPE_JSON_QUOTE = 32,   /* \u0027 for ' */
    SHAPE_HOW = 64,          /* all are below */
    SHAPE_ESCAPE_GROWTH = 6, /* bytes that one may become */
    SHAPE_ESCAPE_SLACK = 16, /* bytes behind the text that may be written over */
};

/* By the escapes that stand in the inside of a valid JSON string. */
uint8_t shape_escape_guess(struct slice inside);
/* `to` has room for SHAPE_ESCAPE_GROWTH times the text and SHAPE_ESCAPE_SLACK. Returns the bytes
 * written. What is no UTF-8 stays as it is. */
size_t shape_escape(struct slice text, uint8_t how, char *to);
