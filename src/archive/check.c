#include "archive/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/rows_read.h"
#include "archive/seal.h"
#include "base/json_text.h"

enum { PATH = 4096, NUMBER = 24 };

struct checking {
    const struct catalog_entry *entry;
    struct rows_read *rows;
    struct check_result *result;
    struct digest digest;
    uint64_t next; /* the least offset that may come */
    struct diag *diag;
};

static enum err wrong(struct checking *c, const char *what)
{
    return diag_say(c->diag, ERR_SYNTAX, "%s", what);
}

/* ---- what it says of itself --------------------------------------------------------------------
 */

static struct slice pair(const struct checking *c, const char *key)
{
    struct slice value;
    return parquet_read_pair(rows_read_file(c->rows), slice_text(key), &value) ? value
                                                                               : (struct slice){0};
}

/* A member of a pair that is an object of plain members. */
static struct slice member(const struct checking *c, const char *key, const char *name)
{
    struct slice object = pair(c, key);
    if (!object.at || json_text_check_whole(object, 2, NULL) != OK) {
        return (struct slice){0};
    }
    struct slice value = json_text_get(object, slice_text(name));
    bool quoted = value.size >= 2 && value.at[0] == '"';
    return quoted ? slice_of(value.at + 1, value.size - 2) : value;
}

static bool is_number(struct slice text, uint64_t number)
{
    char digits[NUMBER];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    return slice_equal(text, slice_of(digits, (size_t)size));
}

static enum err check_name(struct checking *c)
{
    if (!slice_equal(pair(c, SEAL_TENANT), c->entry->tenant)) {
        return wrong(c, "it is another tenant's");
    }
    if (!slice_equal(pair(c, SEAL_LOG), slice_text(c->entry->log)) ||
            !is_number(member(c, SEAL_SPAN, "first"), c->entry->first)) {
        return wrong(c, "its name is another file's");
    }
    return OK;
}

static enum err check_counts(struct checking *c)
{
    char hex[DIGEST_HEX];
    const struct check_result *r = c->result;
    digest_hex(&c->digest, hex);
    if (!is_number(member(c, ROWS_COUNTS, "rows"), r->rows) ||
            !is_number(member(c, SEAL_SPAN, "last"), r->last)) {
        return wrong(c, "rows are missing");
    }
    if (!is_number(member(c, SEAL_RECORDS, "bytes"), r->raw_bytes) ||
            !slice_equal(member(c, SEAL_RECORDS, "sha256"), slice_text(hex))) {
        return wrong(c, "its records are not those that were sealed");
    }
    return OK;
}

/* ---- rows -------------------------------------------------------------------------------------
 */

static enum err check_row(struct checking *c, uint32_t row)
{
    struct rows_read_row it;
    TRY(rows_read_row(c->rows, row, &it, c->diag));
    if (it.offset < c->next || (c->result->rows == 0 && it.offset != c->entry->first)) {
        return wrong(c, "its offsets do not rise from the one in its name");
    }
    c->next = it.offset;
    c->result->last = it.offset;
    c->result->rows++;
    if (it.raw.at) {
        c->result->records++;
        c->result->raw_bytes += it.raw.size;
        seal_digest(&c->digest, it.raw);
    }
    return OK;
}

static enum err check_rows(struct checking *c)
{
    digest_init(&c->digest);
    for (uint32_t g = 0; g < rows_read_groups(c->rows); g++) {
        TRY(rows_read_group(c->rows, g, c->diag));
        for (uint32_t row = 0; row < rows_read_count(c->rows); row++) {
            TRY(check_row(c, row));
        }
    }
    return OK;
}

enum err check_file(const struct disk *disk, const char *archive, const struct catalog_entry *entry,
        struct check_result *out, struct diag *diag)
{
    struct checking c = {.entry = entry, .result = out, .diag = diag};
    char path[PATH];
    *out = (struct check_result){0};
    int size = snprintf(path, sizeof path, "%s/%s", archive, entry->path);
    if (size < 0 || size >= PATH) {
        return diag_say(diag, ERR_LIMIT, "the path is too long");
    }
    TRY(rows_read_open(disk, path, &c.rows, diag));
    enum err e = check_name(&c);
    e = e == OK ? check_rows(&c) : e;
    e = e == OK ? check_counts(&c) : e;
    rows_read_close(c.rows);
    return e;
}
