/* json_scan: bitmaps of what matters in a block of JSON, 64 bytes at a step, before it is read.
 *
 *     struct json_scan scan = {0};
 *     json_scan_begin(&scan, block);              // 64 readable bytes stand behind the block
 *     while (json_scan_more(&scan)) { }           // 4 KiB each; scan.done says how far
 *     uint64_t word = scan.quotes[at >> 6];       // bit at & 63: an unescaped quote
 *
 * A backslash escapes whatever follows it, inside strings and outside (where the reader refuses
 * it), so the bitmaps depend on nothing but the bytes near by: a broken record does not spoil the
 * next one. Bytes of the UTF-8 encoding and escapes are checked here as well, coarsely: a step
 * with something broken is marked in `suspect`, and its record is looked at again, byte by byte.
 *
 * AVX2 where the processor has it, otherwise plain C; both give the same bits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { JSON_SCAN_STEP = 64, JSON_SCAN_BATCH = 4096 };

struct json_scan {
    struct slice block;
    size_t done; /* bytes whose bits are there: a multiple of JSON_SCAN_BATCH, or SIZE_MAX: all */
    /* A bit a byte. Behind the last byte of the block stand newlines up to a full step. After the
     * last word that is done stands one with all bits set. */
    uint64_t *quotes;      /* '"' that no backslash escapes */
    uint64_t *backslashes; /* '\' */
    uint64_t *controls;    /* 0x00 to 0x1F */
    /* A bit a step. */
    uint64_t *rough;   /* has a control byte */
    uint64_t *suspect; /* has broken UTF-8 or an escape that RFC 8259 section 7 does not know */
    uint64_t *unplain; /* has \u or \/ */
    uint64_t *memory;  /* owned: all of the above */
    size_t room;       /* batches that fit */
    size_t utf8_done;  /* bytes before it belong to sequences already checked */
    uint64_t escaped;  /* 1: the next byte follows an odd run of backslashes */
};

enum err json_scan_begin(struct json_scan *scan, struct slice block) MUST_CHECK;
void json_scan_fini(struct json_scan *scan);
/* Tests: plain C even where AVX2 is there, for all scans from now on. */
void json_scan_portable(bool portable);
/* Whether AVX2 and BMI2 are there and may be used. */
bool json_scan_is_fast(void);
/* The next batch; false when there was none. */
bool json_scan_more(struct json_scan *scan);
/* Makes sure that the bits of byte `at` (at most block.size) are there. */
static inline void json_scan_upto(struct json_scan *scan, size_t at)
{
    while (at >= scan->done && json_scan_more(scan)) {
    }
}

/* The bytes of the block whose bits are there. */
static inline size_t json_scan_known(const struct json_scan *scan)
{
    return scan->done < scan->block.size ? scan->done : scan->block.size;
}

/* 57 bits of a bitmap or more, from bit `at` on; one word behind it is read. */
static inline __attribute__((always_inline)) uint64_t json_scan_window(
        const uint64_t *bits, size_t at)
{
    uint64_t word;
    __builtin_memcpy(&word, (const char *)bits + (at >> 3), 8);
    return word >> (at & 7);
}

/* Whether a bit of [from, to) is set. */
bool json_scan_any_long(const uint64_t *bits, size_t from, size_t to);

static inline __attribute__((always_inline)) bool json_scan_any(
        const uint64_t *bits, size_t from, size_t to)
{
    if (to - from <= 56) {
        return (json_scan_window(bits, from) & (((uint64_t)1 << (to - from)) - 1)) != 0;
    }
    return json_scan_any_long(bits, from, to);
}

/* The first bit set at or after `at`, among the bytes that are done; the position of the closing
 * word of ones when there is none. Requires at < done. */
size_t json_scan_next_long(const uint64_t *bits, size_t at);

static inline size_t json_scan_next(const uint64_t *bits, size_t at)
{
    uint64_t window = json_scan_window(bits, at);
    if (__builtin_expect(window != 0, 1)) {
        return at + (size_t)__builtin_ctzll(window);
    }
    return json_scan_next_long(bits, at);
}

/* What tells values of a stream apart, of JSON_SCAN_STEP bytes: a bit a byte. */
struct json_marks {
    uint64_t quotes, opens, closes; /* '"', '{' or '[', '}' or ']' that no backslash escapes */
    uint64_t newlines;
};
/* *escaped: 1 when the first byte is escaped; is set for the byte behind. */
struct json_marks json_scan_marks(const char *bytes, uint64_t *escaped);

/* Bytes of the longest prefix of a string's inside that RFC 8259 allows: UTF-8, no control
 * bytes, known escapes. A lone surrogate (\uD800) is within its grammar. text.size: all of it. */
size_t json_scan_valid_prefix(struct slice text);
