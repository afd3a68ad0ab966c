/* query: the language of hunts: a Sigma selection, and stages that make a table of what it finds.
 *
 *     Image|endswith: '\rundll32.exe' and not ParentImage|contains: 'explorer'
 *         | stack CommandLine by Computer | rare 20
 *
 *     struct query *query;
 *     TRY(query_new(text, taxonomy, &query, diag));           // diag: line and column of the text
 *     for (uint32_t pass = 0; pass < query_passes(query); pass++) {
 *         const struct query_scan *scan = query_scan(query, pass);
 *         ... give each event, decoded with scan->paths, to a run (hunt/query_run.h)
 *     }
 *
 * doc/hunt.md defines it. Selections are judged by the engine of detections, there is no second
 * matcher. Immutable once made, shared by threads. */
#pragma once

#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "event/paths.h"
#include "event/taxonomy.h"
#include "hunt/query_needs.h"
#include "hunt/row.h"

enum { QUERY_BYTES = 48 << 10 };

struct query;

/* The taxonomy must outlive the query. */
enum err query_new(struct slice text, const struct taxonomy *taxonomy, struct query **out,
        struct diag *diag) MUST_CHECK;
void query_free(struct query *query);

/* How often the events are read: once, and once more for each join, whose other query comes first.
 * Every pass must see the same events in the same order. */
uint32_t query_passes(const struct query *query);

/* What one pass asks of the events' source. */
struct query_scan {
    const struct paths *paths;      /* what decoders look for */
    uint32_t field_count;           /* event_init */
    const struct query_need *needs; /* an event that does not satisfy them need not be given */
    int64_t from_ns, to_ns;         /* nor one whose time is known and not in [from, to); no bound:
                                       INT64_MIN,         INT64_MAX */
};
const struct query_scan *query_scan(const struct query *query, uint32_t pass);

/* The table that comes out. */
const struct row_column *query_columns(const struct query *query, uint32_t *count);
