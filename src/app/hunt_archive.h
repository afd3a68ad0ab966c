/* hunt_archive: sealed files as the input of a hunt: their records, in the archive's order.
 *
 *     TRY(hunt_archive_open(&archive, input, diag));         // the files that there are now
 *     TRY(hunt_archive_pass(&archive, &pass, diag));         // each reading: all of them
 *     hunt_archive_fini(&archive);
 *
 *     hunt_archive_begin(&archive);                          // or record by record
 *     while ((e = hunt_archive_next(&archive, &piece, diag)) == OK)
 *         decode piece.bytes ...
 *
 * What is damaged is named in archive.notes, and what stands beside it is read. */
#pragma once

#include "app/hunt_pass.h"
#include "archive/catalog.h"
#include "archive/rows_read.h"
#include "cli/data.h"
#include "cli/hunt_input.h"

struct hunt_archive {
    const struct hunt_input *input;
    const char *path;
    struct catalog catalog;
    bool partial; /* something could not be read */
    /* Of one reading. */
    struct buf notes; /* lines about what could not; the caller empties it */
    size_t next_file; /* of the catalog */
    uint64_t files;   /* that were opened */
    uint64_t unread;  /* files and row groups that could not be read, whole or in part */
    const char *name; /* of the file at hand */
    struct rows_read *rows;
    uint32_t next_group, row, row_count;
    bool held; /* the row at hand has been read: */
    struct rows_read_row it;
    struct buf block;
};

/* Records that follow one another. All borrows until the next call. */
struct hunt_archive_piece {
    const struct decoder *decoder; /* NULL: none has that name */
    struct slice bytes;            /* readable ones stand behind them, as decoders ask for */
    struct slice header, source, format;
    int64_t received_ns;
    uint64_t first, count; /* of a chunk, count is not known: 1 */
};

/* ERR_NOT_FOUND: no such directory. */
enum err hunt_archive_open(
        struct hunt_archive *archive, const struct hunt_input *input, struct diag *diag) MUST_CHECK;
void hunt_archive_begin(struct hunt_archive *archive);
/* ERR_END: no more; ERR_MEMORY. */
enum err hunt_archive_next(struct hunt_archive *archive, struct hunt_archive_piece *piece,
        struct diag *diag) MUST_CHECK;
enum err hunt_archive_pass(
        struct hunt_archive *archive, struct hunt_pass *pass, struct diag *diag) MUST_CHECK;
void hunt_archive_fini(struct hunt_archive *archive);
