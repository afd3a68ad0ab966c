/* json: the decoder of JSON: a record a line, arrays of records, and objects one behind another.
 *
 *     const struct decoder *d = &json_decoder;    // as the table in decoders.c has it
 *
 * A record is an object, valid after RFC 8259 to its last byte, read or not: UTF-8, escapes,
 * numbers, nothing behind it. Every other record is rejected alone, with the byte and what was
 * expected there; columns count from the record's first byte. What the standard leaves open:
 *
 *   two keys of one name    both values count (section 4 only says they SHOULD be unique)
 *   lone surrogates         are accepted and read as U+FFFD (section 8.2)
 *   numbers                 keep their text; nothing is rounded
 *   a byte order mark       is skipped at the start of the stream (section 8.1), refused elsewhere
 *   depth, keys, bytes      struct decode_limits
 *
 * An object where a field's value is looked for gives way to any text: {"EventID": {"#text": 1}}.
 */
#pragma once

#include "event/decoder.h"

extern const struct decoder json_decoder;
