/* lines: a stream of records that are lines, for the decoders of text formats.
 *
 *     .cut = lines_cut,                                  // struct decoder
 *     while (lines_next(block, &at, &line))              // next
 *         ...
 *     return lines_share(head, whole, is_mine) > 60 ? 50 : 0;      // recognise
 *
 * A line ends with "\n" or "\r\n"; the last one of a stream needs no end. Lines of nothing but
 * blanks (space, tab, CR) are no records and use no ordinal. A byte order mark at the start of the
 * stream is skipped. A line over limits.record_bytes is rejected by name, whatever it holds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "event/decoder.h"

/* As struct decoder wants it. Uses c->a to c->c. */
enum err lines_cut(struct cutter *c, struct slice bytes, bool last, struct cut *out,
        struct diag *diag) MUST_CHECK;
/* Records in whole lines. */
uint64_t lines_count(struct slice lines);
/* The next record of a block from *at on, without its end; *at is then behind it. false: none. */
bool lines_next(struct slice block, size_t *at, struct slice *line);
/* For next(): OK, or ERR_LIMIT for a line that is too long. */
enum err lines_check(
        struct slice line, const struct decode_limits *limits, struct diag *diag) MUST_CHECK;

enum { LINES_SURVEYED = 100 };
/* How many percent of the first records of a stream (at most LINES_SURVEYED, the last one only
 * when it is whole or alone) are what `is` says. 0 when there are none. */
int lines_share(struct slice head, bool whole, bool (*is)(struct slice line));
