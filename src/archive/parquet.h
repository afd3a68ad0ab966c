/* parquet: what the writer (parquet_write.h) and the reader (parquet_read.h) share: kinds of
 * columns and limits.
 *
 *     struct parquet_field fields[] = {
 *             {SLICE("_offset"), PARQUET_INT64, false},
 *             {SLICE("Image"), PARQUET_TEXT, true},       // not each row has one
 *     };
 *
 * The files are plain Parquet and any reader reads them; ours reads only what ours writes: flat
 * columns, data pages of version 1, PLAIN, RLE_DICTIONARY, DELTA_BINARY_PACKED and
 * DELTA_LENGTH_BYTE_ARRAY, each page packed by zstd and summed by CRC-32.
 * <https://github.com/apache/parquet-format>: parquet.thrift, Encodings.md, Compression.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum parquet_kind {
    PARQUET_INT32,
    PARQUET_INT64,
    PARQUET_TIME, /* INT64: nanoseconds since the epoch, UTC */
    PARQUET_TEXT, /* BYTE_ARRAY: UTF-8 */
    PARQUET_BYTES,
};

struct parquet_field {
    struct slice name;
    enum parquet_kind kind;
    bool optional;
};

enum {
    PARQUET_COLUMNS = 4096,        /* columns of a file */
    PARQUET_GROUPS = 4096,         /* row groups of a file */
    PARQUET_GROUP_ROWS = 131072,   /* rows of a row group */
    PARQUET_CHUNK_BYTES = 1 << 28, /* a column of a row group, unpacked or packed */
    PARQUET_FOOTER_BYTES = 1 << 25,
    PARQUET_NAME_BYTES = 4096, /* of a column */
};

/* Words of a bitmap of so many rows: row r is bit r % 64 of word r / 64. */
static inline uint32_t parquet_words(uint32_t rows)
{
    return (rows + 63) / 64;
}

static inline bool parquet_bit(const uint64_t *bits, uint32_t row)
{
    return bits[row / 64] >> row % 64 & 1;
}
