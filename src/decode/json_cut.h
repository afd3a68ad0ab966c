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
