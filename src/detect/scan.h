/* scan: where the searches of one value put what they found.
 *
 *     scan_start(&out);
 *     anchor_scan(anchors, folded, &out);
 *     literal_scan(literals, folded, &out);
 *     for (uint32_t i = 0; i < out.count; i++) use(out.ids[i]);    // each trigger once
 */
#pragma once

#include <stdint.h>
#include <string.h>

struct scan {
    uint32_t *stamps; /* by trigger: the epoch it was last found in */
    uint32_t *ids;    /* room for every trigger */
    uint32_t room;    /* triggers */
    uint32_t count;
    uint32_t epoch;
};

static inline void scan_start(struct scan *out)
{
    out->count = 0;
    if (++out->epoch == 0) {
        memset(out->stamps, 0, out->room * sizeof *out->stamps);
        out->epoch = 1;
    }
}

static inline void scan_found(struct scan *out, uint32_t trigger)
{
    if (out->stamps[trigger] != out->epoch) {
        out->stamps[trigger] = out->epoch;
        out->ids[out->count++] = trigger;
    }
}
