/* memory: the only place that calls malloc; tests can make it fail.
 *
 *     struct engine *engine = memory_alloc(sizeof *engine);   // zeroed, or NULL
 *     memory_free(engine);
 *
 * Long-lived things that are freed together belong in an arena instead. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Zeroed bytes aligned to 64, or NULL. Owner: the caller, by memory_free. size 0 gives NULL. */
void *memory_alloc(size_t size);
/* count * size, zeroed; NULL on overflow as well. */
void *memory_alloc_array(size_t count, size_t size);
/* Grows a block to `size` bytes (old content kept, new bytes not set); the old block stays valid
 * and owned when NULL is returned. */
void *memory_resize(void *block, size_t size);
void memory_free(void *block);
/* Called once, at the program's start, before other threads: memory comes in large pages where the
 * system has them, and freed memory stays with the program, which will ask for it again: taking
 * pages costs a fault each. */
void memory_settle(void);
/* Doubles the array that *(T **)array points to until `need` elements of `size` bytes fit; *room
 * is how many do. false: refused, all as it was. New elements are not set. */
bool memory_grow(void *array, size_t *room, size_t need, size_t size) MUST_CHECK;
/* Tests: the n-th allocation from now fails (1: the next), and all after it; 0: never. */
void memory_fail_after(uint64_t n);
