/* csv: the decoder of tables with a header (RFC 4180), as spreadsheets, PowerShell's Export-Csv and
 * consoles of clouds write them.
 *
 *     const struct decoder *d = &csv_decoder;    // as the table in decoders.c has it
 *
 * The first record names the columns; it uses no ordinal, nor does one that repeats it. Separators
 * are , ; tab and |, whichever the header has most; "sep=;" in a first line says it, and
 * PowerShell's #TYPE line is passed over. A cell without a byte is absent, "" is the empty text; a
 * cell that is a number after JSON's grammar is one. A record of other than the named columns is
 * rejected. So is one over the limit or with a quote that nothing closes, but of that only the
 * first line: reading goes on behind it.
 *
 * The values of a JSON object in a column AuditData (Microsoft 365's unified audit log) are the
 * record's own. */
#pragma once

#include "event/decoder.h"

extern const struct decoder csv_decoder;
