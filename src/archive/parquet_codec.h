/* parquet_codec: Parquet's encodings of values (Encodings.md), without pages and files.
 *
 *     parquet_codec_put_levels(&out, present, 0, rows);
 *     parquet_codec_put_delta(&out, values, count, 64);
 *
 *     TRY(parquet_codec_take_delta(&in, count, 64, values));     // *in: what stands behind
 *
 * Writers fail with the buf. Readers take bytes off `in`; false: damaged. They never read outside
 * of `in` and write exactly `count` values. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

static inline uint64_t parquet_codec_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t parquet_codec_unzigzag(uint64_t bits)
{
    return (int64_t)(bits >> 1 ^ -(bits & 1));
}

/* ULEB128. */
void parquet_codec_put_varint(struct buf *out, uint64_t value);
bool parquet_codec_take_varint(struct slice *in, uint64_t *value);

/* Bits `from` to `to` of a bitmap as definition levels: the hybrid of runs and packed bits, behind
 * its size (RLE of data pages of version 1). */
void parquet_codec_put_levels(struct buf *out, const uint64_t *bits, uint32_t from, uint32_t to);
/* Puts bits from..to of `bits`, which are 0, and tells how many are 1. */
bool parquet_codec_take_levels(
        struct slice *in, uint64_t *bits, uint32_t from, uint32_t to, uint32_t *ones);

/* Indexes into a dictionary of `entries`: their width, then the hybrid (RLE_DICTIONARY). Widths of
 * whole bytes were tried: zstd makes 1 % more of them. */
void parquet_codec_put_indexes(
        struct buf *out, const uint32_t *indexes, size_t count, uint32_t entries);
/* All of `in`; each index is below `entries`. */
bool parquet_codec_take_indexes(struct slice in, uint32_t *indexes, size_t count, uint32_t entries);

/* DELTA_BINARY_PACKED of INT32 or INT64 (bits: 32 or 64). */
void parquet_codec_put_delta(struct buf *out, const int64_t *values, size_t count, unsigned bits);
bool parquet_codec_take_delta(struct slice *in, int64_t *values, size_t count, unsigned bits);

/* DELTA_LENGTH_BYTE_ARRAY and PLAIN of BYTE_ARRAY. `lengths` is room for `count` of the caller. */
void parquet_codec_put_texts(
        struct buf *out, const struct slice *texts, size_t count, int64_t *lengths);
void parquet_codec_put_plain(struct buf *out, const struct slice *texts, size_t count);
/* All of `in`; the texts borrow from it. */
bool parquet_codec_take_texts(struct slice in, struct slice *texts, size_t count, int64_t *lengths);
bool parquet_codec_take_plain(struct slice in, struct slice *texts, size_t count);
