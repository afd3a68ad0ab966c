/* evidence: the events behind a finding: the first and the last of them, and how many there are.
 *
 *     struct evidence e = {0};
 *     evidence_add(&e, &event);            // any number, in order
 *     evidence_at(&e, i)                   // i < evidence_kept(&e)
 *     e.total                              // more than are kept: the middle was left out */
#pragma once

#include <stdint.h>

#include "correlate/match.h"

enum { EVIDENCE_SIDE = 32 };

struct evidence {
    struct match_id first[EVIDENCE_SIDE];
    struct match_id last[EVIDENCE_SIDE]; /* the newest behind them, as a ring */
    uint64_t total;
};

static inline void evidence_add(struct evidence *e, const struct match_id *event)
{
    if (e->total < EVIDENCE_SIDE) {
        e->first[e->total] = *event;
    } else {
        e->last[e->total % EVIDENCE_SIDE] = *event;
    }
    e->total++;
}

/* Events that are left out: the last EVIDENCE_SIDE of all are still to be added. */
static inline void evidence_skip(struct evidence *e, uint64_t events)
{
    e->total += events;
}

static inline uint32_t evidence_kept(const struct evidence *e)
{
    return e->total < 2 * EVIDENCE_SIDE ? (uint32_t)e->total : 2 * EVIDENCE_SIDE;
}

static inline const struct match_id *evidence_at(const struct evidence *e, uint32_t i)
{
    if (i < EVIDENCE_SIDE) {
        return &e->first[i];
    }
    uint64_t behind = evidence_kept(e) - i; /* 1: the newest */
    return &e->last[(e->total - behind) % EVIDENCE_SIDE];
}
