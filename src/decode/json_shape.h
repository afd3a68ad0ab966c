/* json_shape: the ways that records have taken, so that the next one of the same shape is read
 * by comparing instead of parsing.
 *
 *     {"Event":{"System":{"EventID":4624,"Channel":"Security"}}}
 *     ^------------- step --------->    ^-- step -->        ^-- step (end)
 *
 * What lies between two stops (json_walk.h) is the same bytes in all records of a shape: one
 * vector comparison checks the punctuation, resolves the keys and knows the fields, since the
 * exact walk did all of that when it went there first. A state is what the grammar needs to
 * know at a stop (the containers that are open, and what was just read) and the key, which has
 * nothing to say in grammar but tells what comes next. A state's steps are tried after the one
 * that was taken last time from where we come, the latest first; the one that was not taken for
 * longest gives way to a new one.
 *
 * Nothing here can accept what the walk refuses: each step's bytes were accepted by it in the very
 * same grammatical situation. Bounded: when the tables are full nothing more is learned, and after
 * SHAPE_PATIENCE records that were not known everything is forgotten. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/slice.h"
#include "decode/json_walk.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    JSON_SHAPE_HEAD = 32, /* bytes of a step beside its other data */
    JSON_SHAPE_BYTES = 255,
    JSON_SHAPE_STEPS = 1 << 14,
    JSON_SHAPE_FANOUT = 64, /* steps of one state */
    JSON_SHAPE_STATES = 1 << 13,
    JSON_SHAPE_CONTEXTS = 1 << 12,
    JSON_SHAPE_TEXT = 1 << 20,
    JSON_SHAPE_PATIENCE = 1 << 14,
};
#define JSON_SHAPE_NONE UINT32_MAX
#define JSON_SHAPE_NOWHERE UINT16_MAX

/* A cache line. */
struct json_shape_step {
    char head[JSON_SHAPE_HEAD];
    uint32_t mask;  /* a bit for each byte of head that counts */
    uint32_t next;  /* the step that was taken after this one last time; 0: never matches */
    uint32_t field; /* the first that the value belongs to, FIELD_NONE: none */
    uint8_t size;
    uint8_t kind; /* enum json_stop_kind */
    uint8_t weak; /* of `field` */
    bool more;    /* the edge has further fields */
    const struct path_edge *edge;
    uint32_t tail;  /* of more than JSON_SHAPE_HEAD bytes the last so many, in json_shape.text */
    uint16_t to;    /* state; JSON_SHAPE_NOWHERE: behind the end, or not learned */
    uint16_t other; /* of the same state, or 0 */
};
_Static_assert(sizeof(struct json_shape_step) == 64, "a cache line");

struct json_shape_state {
    uint16_t first;   /* step, or 0 */
    uint16_t count;   /* steps */
    uint32_t context; /* JSON_SHAPE_NONE: none is open */
    uint32_t kind;
    uint32_t key_size;
    const char *key;
    uint64_t hash;
};

struct json_shape_context {
    const struct path_edge *edge;
    uint32_t parent;
    uint32_t node;
    uint32_t depth; /* 1: the outermost */
    bool array;
    uint64_t hash;
};

struct json_shape {
    struct json_shape_step *steps;   /* [0] never matches */
    struct json_shape_state *states; /* [0] is the start */
    struct json_shape_context *contexts;
    uint32_t *state_slots; /* number plus 1; twice as many as states */
    uint32_t *context_slots;
    char *text;
    uint32_t step_count, state_count, context_count, text_size;
    bool full;
    uint32_t unknown; /* records that it could not learn since it was full */
};

enum err json_shape_init(struct json_shape *shape) MUST_CHECK;
void json_shape_fini(struct json_shape *shape);
/* The walk has gone from `state` over `bytes` to `stop`: learns it. The step, or NULL when it
 * cannot be learned. */
struct json_shape_step *json_shape_learn(struct json_shape *shape, uint32_t state,
        struct slice bytes, struct json_walk *walk, const struct json_stop *stop);
/* A step that leads to a stop without coming from anywhere: no bytes, not in any table. */
struct json_shape_step json_shape_loose(const struct json_stop *stop);
/* Sets the walk's stack to what is open in a state. */
void json_shape_restore(const struct json_shape *shape, uint32_t state, struct json_walk *walk);
/* Nothing is known any more. */
void json_shape_forget(struct json_shape *shape);
/* A record ended beyond what was learned. */
void json_shape_missed(struct json_shape *shape);

/* Whether 32 bytes are the same where `mask` has a bit. */
typedef bool json_shape_same(const char *a, const char *b, uint32_t mask);

static inline bool json_shape_same_portable(const char *a, const char *b, uint32_t mask)
{
#if defined(__x86_64__)
    __m128i a0 = _mm_loadu_si128((const __m128i *)(const void *)a);
    __m128i a1 = _mm_loadu_si128((const __m128i *)(const void *)(a + 16));
    __m128i b0 = _mm_loadu_si128((const __m128i *)(const void *)b);
    __m128i b1 = _mm_loadu_si128((const __m128i *)(const void *)(b + 16));
    uint32_t same = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a0, b0)) |
                    (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a1, b1)) << 16;
    return (~same & mask) == 0;
#else
    for (unsigned i = 0; i < JSON_SHAPE_HEAD; i++) {
        if ((mask >> i & 1) && a[i] != b[i]) {
            return false;
        }
    }
    return true;
#endif
}

#if defined(__x86_64__)
__attribute__((target("avx2,bmi,bmi2"))) static inline bool json_shape_same_avx2(
        const char *a, const char *b, uint32_t mask)
{
    __m256i left = _mm256_loadu_si256((const __m256i *)(const void *)a);
    __m256i right = _mm256_loadu_si256((const __m256i *)(const void *)b);
    return (~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(left, right)) & mask) == 0;
}
#endif

/* Whether the step's bytes stand at `at`, within `left` bytes or the 64 readable ones behind
 * them. */
static inline __attribute__((always_inline)) bool json_shape_is(const struct json_shape_step *step,
        const char *text, const char *at, size_t left, json_shape_same *same)
{
    if (__builtin_expect(!same(at, step->head, step->mask), 0)) {
        return false;
    }
    if (__builtin_expect(step->size <= JSON_SHAPE_HEAD, 1)) {
        return true;
    }
    const char *tail = text + step->tail;
    size_t from = step->size - (size_t)JSON_SHAPE_HEAD;
    if (step->size < 2 * JSON_SHAPE_HEAD) {
        return same(at + from, tail, UINT32_MAX);
    }
    return step->size <= left && memcmp(tail - from, at, step->size) == 0;
}

/* ,"a": stands before a number, and is the beginning of what stands before a string: whether a
 * step that leads to a number, and whose bytes stand at `at`, finds one. */
static inline __attribute__((always_inline)) bool json_shape_fits(
        const struct json_shape_step *step, const char *at)
{
    return step->kind != JSON_NUMBER || at[step->size] == '-' ||
           (unsigned char)(at[step->size] - '0') <= 9;
}
