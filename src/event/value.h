/* value: one value of an event as its decoder found it, bytes not yet converted.
 *
 *     struct buf text = {0};
 *     value_text(value, &text);       // UTF-8, escapes resolved
 *
 * Most values are never looked at, so the decoder leaves escapes, UTF-16 and binary numbers as they
 * are and says which form they have. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,   /* text: true or false */
    VALUE_NUMBER, /* text: as written, JSON's grammar */
    VALUE_STRING,
    VALUE_OBJECT, /* an object, or an empty array: present, without text */
};

enum value_form {
    FORM_TEXT,         /* UTF-8 */
    FORM_JSON,         /* the inside of a valid JSON string that has at least one backslash */
    FORM_UTF16,        /* UTF-16LE, lone surrogates possible; a NUL ends it */
    FORM_TYPED = 0x40, /* and above: a binary value of the type form - FORM_TYPED (event/typed.h) */
};

struct value {
    struct slice text; /* borrowed from the record or the event's scratch */
    uint8_t kind;      /* enum value_kind */
    uint8_t form;      /* enum value_form; FORM_JSON and FORM_UTF16 for strings only */
    uint8_t weak;      /* 0: not; else the rank of the pattern it came by (event/paths.h) */
    uint32_t next;     /* a further value of this field: index into event->more plus 1; 0: none */
};

/* Adds the value's text as UTF-8 to `out` (nothing for null and objects). */
void value_text(const struct value *value, struct buf *out);
/* The same as a slice: borrowed from the value itself when it needs no conversion, else from
 * `scratch`, whose content is replaced. */
struct slice value_slice(const struct value *value, struct buf *scratch);
/* Bytes that value_unescape may write: form FORM_JSON never grows. Resolves JSON escapes
 * (RFC 8259 section 7); a lone surrogate becomes U+FFFD. Returns bytes written. */
size_t value_unescape(struct slice json, char *to);
