/* book: the exact texts that a set of rules is made of, as one file that is named by its hash. What
 * was judged once can be judged by the same rules again, whatever became of their files.
 *
 *     TRY(book_collect(&request, &tenants, &book, diag));    // reads files, looks at no byte of
 * them book_hash(buf_slice(&book), hash); TRY(book_publish(&disk_real, "data/rulesets",
 * buf_slice(&book), diag));
 *
 *     TRY(book_read(&disk_real, "data/rulesets", hash, &book, diag));     // its hash is right
 *     TRY(book_load(buf_slice(&book), &loaded, diag));                    // parses: behind a seal
 *
 * A book is lines `KIND SIZE NAME`, each with that many bytes and a line feed behind it, under
 * `merlon rules 1`. Kinds: `taxonomy` (those built in first, so that another version of the program
 * has another book), `rule`, `exception` (NAME: the tenant, a blank, the file), `tenants`. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/disk.h"
#include "base/err.h"
#include "cli/config_tenants.h"
#include "cli/load.h"

#define BOOK_BYTES ((size_t)256 << 20) /* of a book, at most */
enum { BOOK_FILES = 200000, BOOK_NAME = 4096 };

struct book_choice {
    const char *directory;
    bool (*is_spare)(const void *context, const char *hash);
    const void *context;
    char (*hash)[DIGEST_HEX];
    size_t room;
};

/* What the request names: paths, or the installed packs. ERR_LIMIT: over BOOK_BYTES or BOOK_FILES;
 * any path that cannot be read is an error. */
enum err book_collect(const struct load_request *request, const struct config_tenants *tenants,
        struct buf *out, struct diag *diag) MUST_CHECK;
void book_hash(struct slice book, char hash[DIGEST_HEX]);
/* Is it the name of a book: 64 hex digits, lower case? */
bool book_is_hash(struct slice name);

/* Kept under `directory`, which is made: written, synced and renamed; nothing where it is there. */
enum err book_publish(const struct disk *disk, const char *directory, struct slice book,
        struct diag *diag) MUST_CHECK;
/* Replaces the content of `out`. ERR_NOT_FOUND: it is not kept; ERR_SYNTAX: it is damaged. */
enum err book_read(const struct disk *disk, const char *directory, const char *hash,
        struct buf *out, struct diag *diag) MUST_CHECK;
/* Which one is current: a file beside them, put in place the same way. "" where there is none. */
enum err book_set_current(const struct disk *disk, const char *directory, const char *hash,
        struct diag *diag) MUST_CHECK;
void book_current(const struct disk *disk, const char *directory, char hash[DIGEST_HEX]);

/* Of those that are kept, at most `room` names into `hash` for which `is_spare` says so. */
enum err book_list(const struct disk *disk, const struct book_choice *choice, size_t *count,
        struct diag *diag) MUST_CHECK;
/* Not those: OK too where it is not there. The caller syncs the directory. */
enum err book_remove(const struct disk *disk, const char *directory, const char *hash,
        struct diag *diag) MUST_CHECK;

/* Rules that are refused are the set's problems. ERR_SYNTAX: it is no book. */
enum err book_load(struct slice book, struct loaded *out, struct diag *diag) MUST_CHECK;
