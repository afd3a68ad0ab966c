#include "app/serve_unread.h"

#include "event/unread.h"

void serve_unread_count(struct serve_unread_counts *counts, const struct frame *frame)
{
    struct slice reason = frame->attribute[FRAME_REASON];
    if (frame->kind != FRAME_UNREAD) {
        return;
    }
    if (slice_equal(reason, SLICE(UNREAD_UNDECODABLE))) {
        counts->undecodable += frame->count;
    } else if (slice_equal(reason, SLICE(UNREAD_PASSED_OVER))) {
        counts->passed_over += frame->count;
    }
}

struct serve_unread_counts serve_unread_read(const struct serve_unread *unread)
{
    struct serve_unread_counts counts;
    uint64_t times;
    do {
        times = atomic_load(&unread->times);
        counts = unread->slots[times & 1];
        atomic_thread_fence(memory_order_acquire);
    } while (atomic_load(&unread->times) != times);
    return counts;
}

void serve_unread_commit(
        struct serve_unread *unread, struct serve_unread_counts *counts, uint64_t at)
{
    struct serve_unread_counts before = serve_unread_read(unread);
    uint64_t times = atomic_load(&unread->times);
    unread->slots[(times + 1) & 1] = (struct serve_unread_counts){
            at, before.undecodable + counts->undecodable, before.passed_over + counts->passed_over};
    atomic_store(&unread->times, times + 1);
    *counts = (struct serve_unread_counts){0};
}
