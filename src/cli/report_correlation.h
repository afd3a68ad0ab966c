/* report_correlation: a correlation's finding as a piece of the page: its group, its value, and
 * where its events were read.
 *
 *     report_correlation_write(&shown, &out);
 *
 * The piece is like that of cli/report_finding.h. */
#pragma once

#include "base/buf.h"
#include "cli/output.h"

void report_correlation_write(const struct output_correlation *shown, struct buf *out);
