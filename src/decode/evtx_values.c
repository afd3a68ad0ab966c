#include "decode/evtx_values.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "decode/evtx_text.h"
#include "event/typed.h"

/* The size that a value of a type must have, by the type's byte; others are looked at. */
enum { SIZE_ODD = 0, SIZE_ANY = 0xFF };

static const uint8_t type_sizes[256] = {
        [EVTX_NULL] = SIZE_ANY,
        [EVTX_STRING] = SIZE_ANY,
        [EVTX_INT8] = 1,
        [EVTX_UINT8] = 1,
        [EVTX_INT16] = 2,
        [EVTX_UINT16] = 2,
        [EVTX_INT32] = 4,
        [EVTX_UINT32] = 4,
        [EVTX_INT64] = 8,
        [EVTX_UINT64] = 8,
        [EVTX_REAL32] = 4,
        [EVTX_REAL64] = 8,
        [EVTX_BOOL] = 4,
        [EVTX_BINARY] = SIZE_ANY,
        [EVTX_GUID] = 16,
        [EVTX_FILETIME] = 8,
        [EVTX_SYSTEMTIME] = 16,
        [EVTX_HEX32] = 4,
        [EVTX_HEX64] = 8,
};

/* ---- one by one -------------------------------------------------------------------------- */

/* A value whose type says more than a size. False: it cannot be. */
static bool note_value(
        struct slice chunk, const struct evtx_value *value, struct evtx_placed *placed)
{
    if (!evtx_text_fits(value->type, slice_of(chunk.at + value->at, value->size))) {
        return false;
    }
    placed->arrays |= value->type >= EVTX_ARRAY;
    placed->ansi |= value->type == EVTX_ANSI;
    placed->fragments += value->type == EVTX_BINXML && value->size;
    return true;
}

static bool place_each(
        const struct evtx_placing *in, struct evtx_placed *out, struct evtx_fault *fault)
{
    const char *descriptor = in->chunk.at + in->at;
    uint32_t at = in->at + 4 * in->count;
    *out = (struct evtx_placed){0};
    for (uint32_t i = 0; i < in->count; i++, descriptor += 4) {
        uint16_t size = evtx_u16(descriptor);
        uint8_t type = (uint8_t)descriptor[2];
        uint8_t wanted = type_sizes[type];
        if (size > in->end - at) {
            *fault = (struct evtx_fault){"value that is longer than its record", at};
            return false;
        }
        in->values[i] = (struct evtx_value){at, size, type, 0};
        if (wanted != SIZE_ANY && wanted != size && size &&
                (wanted != SIZE_ODD || !note_value(in->chunk, &in->values[i], out))) {
            *fault = (struct evtx_fault){"value of a wrong size or unknown type", at};
            return false;
        }
        at += size;
    }
    out->end = at;
    return true;
}

#ifdef __SSE2__

/* ---- four at a time ---------------------------------------------------------------------- */

enum { LANES = 4, LEARNED = 64 };

struct lanes {
    uint32_t used[LANES];  /* all bits but behind the last value */
    uint32_t fixed[LANES]; /* the bits of a descriptor that are always the same: not the size of a
                              string, for one */
    uint32_t usual[LANES]; /* how they are: type and size */
};

struct evtx_layout {
    uint32_t count;
    uint32_t learned; /* how often; LEARNED: no more, its instances differ too much */
    uint32_t odd_count;
    uint8_t odd[EVTX_LAYOUT_VALUES]; /* values whose size depends on their bytes */
    alignas(EVTX_LAYOUT_ALIGN) struct lanes lanes[];
};

size_t evtx_values_layout_size(uint32_t count)
{
    return sizeof(struct evtx_layout) + (count + LANES - 1) / LANES * sizeof(struct lanes);
}

void evtx_values_layout(struct evtx_layout *layout, uint32_t count)
{
    layout->count = count;
    for (uint32_t i = 0; i < count; i++) {
        layout->lanes[i / LANES].used[i % LANES] = UINT32_MAX;
    }
}

/* Takes over the types of an instance; a value that is not set says nothing. */
static void learn(struct evtx_layout *layout, const struct evtx_value *values)
{
    layout->learned++;
    layout->odd_count = 0;
    for (uint32_t i = 0; i < layout->count; i++) {
        struct lanes *lanes = &layout->lanes[i / LANES];
        uint32_t k = i % LANES;
        if (values[i].type != EVTX_NULL) {
            lanes->usual[k] = (uint32_t)values[i].type << 16;
        }
        uint8_t type = (uint8_t)(lanes->usual[k] >> 16);
        uint8_t wanted = type_sizes[type];
        bool any = wanted == SIZE_ANY || wanted == SIZE_ODD;
        lanes->fixed[k] = any ? 0xFFFF0000 : UINT32_MAX;
        lanes->usual[k] = (uint32_t)type << 16 | (any ? 0u : wanted);
        if (wanted == SIZE_ODD) {
            layout->odd[layout->odd_count++] = (uint8_t)i;
        }
    }
}

static __m128i load(const void *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

/* A value whose size depends on its bytes. False: leave it to place_each. */
static bool note_odd(
        const struct evtx_placing *in, const struct evtx_value *value, struct evtx_placed *out)
{
    if (value->size == 0) {
        return true;
    }
    if (value->type == EVTX_BINXML) {
        out->fragments++;
        return true;
    }
    if (value->type == EVTX_SID) {
        return value->size >= TYPED_SID_HEADER &&
               TYPED_SID_HEADER + 4u * (unsigned char)in->chunk.at[value->at + 1] <= value->size;
    }
    return note_value(in->chunk, value, out);
}

/* False: some value has another type than it had so far, or the instance is broken. */
static bool place_lanes(const struct evtx_placing *in, struct evtx_placed *out)
{
    const struct evtx_layout *layout = in->layout;
    const struct lanes *lanes = layout->lanes;
    const struct lanes *end = lanes + (in->count + LANES - 1) / LANES;
    const char *descriptor = in->chunk.at + in->at;
    struct evtx_value *to = in->values;
    __m128i ends = _mm_set1_epi32((int)(in->at + 4 * in->count));
    __m128i good = _mm_set1_epi32(-1);
    for (; lanes != end; lanes++, descriptor += 4 * LANES, to += LANES) {
        __m128i all = _mm_and_si128(load(descriptor), load(lanes->used));
        __m128i usual = _mm_cmpeq_epi32(_mm_and_si128(all, load(lanes->fixed)), load(lanes->usual));
        __m128i unset = _mm_cmpeq_epi32(all, _mm_setzero_si128());
        good = _mm_and_si128(good, _mm_or_si128(usual, unset));
        /* The sums of the sizes up to each lane. */
        __m128i size = _mm_and_si128(all, _mm_set1_epi32(0xFFFF));
        __m128i sum = _mm_add_epi32(size, _mm_slli_si128(size, 4));
        sum = _mm_add_epi32(_mm_add_epi32(sum, _mm_slli_si128(sum, 8)), ends);
        ends = _mm_shuffle_epi32(sum, 0xFF);
        __m128i starts = _mm_sub_epi32(sum, size);
        _mm_storeu_si128((__m128i *)(void *)to, _mm_unpacklo_epi32(starts, all));
        _mm_storeu_si128((__m128i *)(void *)(to + 2), _mm_unpackhi_epi32(starts, all));
    }
    *out = (struct evtx_placed){.end = (uint32_t)_mm_cvtsi128_si32(ends)};
    if (_mm_movemask_epi8(good) != 0xFFFF || out->end > in->end) {
        return false;
    }
    for (uint32_t i = 0; i < layout->odd_count; i++) {
        if (!note_odd(in, &in->values[layout->odd[i]], out)) {
            return false;
        }
    }
    return true;
}

bool evtx_values_place(
        const struct evtx_placing *in, struct evtx_placed *out, struct evtx_fault *fault)
{
    struct evtx_layout *layout = in->layout;
    bool usable = layout && layout->count == in->count;
    if (usable && layout->learned && place_lanes(in, out)) {
        return true;
    }
    if (!place_each(in, out, fault)) {
        return false;
    }
    if (usable && layout->learned < LEARNED) {
        learn(layout, in->values);
    }
    return true;
}

#else

size_t evtx_values_layout_size(uint32_t count)
{
    (void)count;
    return 1;
}

void evtx_values_layout(struct evtx_layout *layout, uint32_t count)
{
    (void)layout;
    (void)count;
}

bool evtx_values_place(
        const struct evtx_placing *in, struct evtx_placed *out, struct evtx_fault *fault)
{
    return place_each(in, out, fault);
}

#endif
