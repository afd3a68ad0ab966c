/* evtx_text: what a typed BinXml value ([MS-EVEN6] 2.2.18) looks like as text.
 *
 *     char to[64];
 *     size_t n = evtx_text_write(EVTX_GUID, bytes, to);   // "54849625-5478-4994-A5BA-3E3B0328C30D"
 *
 * GUIDs in capitals without braces, times with six digits of the second, binary as hex digits in
 * capitals, arrays with commas: as JSON exports of event logs write them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/slice.h"
#include "decode/evtx_bytes.h"
#include "event/value.h"

/* A value of `type` may have this size: 0 (unset) always may. */
bool evtx_text_fits(uint8_t type, struct slice bytes);
/* Bytes that evtx_text_write may write. */
size_t evtx_text_room(uint8_t type, size_t size);
/* Requires evtx_text_fits and a size over 0; strings may be empty. Returns bytes written, UTF-8. */
size_t evtx_text_write(uint8_t type, struct slice bytes, char *to);
/* For the types that are most of an event: evtx_text_write and evtx_text_kind in one. `to` has
 * EVTX_TEXT_SHORT bytes; 0: another type, nothing was written. */
enum { EVTX_TEXT_SHORT = 40 };
size_t evtx_text_short(uint8_t type, struct slice bytes, char *to, uint8_t *kind);
/* Integers and booleans stand bare in JSON, everything else is a string. */
enum value_kind evtx_text_kind(uint8_t type, struct slice bytes);
/* Nothing is there: no bytes, an empty string. Such a value leaves nothing in the record. */
bool evtx_text_unset(uint8_t type, struct slice bytes);
/* The string up to its first NUL, as UTF-16LE. */
struct slice evtx_text_utf16(struct slice bytes);

/* The same where 16 bytes behind `bytes` can be read (they do not matter). */
static inline struct slice evtx_text_utf16_near(struct slice bytes)
{
#ifdef __SSE2__
    size_t size = bytes.size & ~(size_t)1;
    for (size_t i = 0; i < size; i += 16) {
        __m128i units = _mm_loadu_si128((const __m128i *)(const void *)(bytes.at + i));
        int zero = _mm_movemask_epi8(_mm_cmpeq_epi16(units, _mm_setzero_si128()));
        if (zero) {
            size_t end = i + (size_t)__builtin_ctz((unsigned)zero);
            return slice_of(bytes.at, end < size ? end : size);
        }
    }
    return slice_of(bytes.at, size);
#else
    return evtx_text_utf16(bytes);
#endif
}

/* The next element of an array value, false behind the last: *at is 0 at first. */
bool evtx_text_item(uint8_t type, struct slice bytes, uint32_t *at, struct slice *item);
