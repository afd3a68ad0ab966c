/* ring: the events of a window, oldest first, with a number each where the correlation needs one.
 *
 *     struct ring ring = {0};
 *     if (!ring_add(&ring, &event, NULL)) ... no memory
 *     while (ring.count && ring_first(&ring)->time_ns < from) ring_drop(&ring);
 *
 * {0} is empty. All with numbers, or none. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlate/match.h"

/* A number of an event; whole numbers of 64 bits stay exact. */
struct ring_number {
    bool is_whole;
    int64_t whole;
    double real; /* of whole ones, too */
    bool again;  /* of the same event as the number before */
};

struct ring {
    struct match_id *events; /* `room` of them, a power of two */
    struct ring_number *numbers;
    size_t room, first, count;
};

void ring_fini(struct ring *ring);
bool ring_add(struct ring *ring, const struct match_id *event, const struct ring_number *number)
        __attribute__((warn_unused_result));
/* Forgets the oldest. */
void ring_drop(struct ring *ring);
/* From the oldest; at < count. */
static inline const struct match_id *ring_at(const struct ring *ring, size_t at)
{
    return &ring->events[(ring->first + at) & (ring->room - 1)];
}
static inline const struct match_id *ring_first(const struct ring *ring)
{
    return ring_at(ring, 0);
}
static inline const struct ring_number *ring_first_number(const struct ring *ring)
{
    return &ring->numbers[ring->first];
}
size_t ring_bytes(const struct ring *ring);
