/* arena: capped memory that dies together.
 *
 *     struct arena arena;
 *     arena_init(&arena, 64 << 20);                 // at most 64 MiB
 *     struct node *n = ARENA_NEW(&arena, struct node);   // zeroed, or NULL past the cap
 *     arena_fini(&arena);
 *
 * A ruleset, a batch and a request each own one. Not shared between threads. */
#pragma once

#include <stdalign.h>
#include <stddef.h>

#include "base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes handed out, of all blocks */
    size_t cap;                 /* bytes that may be handed out */
};

void arena_init(struct arena *arena, size_t cap_bytes);
void arena_fini(struct arena *arena);
/* Forgets everything, keeps the newest block for reuse. */
void arena_reset(struct arena *arena);
/* Zeroed bytes, or NULL when the cap or the system refuses. Valid until reset or fini.
 * size 0 gives a valid pointer to nothing. align: a power of two. */
void *arena_alloc(struct arena *arena, size_t size, size_t align);
/* count * size; NULL on overflow as well. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size, size_t align);
/* A copy of the bytes, with a NUL after them that is not counted; .at NULL when refused. */
struct slice arena_copy(struct arena *arena, struct slice bytes);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type), alignof(type)))
#define ARENA_ARRAY(arena, type, count)                                                            \
    ((type *)arena_alloc_array((arena), (count), sizeof(type), alignof(type)))
