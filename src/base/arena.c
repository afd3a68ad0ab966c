#include "base/arena.h"

#include <stdint.h>

#include "base/memory.h"

enum { BLOCK_SIZE = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size; /* of bytes */
    size_t used;
    alignas(64) char bytes[];
};

void arena_init(struct arena *arena, size_t cap_bytes)
{
    *arena = (struct arena){.cap = cap_bytes};
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        memory_free(block);
        block = next;
    }
}

void arena_fini(struct arena *arena)
{
    free_blocks(arena->blocks);
    arena->blocks = NULL;
    arena->used = 0;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = arena->blocks;
    if (keep) {
        free_blocks(keep->next);
        keep->next = NULL;
        memset(keep->bytes, 0, keep->used);
        keep->used = 0;
    }
    arena->used = 0;
}

static struct arena_block *block_new(struct arena *arena, size_t need)
{
    size_t size = need > BLOCK_SIZE / 4 ? need : BLOCK_SIZE - sizeof(struct arena_block);
    if (size > SIZE_MAX - sizeof(struct arena_block)) {
        return NULL;
    }
    struct arena_block *block = memory_alloc(sizeof *block + size);
    if (!block) {
        return NULL;
    }
    block->size = size;
    if (arena->blocks && need > BLOCK_SIZE / 4) {
        /* A large one goes behind the newest, whose free rest stays in use. */
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t size, size_t align)
{
    if (size > arena->cap || arena->used > arena->cap - size || align > 64) {
        return NULL;
    }
    struct arena_block *block = arena->blocks;
    size_t at = block ? (block->used + align - 1) & ~(align - 1) : 0;
    if (!block || at > block->size || size > block->size - at) {
        block = block_new(arena, size ? size : 1);
        if (!block) {
            return NULL;
        }
        at = 0;
    }
    block->used = at + size;
    arena->used += size;
    return block->bytes + at;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size, size_t align)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return NULL;
    }
    return arena_alloc(arena, bytes, align);
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    char *copy = bytes.size < SIZE_MAX ? arena_alloc(arena, bytes.size + 1, 1) : NULL;
    if (!copy) {
        return (struct slice){0};
    }
    if (bytes.size) {
        memcpy(copy, bytes.at, bytes.size);
    }
    return slice_of(copy, bytes.size);
}
