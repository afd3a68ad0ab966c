/* seal: events of one tenant and one log, in the order of their offsets, put into sealed files.
 *
 *     struct seal_place place = {.disk = &disk_real, .archive = "data/archive",
 *             .tenant = SLICE("sg/health"), .log = id, .version = SLICE("0.1.0")};
 *     TRY(seal_new(&place, &limits, &seal, diag));
 *     TRY(seal_add(seal, &head, event, diag));          // each event; a file may end before it
 *     TRY(seal_finish(seal, diag));                     // the last file has its name
 *     seal_free(seal);
 *
 * A file holds one hour of receipt at most. It is there whole or not at all: until it has its name
 * it is NAME.new. Its footer says (merlon.*) tenant, log, version, first and last offset, least and
 * greatest time of an event, rows, bytes of records, and SHA-256 of these: of each, its size (8
 * bytes, the least significant first) and its bytes. doc/archive.md. */
#pragma once

#include "archive/catalog.h"
#include "archive/rows.h"
#include "base/digest.h"

#define SEAL_TENANT "merlon.tenant"
#define SEAL_LOG "merlon.log"
#define SEAL_VERSION "merlon.version"
#define SEAL_SPAN "merlon.span"
#define SEAL_RECORDS "merlon.records"

struct seal;

struct seal_place {
    const struct disk *disk;      /* outlives it, as do the texts */
    const char *archive;          /* a directory; made where there is none */
    struct slice tenant, version; /* UTF-8 */
    const char *log;              /* 32 hex digits */
};

struct seal_limits {
    struct rows_limits rows;
    uint64_t file_rows, file_bytes; /* of records; then a file ends */
};
#define SEAL_LIMITS                                                                                \
    {                                                                                              \
        .rows = ROWS_LIMITS, .file_rows = 2000000, .file_bytes = (uint64_t)1 << 30                 \
    }

struct seal_counts {
    uint64_t files, rows, shaped;
    uint64_t raw_bytes, file_bytes;
};

enum err seal_new(const struct seal_place *place, const struct seal_limits *limits,
        struct seal **out, struct diag *diag) MUST_CHECK;
/* As rows_add. */
enum err seal_add(struct seal *seal, const struct rows_head *head, const struct event *event,
        struct diag *diag) MUST_CHECK;
/* Ends the file at hand; further events begin another. */
enum err seal_finish(struct seal *seal, struct diag *diag) MUST_CHECK;
struct seal_counts seal_counts(const struct seal *seal);
/* What is not finished is removed. */
void seal_free(struct seal *seal);

/* The digest of records, for whoever reads them again. */
void seal_digest(struct digest *digest, struct slice record);
