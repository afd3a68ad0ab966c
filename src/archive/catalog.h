/* catalog: what the files of an archive are called, and which there are.
 *
 *     ARCHIVE/tenant=sg%2Fhealth/day=2026-11-23/10-2eabc4e4fba1042a52d98611bb267e7c-17.parquet
 *             the hour of receipt, in UTC      --, the log's id, the first offset
 *
 *     TRY(catalog_read(&disk_real, "data/archive", &catalog, diag));
 *     for (size_t i = 0; i < catalog.count; i++)
 *         catalog.at[i].path ...                  // by tenant, then in the order of receipt
 *     catalog_fini(&catalog);
 *
 * Other programs take `tenant` and `day` for columns (Hive's partitions). */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/disk.h"
#include "base/err.h"

enum { CATALOG_LOG = 33, CATALOG_BYTES = 1 << 30 /* that reading the directories may take */ };

struct catalog_entry {
    struct slice tenant;
    int64_t hour;          /* since 1970 */
    char log[CATALOG_LOG]; /* 32 hex digits */
    uint64_t first;        /* offset */
    const char *path;      /* below the archive's directory; NULL when it is made up */
};

struct catalog {
    struct catalog_entry *at;
    size_t count;
    size_t strays;     /* what is no sealed file, and no unfinished one */
    const char *stray; /* the first */
    size_t unfinished; /* NAME.new: a sealing that did not end */
    struct arena arena;
};

/* ERR_NOT_FOUND: no such directory. */
enum err catalog_read(const struct disk *disk, const char *archive, struct catalog *out,
        struct diag *diag) MUST_CHECK;
void catalog_fini(struct catalog *catalog);
/* "tenant=sg%2Fhealth" */
void catalog_tenant(struct slice tenant, struct buf *out);
/* "day=2026-11-23" */
void catalog_day(int64_t hour, struct buf *out);
/* The file's own name. */
void catalog_file(const struct catalog_entry *entry, struct buf *out);
