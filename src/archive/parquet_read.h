/* parquet_read: a Parquet file of ours (parquet_write.h), a column of a row group at a time.
 *
 *     TRY(parquet_read_open(&disk_real, "archive/acme/10-0.parquet", &r, diag));
 *     uint32_t image = parquet_read_find(r, SLICE("Image"));
 *     struct parquet_read_column column = {.limit = 256 << 20};
 *     TRY(parquet_read_column(r, group, image, &column, diag));
 *     for (uint32_t i = 0; i < column.entry_count; i++)        // each distinct text once
 *         hits[i] = wanted(column.entries[i]);
 *     for (uint32_t i = 0; i < column.count; i++)              // the rows that have one, in order
 *         ... hits[column.indexes ? column.indexes[i] : i] ...
 *     parquet_read_column_fini(&column);
 *     parquet_read_close(r);
 *
 * The file may be anybody's: sizes and counts are checked against the file and against limits
 * before they are used, and what our writer does not write is refused by name. Words say which
 * column and row group a damaged page is of. A reader may be used by several threads, a column
 * by one at a time. */
#pragma once

#include "archive/parquet.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/disk.h"

struct parquet_read;
struct ZSTD_DCtx_s;

/* ERR_SYNTAX: damaged; ERR_UNSUPPORTED: not one of ours; ERR_LIMIT, ERR_IO, ERR_MEMORY. */
enum err parquet_read_open(const struct disk *disk, const char *path, struct parquet_read **out,
        struct diag *diag) MUST_CHECK;
void parquet_read_close(struct parquet_read *r);

/* All borrow from the reader. */
uint32_t parquet_read_field_count(const struct parquet_read *r);
const struct parquet_field *parquet_read_field(const struct parquet_read *r, uint32_t column);
/* UINT32_MAX: no column of that name. */
uint32_t parquet_read_find(const struct parquet_read *r, struct slice name);
uint32_t parquet_read_group_count(const struct parquet_read *r);
uint32_t parquet_read_rows(const struct parquet_read *r, uint32_t group);
/* The value of a pair of the footer; false: there is none. */
bool parquet_read_pair(const struct parquet_read *r, struct slice key, struct slice *value);

/* What is known of a column of a row group without reading it. */
struct parquet_read_known {
    uint32_t values; /* rows that have one */
    uint64_t packed; /* bytes in the file */
    uint64_t unpacked;
    bool range; /* of integers: least and most are known */
    int64_t least, most;
};
struct parquet_read_known parquet_read_known(
        const struct parquet_read *r, uint32_t group, uint32_t column);

/* One column of a row group; valid until the next one is read into it. Memory is kept. */
struct parquet_read_column {
    size_t limit; /* bytes of memory that it may take; the caller's; 0: PARQUET_CHUNK_BYTES * 3 */
    uint32_t rows;
    uint32_t count;              /* rows that have a value */
    const uint64_t *present;     /* bitmap of the rows; NULL: each has one */
    const int64_t *integers;     /* of integer columns: count of them */
    const struct slice *entries; /* of texts: the dictionary, else count texts */
    uint32_t entry_count;
    const uint32_t *indexes; /* of the values into the entries; NULL: value i is entry i */

    struct buf packed, bytes, numbers, texts, bits; /* what the above point into */
    struct ZSTD_DCtx_s *zstd;
};

enum err parquet_read_column(const struct parquet_read *r, uint32_t group, uint32_t number,
        struct parquet_read_column *to, struct diag *diag) MUST_CHECK;
void parquet_read_column_fini(struct parquet_read_column *column);
/* From a bitmap of the column's values to one of its rows (parquet_words(rows) words). */
void parquet_read_spread(
        const struct parquet_read_column *column, const uint64_t *values, uint64_t *rows);
