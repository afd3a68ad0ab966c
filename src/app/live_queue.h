/* live_queue: matches that wait until nothing will come before them, the first one at hand.
 *
 *     TRY(live_queue_add(&queue, match, &id));         // its size before it; id replaces its own
 *     while (live_queue_first(&queue, &time_ns) && time_ns < clock) {
 *         use(live_queue_peek(&queue));
 *         live_queue_drop(&queue);
 *     }
 *
 * In the order of correlate/match.h. {0} is empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "correlate/match.h"

struct live_waiting;

struct live_queue {
    struct live_waiting **heap;
    size_t count, room;
    size_t bytes;
};

void live_queue_fini(struct live_queue *queue);
/* Without its size. The bytes are copied. */
enum err live_queue_add(
        struct live_queue *queue, struct slice match, const struct match_id *id) MUST_CHECK;
/* false: nothing waits. */
bool live_queue_first(const struct live_queue *queue, int64_t *time_ns);
/* Something waits. Borrowed until it is dropped. */
struct slice live_queue_peek(const struct live_queue *queue);
void live_queue_drop(struct live_queue *queue);
/* Are these bytes one match with its size, of a rule of which so many fields are kept? */
bool live_queue_whole(struct slice bytes, uint32_t fields);
