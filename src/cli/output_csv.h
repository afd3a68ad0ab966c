/* output_csv: findings as CSV (RFC 4180: CRLF, quotes doubled), safe to open in a spreadsheet.
 *
 *     time,level,title,id,author,tags,host,file,record,matched
 *
 * A cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage
 * return) gets an apostrophe before it. */
#pragma once

#include "cli/output.h"

extern const struct output_format output_csv;
/* One cell, quoted and guarded. */
void output_csv_cell(struct buf *out, struct slice text);
