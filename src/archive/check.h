/* check: whether a sealed file is what it says: every record given back, and counted.
 *
 *     struct check_result result;
 *     e = check_file(&disk_real, "data/archive", &entry, &result, diag);   // ERR_SYNTAX: diag's
 * words */
#pragma once

#include "archive/catalog.h"

struct check_result {
    uint64_t rows, records; /* events, and records that they came in */
    uint64_t raw_bytes;     /* of records */
    uint64_t last;          /* offset */
};

/* Reads the whole file. */
enum err check_file(const struct disk *disk, const char *archive, const struct catalog_entry *entry,
        struct check_result *out, struct diag *diag) MUST_CHECK;
