/* rows: events collected into the columns of a sealed file. doc/archive.md has the file.
 *
 *     struct rows_limits limits = ROWS_LIMITS;
 *     TRY(rows_new(&place, &limits, SLICE("merlon 0.1.0"), &rows, diag));
 *     struct rows_head head = {.offset = 17, .received_ns = now, .source = SLICE("dc1"),
 *             .format = SLICE("json"), .raw = event->raw};
 *     TRY(rows_add(rows, &head, event, diag));                   // for each event
 *     TRY(rows_pair(rows, SLICE("merlon.tenant"), tenant, diag));
 *     TRY(rows_finish(rows, diag));                              // now the file has its name
 *     rows_free(rows);
 *
 * A value's column has the name of its path; of a further value of the path in one row it is
 * PATH#2, PATH#3 ... Paths that could be taken for one of these, or for a column of ours, are
 * written with #1 behind them, so that each name says its path and place. Which paths get columns
 * is settled row group by row group, the most frequent first, until the file has limits.columns;
 * the others stand in `_rest`, a JSON object of texts by column name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "archive/parquet_write.h"
#include "archive/shape.h"
#include "event/event.h"

#define ROWS_OFFSET "_offset"
#define ROWS_PART "_part"
#define ROWS_TIME "_time"
#define ROWS_RECEIVED "_received"
#define ROWS_SOURCE "_source"
#define ROWS_FORMAT "_format"
#define ROWS_HEADER "_header"
#define ROWS_SHAPE "_shape"
#define ROWS_CUT "_cut"
#define ROWS_RAW "_raw"
#define ROWS_REST "_rest"
#define ROWS_SHAPES "merlon.shapes"
#define ROWS_COUNTS "merlon.counts"

struct rows;

struct rows_limits {
    size_t group_bytes;   /* of memory that a row group takes while it is collected */
    uint32_t group_rows;  /* at most PARQUET_GROUP_ROWS */
    uint32_t columns;     /* of paths */
    uint32_t column_rows; /* rows of a group that a path must have to get a column in it */
};
#define ROWS_LIMITS                                                                                \
    {                                                                                              \
        .group_bytes = 64u << 20, .group_rows = PARQUET_GROUP_ROWS, .columns = 500,                \
        .column_rows = 16                                                                          \
    }

struct rows_head {
    uint64_t offset;
    int64_t received_ns;
    int64_t time_ns;             /* INT64_MIN: none */
    int64_t part;                /* below 0: none */
    struct slice source, format; /* UTF-8 */
    struct slice header;         /* any bytes; empty: none */
    /* The record's bytes, if the row is to give them back. Where it is event->raw itself it gets a
     * shape, else it is kept as it is. .at NULL: another row has them (a chunk's first). */
    struct slice raw;
};

struct rows_counts {
    uint64_t rows;
    uint64_t shaped;     /* given back from their columns */
    uint64_t cut;        /* columns do not hold all: `_cut` */
    uint64_t raw_bytes;  /* of all records */
    uint64_t kept_bytes; /* of `_raw` */
};

/* ERR_USAGE: limits out of bounds. */
enum err rows_new(const struct parquet_write_place *place, const struct rows_limits *limits,
        struct slice created_by, struct rows **out, struct diag *diag) MUST_CHECK;
/* Owner: the caller. Before rows_finish it removes what was written. */
void rows_free(struct rows *rows);
/* Offsets do not fall. ERR_USAGE: source or format is no UTF-8, and nothing has happened. After
 * another failure nothing but rows_free may follow. */
enum err rows_add(struct rows *rows, const struct rows_head *head, const struct event *event,
        struct diag *diag) MUST_CHECK;
/* A pair of the footer. */
enum err rows_pair(
        struct rows *rows, struct slice key, struct slice value, struct diag *diag) MUST_CHECK;
enum err rows_finish(struct rows *rows, struct diag *diag) MUST_CHECK;
struct rows_counts rows_counts(const struct rows *rows);
const struct shape_set *rows_shapes(const struct rows *rows);
/* Bytes of the file so far, without the group being collected. */
uint64_t rows_size(const struct rows *rows);

/* The name of a column in the file; a shape_name. */
void rows_name(struct shape_column column, struct buf *out);
