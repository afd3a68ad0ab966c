/* cursor: a place that outlives a crash: a small file, replaced as a whole and on disk before it
 * counts.
 *
 *     TRY(cursor_write(&disk_real, "data/cursors", "hook", 137, diag));
 *     TRY(cursor_read(&disk_real, "data/cursors", "hook", &at, diag));   // 0 where there is none
 */
#pragma once

#include <stdint.h>

#include "base/disk.h"

enum err cursor_write(const struct disk *disk, const char *directory, const char *name, uint64_t at,
        struct diag *diag) MUST_CHECK;
/* ERR_SYNTAX: what stands there is none. */
enum err cursor_read(const struct disk *disk, const char *directory, const char *name, uint64_t *at,
        struct diag *diag) MUST_CHECK;
