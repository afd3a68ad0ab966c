#include "correlate/ring.h"

#include <string.h>

#include "base/memory.h"

enum { FIRST_ROOM = 4 };

void ring_fini(struct ring *ring)
{
    memory_free(ring->events);
    memory_free(ring->numbers);
    *ring = (struct ring){0};
}

/* Into new memory, the oldest first. */
static void unroll(const struct ring *ring, const void *from, void *to, size_t size)
{
    size_t end = ring->room - ring->first;
    size_t head = ring->count < end ? ring->count : end;
    memcpy(to, (const char *)from + ring->first * size, head * size);
    memcpy((char *)to + head * size, from, (ring->count - head) * size);
}

static bool grow(struct ring *ring, bool numbers)
{
    size_t room = ring->room ? ring->room * 2 : FIRST_ROOM;
    struct match_id *events = memory_alloc_array(room, sizeof *events);
    struct ring_number *list = numbers ? memory_alloc_array(room, sizeof *list) : NULL;
    if (!events || (numbers && !list)) {
        memory_free(events);
        memory_free(list);
        return false;
    }
    if (ring->count) {
        unroll(ring, ring->events, events, sizeof *events);
    }
    if (ring->count && numbers) {
        unroll(ring, ring->numbers, list, sizeof *list);
    }
    memory_free(ring->events);
    memory_free(ring->numbers);
    ring->events = events;
    ring->numbers = list;
    ring->room = room;
    ring->first = 0;
    return true;
}

bool ring_add(struct ring *ring, const struct match_id *event, const struct ring_number *number)
{
    if (ring->count == ring->room && !grow(ring, number)) {
        return false;
    }
    size_t at = (ring->first + ring->count++) & (ring->room - 1);
    ring->events[at] = *event;
    if (number) {
        ring->numbers[at] = *number;
    }
    return true;
}

void ring_drop(struct ring *ring)
{
    ring->first = (ring->first + 1) & (ring->room - 1);
    ring->count--;
}

size_t ring_bytes(const struct ring *ring)
{
    size_t each = sizeof *ring->events + (ring->numbers ? sizeof *ring->numbers : 0);
    return ring->room * each;
}
