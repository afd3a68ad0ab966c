#include "app/live_queue.h"

#include <string.h>

#include "base/memory.h"

enum { SIZE_BYTES = 4, RECORD_AT = 12, RULE_AT = 20 };

struct live_waiting {
    size_t size;
    char match[];
};

void live_queue_fini(struct live_queue *q)
{
    for (size_t i = 0; i < q->count; i++) {
        memory_free(q->heap[i]);
    }
    memory_free(q->heap);
    *q = (struct live_queue){0};
}

static bool is_before(const struct live_waiting *a, const struct live_waiting *b)
{
    return memcmp(a->match, b->match, MATCH_KEY) < 0;
}

/* Big-endian, as correlate/match.c has it. */
static void put(char *at, uint64_t value, int bytes)
{
    for (int i = bytes; i-- > 0; value >>= 8) {
        at[i] = (char)(value & 0xFF);
    }
}

static uint64_t get(const char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) {
        value = value << 8 | (unsigned char)at[i];
    }
    return value;
}

static void rise(struct live_queue *q, size_t at)
{
    struct live_waiting *one = q->heap[at];
    for (size_t up; at > 0; at = up) {
        up = (at - 1) / 2;
        if (!is_before(one, q->heap[up])) {
            break;
        }
        q->heap[at] = q->heap[up];
    }
    q->heap[at] = one;
}

static void sink(struct live_queue *q)
{
    struct live_waiting *one = q->heap[0];
    size_t at = 0;
    for (size_t down; (down = 2 * at + 1) < q->count; at = down) {
        if (down + 1 < q->count && is_before(q->heap[down + 1], q->heap[down])) {
            down++;
        }
        if (!is_before(q->heap[down], one)) {
            break;
        }
        q->heap[at] = q->heap[down];
    }
    q->heap[at] = one;
}

enum err live_queue_add(struct live_queue *q, struct slice match, const struct match_id *id)
{
    struct live_waiting *one = memory_alloc(sizeof *one + match.size);
    if (!one || !memory_grow(&q->heap, &q->room, q->count + 1, sizeof *q->heap)) {
        memory_free(one);
        return ERR_MEMORY;
    }
    one->size = match.size;
    memcpy(one->match, match.at, match.size);
    put(one->match + RECORD_AT, id->record, 8);
    put(one->match + RULE_AT, id->rule, 4);
    q->heap[q->count] = one;
    rise(q, q->count++);
    q->bytes += sizeof *one + match.size;
    return OK;
}

bool live_queue_first(const struct live_queue *q, int64_t *time_ns)
{
    if (q->count == 0) {
        return false;
    }
    *time_ns = (int64_t)(get(q->heap[0]->match, 8) ^ (uint64_t)1 << 63);
    return true;
}

struct slice live_queue_peek(const struct live_queue *q)
{
    return slice_of(q->heap[0]->match, q->heap[0]->size);
}

void live_queue_drop(struct live_queue *q)
{
    q->bytes -= sizeof *q->heap[0] + q->heap[0]->size;
    memory_free(q->heap[0]);
    q->heap[0] = q->heap[--q->count];
    if (q->count > 0) {
        sink(q);
    }
}

bool live_queue_whole(struct slice bytes, uint32_t fields)
{
    size_t at = SIZE_BYTES + MATCH_KEY + 1;
    if (bytes.size < at || get(bytes.at, SIZE_BYTES) != bytes.size - SIZE_BYTES) {
        return false;
    }
    at += (unsigned char)bytes.at[at - 1]; /* the host */
    while (fields-- > 0) {
        if (at >= bytes.size) {
            return false;
        }
        unsigned values = (unsigned char)bytes.at[at++];
        while (values-- > 0) {
            if (bytes.size < at + 2) {
                return false;
            }
            at += 2 + get(bytes.at + at, 2);
        }
    }
    return at == bytes.size;
}
