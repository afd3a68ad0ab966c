/* rows_read: the rows of a sealed file, with their records as they came in.
 *
 *     TRY(rows_read_open(&disk_real, "archive/.../10-0.parquet", &r, diag));
 *     for (uint32_t g = 0; g < rows_read_groups(r); g++) {
 *         TRY(rows_read_group(r, g, diag));
 *         for (uint32_t row = 0; row < rows_read_count(r); row++)      // or some of them
 *             TRY(rows_read_row(r, row, &it, diag));                   // it.raw, it.offset ...
 *     }
 *     rows_read_close(r);
 *
 * Columns of paths are read when the first row needs them. The file may be anybody's: what does not
 * fit together is ERR_SYNTAX, and the words name the row. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "archive/parquet_read.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/disk.h"
#include "base/err.h"

struct rows_read;

/* All borrow from the reader until the next row or group is read. */
struct rows_read_row {
    uint64_t offset;
    int64_t received_ns;
    int64_t time_ns;             /* INT64_MIN: none */
    int64_t part;                /* below 0: none */
    struct slice source, format; /* UTF-8 */
    struct slice header;         /* empty: none */
    struct slice raw;            /* .at NULL: another row has it (a chunk's first) */
    bool cut;                    /* columns do not hold all of the record */
};

/* ERR_UNSUPPORTED: a Parquet file, but none of sealed rows; others as parquet_read_open. */
enum err rows_read_open(const struct disk *disk, const char *path, struct rows_read **out,
        struct diag *diag) MUST_CHECK;
void rows_read_close(struct rows_read *r);
uint32_t rows_read_groups(const struct rows_read *r);
/* Goes to a row group. */
enum err rows_read_group(struct rows_read *r, uint32_t group, struct diag *diag) MUST_CHECK;
/* Rows of the group. */
uint32_t rows_read_count(const struct rows_read *r);
/* Requires row < rows_read_count. Any order; rising ones are as fast. */
enum err rows_read_row(
        struct rows_read *r, uint32_t row, struct rows_read_row *out, struct diag *diag) MUST_CHECK;
/* The file beneath, for its columns and pairs. */
const struct parquet_read *rows_read_file(const struct rows_read *r);
