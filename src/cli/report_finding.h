/* report_finding: one finding as a piece of the page: when, where, what matched, the whole event.
 *
 *     report_finding_write(&finding, &mark, &out);      // any thread
 *
 * The piece is what follows `<article class="f" id="..."`, the page writes that. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "cli/output.h"

enum {
    REPORT_FINDING_VALUE = 2048,       /* bytes shown of a value */
    REPORT_FINDING_VALUES = 200,       /* values shown of an event */
    REPORT_FINDING_FIELDS = 60,        /* values shown of what matched */
    REPORT_FINDING_BYTES = 128 * 1024, /* no further value is begun after so many of the piece */
    REPORT_FINDING_NAME = 256,         /* bytes shown of a field's or a file's name */
};

/* `timed`: time_ns is the event's. */
void report_finding_write(
        const struct output_finding *finding, bool timed, int64_t time_ns, struct buf *out);
