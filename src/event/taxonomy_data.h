/*
 * The files of taxonomy/ as they were when the program was built, so that it works with nothing
 * installed beside it. The definition is written by tools/embed at build time.
 *
 *     for (size_t i = 0; i < taxonomy_data_file_count; i++) {
 *         const struct taxonomy_data_file *file = &taxonomy_data_files[i];
 *         taxonomy_add(..., file->name, (struct slice){file->bytes, file->size}, diag);
 *     }
 */
#pragma once

#include <stddef.h>

/* One file; the bytes live as long as the program and a NUL that size does not count follows. */
struct taxonomy_data_file {
    const char *name; /* "windows.yml": no folder */
    const char *bytes;
    size_t size;
};

/* common.yml, then the others sorted by name; one more element, all zero, stands after the last. */
extern const struct taxonomy_data_file taxonomy_data_files[];
extern const size_t taxonomy_data_file_count;
