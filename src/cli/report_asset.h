/* report_asset: the page's style and script as they stood in src/cli/report/ when the program was
 * built: page.css and page.js. The definition is written by tools/embed.
 *
 *     buf_add(&out, slice_of(report_asset_files[0].bytes, report_asset_files[0].size)); */
#pragma once

#include <stddef.h>

/* One file; the bytes live as long as the program and a NUL that size does not count follows. */
struct report_asset_file {
    const char *name; /* "page.css": no folder */
    const char *bytes;
    size_t size;
};

/* Sorted by name; one more element, all zero, stands after the last. */
extern const struct report_asset_file report_asset_files[];
extern const size_t report_asset_file_count;
