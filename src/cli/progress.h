/* progress: a line on a terminal's stderr that says how far a run is.
 *
 *      43 %  1.2 GB of 2.8 GB  1,034,000 events/s  12 s left
 *
 * Drawn at most PROGRESS_MS apart, wiped before anything else is written. One user at a time (the
 * ordered writer). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PROGRESS_MS = 200 };

struct progress {
    bool shown_ever; /* false: no terminal, or quiet: nothing is drawn */
    bool shown;      /* a line stands there now */
    bool unknown;    /* the size of all is not known: no percentage, no time left */
    uint64_t total_bytes;
    int64_t begun_ns; /* monotonic */
    int64_t drawn_ns;
};

void progress_begin(struct progress *p, bool draw, uint64_t total_bytes, bool unknown);
void progress_tick(struct progress *p, uint64_t bytes, uint64_t events);
void progress_wipe(struct progress *p);
