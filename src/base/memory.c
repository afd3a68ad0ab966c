#include "base/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE = 2 << 20, HEAP_STEP = 64 << 20 };

/* 0: never fail; otherwise allocations left until failing starts, plus one. */
static _Atomic uint64_t fail_countdown;

void memory_fail_after(uint64_t n)
{
    atomic_store(&fail_countdown, n);
}

static int refused(void)
{
    uint64_t left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
    if (left == 0) {
        return 0;
    }
    if (left == 1) {
        return 1;
    }
    atomic_store(&fail_countdown, left - 1);
    return 0;
}

void *memory_alloc(size_t size)
{
    if (size == 0 || size > SIZE_MAX - 64 || refused()) {
        return NULL;
    }
    size_t padded = (size + 63) & ~(size_t)63;
    void *block = aligned_alloc(64, padded);
    if (block) {
        memset(block, 0, padded);
    }
    return block;
}

void *memory_alloc_array(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return NULL;
    }
    return memory_alloc(bytes);
}

void *memory_resize(void *block, size_t size)
{
    if (size == 0 || refused()) {
        return NULL;
    }
    return realloc(block, size);
}

void memory_free(void *block)
{
    free(block);
}

bool memory_grow(void *array, size_t *room, size_t need, size_t size)
{
    size_t wanted = *room ? *room : 64;
    while (wanted < need) {
        if (__builtin_mul_overflow(wanted, (size_t)2, &wanted)) {
            return false;
        }
    }
    size_t bytes;
    if (wanted == *room) {
        return true;
    }
    if (__builtin_mul_overflow(wanted, size, &bytes)) {
        return false;
    }
    void *block;
    memcpy(&block, array, sizeof block);
    block = memory_resize(block, bytes);
    if (!block) {
        return false;
    }
    memcpy(array, &block, sizeof block);
    *room = wanted;
    return true;
}

void memory_settle(void)
{
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TOP_PAD, HEAP_STEP);
    /* The first allocation takes the whole step. */
    memory_free(memory_alloc(HEAP_STEP / 64));
    uintptr_t end = (uintptr_t)sbrk(0);
    uintptr_t start = (end - HEAP_STEP + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
    /* Slower where it is refused, nothing more. */
    (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
}
