/* holdings_file: the sums of a finished segment, kept beside it as BASE.held: lines of text, the
 * last of which sums the others. What it says can be read from the segment again: it is not synced.
 *
 *     if (holdings_file_read(h, index, end) == OK) ...    // segments[index] is counted
 *     (void)holdings_file_write(h, index, end); */
#pragma once

#include "wal/holdings.h"

enum { HOLDINGS_FILE_LIMIT = 16 << 20 };

/* `end`: the offset behind the segment. ERR_NOT_FOUND; ERR_SYNTAX: it is not believed. */
enum err holdings_file_read(struct holdings *h, size_t index, uint64_t end) MUST_CHECK;
enum err holdings_file_write(const struct holdings *h, size_t index, uint64_t end) MUST_CHECK;
/* Of a segment that is gone. */
void holdings_file_remove(const struct holdings *h, uint64_t base);
/* Those of all segments that are not there any more. */
enum err holdings_file_sweep(const struct holdings *h, struct diag *diag) MUST_CHECK;
/* In holdings.c: adds to a segment's sums and to the tenant's. */
enum err holdings_add(struct holdings *h, size_t index, struct slice tenant,
        const struct holding *some) MUST_CHECK;
/* Notes that a segment names a set of rules; what is no hash is none. */
enum err holdings_name(struct holdings *h, size_t index, struct slice hash) MUST_CHECK;
void holdings_clear(struct holdings *h, size_t index);
