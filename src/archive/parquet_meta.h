/* parquet_meta: the structs of Parquet's footer and page headers (parquet.thrift) as far as our
 * files have them, and their tables for parquet_thrift.h.
 *
 *     struct parquet_meta_page page = {.type = PARQUET_META_DATA_PAGE, ...};
 *     parquet_thrift_write(&parquet_meta_page_table, &page, &out); */
#pragma once

#include "archive/parquet.h"
#include "archive/parquet_thrift.h"

enum { PARQUET_META_DATA_PAGE = 0, PARQUET_META_DICTIONARY_PAGE = 2 }; /* PageType */
enum {                                                                 /* Encoding */
    PARQUET_META_PLAIN = 0,
    PARQUET_META_RLE = 3,
    PARQUET_META_DELTA_BINARY_PACKED = 5,
    PARQUET_META_DELTA_LENGTH_BYTE_ARRAY = 6,
    PARQUET_META_RLE_DICTIONARY = 8,
};
enum { PARQUET_META_ZSTD = 6 };                                /* CompressionCodec */
enum { PARQUET_META_REQUIRED = 0, PARQUET_META_OPTIONAL = 1 }; /* FieldRepetitionType */
enum { PARQUET_META_INT32 = 1, PARQUET_META_INT64 = 2, PARQUET_META_BYTE_ARRAY = 6 }; /* Type */

struct parquet_meta_empty {
    uint32_t has;
};

struct parquet_meta_statistics {
    uint32_t has;
    int64_t null_count;
    struct slice max, min; /* PLAIN: little-endian */
};
enum { PARQUET_META_HAS_RANGE = 1 << 1 | 1 << 2 };

struct parquet_meta_data {
    uint32_t has;
    int32_t values; /* rows, absent ones counted in */
    int32_t encoding, definition, repetition;
};

struct parquet_meta_dictionary {
    uint32_t has;
    int32_t values, encoding;
};

struct parquet_meta_page {
    uint32_t has;
    int32_t type, unpacked, packed, crc;
    struct parquet_meta_data data;
    struct parquet_meta_dictionary dictionary;
};
enum { PARQUET_META_HAS_DATA = 1 << 4, PARQUET_META_HAS_DICTIONARY = 1 << 5 };

struct parquet_meta_unit {
    uint32_t has;
    struct parquet_meta_empty nanos;
};

struct parquet_meta_timestamp {
    uint32_t has;
    bool utc;
    struct parquet_meta_unit unit;
};

struct parquet_meta_logical {
    uint32_t has;
    struct parquet_meta_empty string;
    struct parquet_meta_timestamp timestamp;
};
enum { PARQUET_META_HAS_STRING = 1, PARQUET_META_HAS_TIMESTAMP = 2 };

struct parquet_meta_element {
    uint32_t has;
    int32_t type, repetition;
    struct slice name;
    int32_t children, converted;
    struct parquet_meta_logical logical;
};
enum {
    PARQUET_META_HAS_TYPE = 1 << 0 | 1 << 1,
    PARQUET_META_HAS_CHILDREN = 1 << 3,
    PARQUET_META_HAS_CONVERTED = 1 << 4,
    PARQUET_META_HAS_LOGICAL = 1 << 5,
};

struct parquet_meta_column {
    uint32_t has;
    int32_t type;
    struct parquet_thrift_list encodings, path;
    int32_t codec;
    int64_t values, unpacked, packed; /* the sizes with the pages' headers */
    int64_t data_offset, dictionary_offset;
    struct parquet_meta_statistics statistics;
};
enum { PARQUET_META_HAS_DICTIONARY_OFFSET = 1 << 8 };

struct parquet_meta_chunk {
    uint32_t has;
    int64_t offset;
    struct parquet_meta_column column;
};

struct parquet_meta_group {
    uint32_t has;
    struct parquet_thrift_list chunks;
    int64_t unpacked, rows;
};

struct parquet_meta_pair {
    uint32_t has;
    struct slice key, value;
};

struct parquet_meta_order {
    uint32_t has;
    struct parquet_meta_empty type;
};

struct parquet_meta_file {
    uint32_t has;
    int32_t version;
    struct parquet_thrift_list elements;
    int64_t rows;
    struct parquet_thrift_list groups, pairs;
    struct slice created_by;
    struct parquet_thrift_list orders;
};

extern const struct parquet_thrift_table parquet_meta_page_table;
extern const struct parquet_thrift_table parquet_meta_file_table;

/* Type of a kind; whether its values are bytes. */
int32_t parquet_meta_type(enum parquet_kind kind);
static inline bool parquet_meta_is_bytes(enum parquet_kind kind)
{
    return kind == PARQUET_TEXT || kind == PARQUET_BYTES;
}
/* A column's element of the schema, and back; false: none of our kinds. */
void parquet_meta_from_field(const struct parquet_field *field, struct parquet_meta_element *to);
bool parquet_meta_to_field(const struct parquet_meta_element *element, struct parquet_field *to);

/* The key of the last pair of a footer: its value is the CRC-32, as 8 hexadecimal digits, of the
 * footer with eight '0' in their place. Pages have sums of their own, the footer has none. */
#define PARQUET_META_SUM "merlon.footer_crc32"
/* Of a footer whose eight digits stand at `digits`, inside of it. */
uint32_t parquet_meta_sum(struct slice footer, size_t digits);
