/* zeek: the decoder of Zeek's own logs (also Bro's): rows of separated values under # lines.
 *
 *     const struct decoder *d = &zeek_decoder;    // as the table in decoders.c has it
 *
 * A record is a row. Fields are the columns, and `_path` is what #path says: as in Zeek's JSON
 * logs, which the JSON decoder reads. What a column's type means:
 *
 *     bool                        T and F are true and false
 *     count int port double       numbers; what is none (nan, inf) is text
 *     time interval               numbers: seconds
 *     set[T] vector[T]            several values; (empty): an empty list
 *     all others                  text; (empty): the empty text
 *     - (unset)                   absent; null within a set or vector
 *
 * Escapes are resolved: \\ and \xHH. Bytes that are not UTF-8 then, and control bytes but \b \t \n
 * \f \r, stay as the text \xHH: Zeek writes its JSON so, too. */
#pragma once

#include "event/decoder.h"

extern const struct decoder zeek_decoder;
