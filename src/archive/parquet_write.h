/* parquet_write: a Parquet file, written row group by row group and column by column.
 *
 *     struct parquet_write_place place = {&disk_real, "archive/acme", "10-0.parquet"};
 *     TRY(parquet_write_new(&place, SLICE("merlon 0.1.0"), &w, diag));
 *     TRY(parquet_write_field(w, &(struct parquet_field){SLICE("Image"), PARQUET_TEXT, true},
 *             &image, diag));
 *     TRY(parquet_write_group(w, 3, diag));                      // a row group of 3 rows
 *     uint64_t present = 5;                                      // of the first and the third row
 *     TRY(parquet_write_texts(w, image, &(struct parquet_texts){&present, texts, 2}, diag));
 *     TRY(parquet_write_finish(w, diag));                        // now it has its name
 *     parquet_write_free(w);
 *
 * Columns of a group come in any order; an optional one that does not come is absent in all rows.
 * A field may be added at any time: optional ones are absent in the groups before. The bytes go to
 * NAME.new; finish syncs it, gives it its name and syncs the directory; free before that removes
 * it. After a failure nothing but free may follow. */
#pragma once

#include "archive/parquet.h"
#include "base/diag.h"
#include "base/disk.h"

struct parquet_write;

struct parquet_write_place {
    const struct disk *disk; /* outlives the writer */
    const char *directory;   /* exists */
    const char *name;
};

/* The values of the rows that have one, in order. */
struct parquet_texts {
    const uint64_t *present; /* bitmap of the rows; NULL: each row has one */
    const struct slice *at;
    size_t count;
};

struct parquet_integers {
    const uint64_t *present;
    const int64_t *at;
    size_t count;
};

/* `created_by` names the program; it stands in the footer. ERR_IO, ERR_LIMIT, ERR_MEMORY. */
enum err parquet_write_new(const struct parquet_write_place *place, struct slice created_by,
        struct parquet_write **out, struct diag *diag) MUST_CHECK;
/* The name is copied. A required one is ERR_USAGE once there is a row group. *number: from 0. */
enum err parquet_write_field(struct parquet_write *w, const struct parquet_field *field,
        uint32_t *number, struct diag *diag) MUST_CHECK;
/* Ends the group before. rows: 1 to PARQUET_GROUP_ROWS. */
enum err parquet_write_group(struct parquet_write *w, uint32_t rows, struct diag *diag) MUST_CHECK;
/* ERR_USAGE: counts, kinds or presence do not fit together; ERR_SYNTAX: a text is not UTF-8;
 * ERR_LIMIT: over PARQUET_CHUNK_BYTES. */
enum err parquet_write_texts(struct parquet_write *w, uint32_t column,
        const struct parquet_texts *texts, struct diag *diag) MUST_CHECK;
enum err parquet_write_integers(struct parquet_write *w, uint32_t column,
        const struct parquet_integers *integers, struct diag *diag) MUST_CHECK;
/* A pair of the footer; both are copied. */
enum err parquet_write_pair(struct parquet_write *w, struct slice key, struct slice value,
        struct diag *diag) MUST_CHECK;
/* Bytes of the file so far. */
uint64_t parquet_write_size(const struct parquet_write *w);
enum err parquet_write_finish(struct parquet_write *w, struct diag *diag) MUST_CHECK;
void parquet_write_free(struct parquet_write *w);
