#include "correlate/ranks.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

struct ranks_block {
    uint32_t count;
    double at[RANKS_BLOCK];
};

void ranks_fini(struct ranks *ranks)
{
    for (size_t i = 0; i < ranks->count; i++) {
        memory_free(ranks->blocks[i]);
    }
    memory_free(ranks->blocks);
    *ranks = (struct ranks){0};
}

/* The first block that ends with the number or a greater one; count: none does. */
static size_t find_block(const struct ranks *ranks, double number)
{
    size_t low = 0, high = ranks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct ranks_block *b = ranks->blocks[middle];
        if (b->at[b->count - 1] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The first place in a block that holds the number or a greater one. */
static uint32_t find_place(const struct ranks_block *b, double number)
{
    uint32_t low = 0, high = b->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (b->at[middle] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct ranks_block *insert_block(struct ranks *ranks, size_t at)
{
    if (!memory_grow(&ranks->blocks, &ranks->room, ranks->count + 1, sizeof *ranks->blocks)) {
        return NULL;
    }
    struct ranks_block *b = memory_alloc(sizeof *b);
    if (!b) {
        return NULL;
    }
    memmove(ranks->blocks + at + 1, ranks->blocks + at,
            (ranks->count - at) * sizeof *ranks->blocks);
    ranks->blocks[at] = b;
    ranks->count++;
    return b;
}

/* The upper half of a full block moves to a new one behind it. */
static bool split(struct ranks *ranks, size_t at)
{
    struct ranks_block *upper = insert_block(ranks, at + 1);
    if (!upper) {
        return false;
    }
    struct ranks_block *lower = ranks->blocks[at];
    lower->count = RANKS_BLOCK / 2;
    upper->count = RANKS_BLOCK - RANKS_BLOCK / 2;
    memcpy(upper->at, lower->at + lower->count, upper->count * sizeof *upper->at);
    return true;
}

bool ranks_add(struct ranks *ranks, double number)
{
    if (ranks->count == 0 && !insert_block(ranks, 0)) {
        return false;
    }
    size_t at = ranks->total == 0 ? 0 : find_block(ranks, number);
    at = at == ranks->count ? at - 1 : at;
    if (ranks->blocks[at]->count == RANKS_BLOCK) {
        if (!split(ranks, at)) {
            return false;
        }
        const struct ranks_block *lower = ranks->blocks[at];
        at += lower->at[lower->count - 1] < number;
    }
    struct ranks_block *b = ranks->blocks[at];
    uint32_t place = find_place(b, number);
    memmove(b->at + place + 1, b->at + place, (b->count - place) * sizeof *b->at);
    b->at[place] = number;
    b->count++;
    ranks->total++;
    return true;
}

void ranks_take(struct ranks *ranks, double number)
{
    size_t at = find_block(ranks, number);
    assert(at < ranks->count);
    struct ranks_block *b = ranks->blocks[at];
    uint32_t place = find_place(b, number);
    assert(place < b->count && b->at[place] == number);
    b->count--;
    memmove(b->at + place, b->at + place + 1, (b->count - place) * sizeof *b->at);
    ranks->total--;
    if (b->count == 0) {
        memory_free(b);
        ranks->count--;
        memmove(ranks->blocks + at, ranks->blocks + at + 1,
                (ranks->count - at) * sizeof *ranks->blocks);
    }
}

double ranks_at(const struct ranks *ranks, uint64_t k)
{
    size_t at = 0;
    assert(k < ranks->total);
    while (k >= ranks->blocks[at]->count) {
        k -= ranks->blocks[at++]->count;
    }
    return ranks->blocks[at]->at[k];
}

double ranks_percentile(const struct ranks *ranks, double p)
{
    double place = (double)(ranks->total - 1) * (p / 100);
    double below = floor(place);
    double low = ranks_at(ranks, (uint64_t)below);
    if (place == below) {
        return low;
    }
    return low + (place - below) * (ranks_at(ranks, (uint64_t)below + 1) - low);
}

size_t ranks_bytes(const struct ranks *ranks)
{
    return ranks->count * sizeof(struct ranks_block) + ranks->room * sizeof *ranks->blocks;
}
