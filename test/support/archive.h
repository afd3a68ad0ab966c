/* archive: zstd files and tar archives of the shared test data, read whole into memory.
 *
 *     struct buf bytes = {0};
 *     TRY(archive_read(path, &bytes, diag));           // as it is, or unpacked when its name ends
 * in .zst struct archive tar = {buf_slice(&bytes)}; while (archive_next(&tar, &name, &content)) ...
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/slice.h"

/* Replaces the content of `out`. Limit: 2 GiB unpacked. */
enum err archive_read(const char *path, struct buf *out, struct diag *diag) MUST_CHECK;

/* What is left of a tar archive. */
struct archive {
    struct slice rest;
    struct slice long_name; /* of a GNU or pax header before the file */
};
/* The next regular file; its name without a leading "./". false at the end. */
bool archive_next(struct archive *tar, struct slice *name, struct slice *content);
/* The file of that name, .at NULL when there is none. */
struct slice archive_find(struct slice tar, struct slice name);
/* $MERLON_SHARED (default: ../shared) and a path below it. Static storage, for one use at a time.
 */
const char *archive_shared(const char *path);
