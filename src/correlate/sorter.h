/* sorter: records in the order of their first bytes; what does not fit in memory goes to a file.
 *
 *     struct sorter_setting setting = {.budget = 256 << 20, .fd = sorter_temporary()};
 *     TRY(sorter_new(&setting, &sorter));
 *     TRY(sorter_add(sorter, record, diag));        // any number of times
 *     TRY(sorter_finish(sorter, diag));
 *     while ((e = sorter_next(sorter, &record, diag)) == OK) ...      // ERR_END
 *     sorter_free(sorter);
 *
 * Records compare by their first `key` bytes; equal ones keep the order in which they came. The
 * file is opened before the process gives up opening files, and read and written by nobody else. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    SORTER_RECORD = 16 << 20, /* the longest record */
    SORTER_RUNS = 512,        /* in the file before the budget is doubled */
    SORTER_BUFFER = 64 << 10, /* of each run while they are merged */
};

struct sorter_setting {
    size_t key;    /* bytes; every record has them */
    size_t budget; /* bytes in memory before they go to the file */
    int fd;        /* the sorter's own from here on; -1: everything stays in memory */
};

struct sorter;

/* A file without a name in $TMPDIR or /tmp, or -1. */
int sorter_temporary(void);
enum err sorter_new(const struct sorter_setting *setting, struct sorter **out) MUST_CHECK;
void sorter_free(struct sorter *s);
/* The bytes are copied. ERR_IO: the file cannot be written; ERR_MEMORY; ERR_LIMIT. */
enum err sorter_add(struct sorter *s, struct slice record, struct diag *diag) MUST_CHECK;
/* No more will be added. */
enum err sorter_finish(struct sorter *s, struct diag *diag) MUST_CHECK;
/* The next record, borrowed until the next call. ERR_END: there are no more. */
enum err sorter_next(struct sorter *s, struct slice *record, struct diag *diag) MUST_CHECK;
/* Runs that went to the file: for tests. */
uint32_t sorter_runs(const struct sorter *s);
