/* retain: what retention lets go. A log goes by whole segments, the first one first: it may go when
 * nobody needs it any more and all that it holds of every tenant is past that tenant's limits.
 *
 *     struct retain retain = {.limit = limit, .context = config, .now_ns = now, .needed = through};
 *     uint64_t below = retain_below(&retain, h);      // for wal_remove; 0: nothing
 *     uint64_t bytes = retain_beyond(&retain, h, tenant, kind);
 *
 *     int64_t now = retain_clock_now(&clock, wall_ns, steady_ns);  // that no leap deceives */
#pragma once

#include "wal/holdings.h"

enum { RETAIN_LEAP_S = 24 * 60 * 60 };

struct retain_limit {
    int64_t age_ns; /* 0: none */
    uint64_t bytes; /* 0: none */
};

struct retain {
    struct retain_limit (*limit)(const void *context, struct slice tenant, enum holdings_kind kind);
    const void *context;
    int64_t now_ns;
    int64_t horizon_ns; /* matches older than that do not matter; 0: not known, all do */
    uint64_t needed;    /* offsets from here on are, whatever the limits say */
};

/* The offset below which the first segment lies, where that may go; 0: it stays. */
uint64_t retain_below(const struct retain *retain, const struct holdings *h);
/* What is held of a tenant past its limits: in segments that others need, or that are not finished.
 */
uint64_t retain_beyond(const struct retain *retain, const struct holdings *h, uint32_t tenant,
        enum holdings_kind kind);

/* A wall clock that leaps ahead makes everything old at once: it is not believed before it has
 * stayed so for RETAIN_LEAP_S. */
struct retain_clock {
    int64_t trusted_ns; /* 0: whatever comes first is believed */
    int64_t steady_ns;
    int64_t leapt_ns; /* when, by the steady clock; 0: it has not */
};
int64_t retain_clock_now(struct retain_clock *clock, int64_t wall_ns, int64_t steady_ns);
