/* output_correlation: the parts of a correlation's finding that several formats write.
 *
 *     output_correlation_group(shown, &out);       // "User":"bob","Host":null
 *     output_correlation_matched(shown, &out);     // "User":"bob","value":10,"events":10,... */
#pragma once

#include "cli/output.h"

/* JSON members: the fields of group-by with their values; null where the events have none. */
void output_correlation_group(const struct output_correlation *shown, struct buf *out);
/* {"from":"...","to":"...","timespan":"5m"} */
void output_correlation_window(const struct output_correlation *shown, struct buf *out);
/* A JSON number: whole ones without a fraction. */
void output_correlation_value(const struct output_correlation *shown, struct buf *out);
/* JSON members for formats with one cell for what matched: the group, value, events, from, to. */
void output_correlation_matched(const struct output_correlation *shown, struct buf *out);
/* The path of an event's file, or its source in a log, and its record there. */
struct slice output_correlation_source(
        const struct output_correlation *shown, const struct match_id *event, uint64_t *record);
