#include "archive/seal.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/time.h"

#define HOUR (TIME_DAY / 24)
enum { PATH = 4096, NAME = 128 };

struct seal {
    struct seal_place place;
    struct seal_limits limits;
    struct seal_counts counts;
    char directory[PATH]; /* of the tenant, then of the day at hand */
    size_t tenant_size;   /* of its tenant's part */
    char name[NAME];
    struct rows *rows; /* NULL: no file is begun */
    struct catalog_entry entry;
    struct digest digest;
    uint64_t last;
    int64_t least_ns, greatest_ns; /* least > greatest: no event has a time */
};

/* ---- places -----------------------------------------------------------------------------------
 */

/* Makes a directory, and has its name on disk. */
static enum err make_directory(struct seal *seal, const char *parent, struct diag *diag)
{
    const struct disk *disk = seal->place.disk;
    TRY(disk->make_directory(disk, seal->directory, diag));
    return disk->sync_directory(disk, parent, diag);
}

static enum err go_below(struct seal *seal, const struct buf *name, struct diag *diag)
{
    char parent[PATH];
    size_t size = strlen(seal->directory);
    if (name->failed || size + name->size + 2 > PATH) {
        return diag_say(diag, ERR_LIMIT, "the path of an archive's file is too long");
    }
    memcpy(parent, seal->directory, size + 1);
    snprintf(seal->directory + size, PATH - size, "/%.*s", (int)name->size, name->at);
    return make_directory(seal, parent, diag);
}

static enum err make_tenant(struct seal *seal, struct diag *diag)
{
    const struct disk *disk = seal->place.disk;
    struct buf name = {0};
    int size = snprintf(seal->directory, PATH, "%s", seal->place.archive);
    if (size < 0 || size >= PATH) {
        return diag_say(diag, ERR_LIMIT, "the path of the archive is too long");
    }
    TRY(disk->make_directory(disk, seal->directory, diag));
    catalog_tenant(seal->place.tenant, &name);
    enum err e = go_below(seal, &name, diag);
    buf_fini(&name);
    seal->tenant_size = strlen(seal->directory);
    return e;
}

enum err seal_new(const struct seal_place *place, const struct seal_limits *limits,
        struct seal **out, struct diag *diag)
{
    struct seal *seal = memory_alloc(sizeof *seal);
    if (!seal) {
        return diag_say(diag, ERR_MEMORY, "no memory to seal");
    }
    *seal = (struct seal){.place = *place, .limits = *limits};
    enum err e = make_tenant(seal, diag);
    if (e != OK) {
        seal_free(seal);
        return e;
    }
    *out = seal;
    return OK;
}

void seal_free(struct seal *seal)
{
    if (seal) {
        rows_free(seal->rows);
        memory_free(seal);
    }
}

struct seal_counts seal_counts(const struct seal *seal)
{
    return seal->counts;
}

/* ---- a file -----------------------------------------------------------------------------------
 */

static int64_t hour_of(int64_t ns)
{
    return ns / HOUR - (ns % HOUR < 0);
}

static enum err begin(struct seal *seal, const struct rows_head *head, struct diag *diag)
{
    struct buf text = {0};
    seal->entry = (struct catalog_entry){.tenant = seal->place.tenant,
            .hour = hour_of(head->received_ns),
            .first = head->offset};
    memcpy(seal->entry.log, seal->place.log, CATALOG_LOG - 1);
    seal->directory[seal->tenant_size] = 0;
    catalog_day(seal->entry.hour, &text);
    enum err e = go_below(seal, &text, diag);
    buf_clear(&text);
    catalog_file(&seal->entry, &text);
    if (e == OK && (text.failed || text.size >= NAME)) {
        e = diag_say(diag, ERR_MEMORY, "no memory to seal");
    }
    if (e == OK) {
        memcpy(seal->name, text.at, text.size);
        seal->name[text.size] = 0;
        buf_clear(&text);
        buf_add(&text, SLICE("merlon "));
        buf_add(&text, seal->place.version);
        const struct parquet_write_place place = {seal->place.disk, seal->directory, seal->name};
        e = text.failed ? diag_say(diag, ERR_MEMORY, "no memory to seal")
                        : rows_new(&place, &seal->limits.rows, buf_slice(&text), &seal->rows, diag);
    }
    buf_fini(&text);
    digest_init(&seal->digest);
    seal->least_ns = INT64_MAX;
    seal->greatest_ns = INT64_MIN;
    return e;
}

static bool is_full(const struct seal *seal, const struct rows_head *head)
{
    struct rows_counts counts = rows_counts(seal->rows);
    return hour_of(head->received_ns) != seal->entry.hour ||
           counts.rows >= seal->limits.file_rows || counts.raw_bytes >= seal->limits.file_bytes;
}

void seal_digest(struct digest *digest, struct slice record)
{
    char size[8];
    for (int i = 0; i < 8; i++) {
        size[i] = (char)((uint64_t)record.size >> 8 * i);
    }
    digest_add(digest, slice_of(size, sizeof size));
    digest_add(digest, record);
}

enum err seal_add(struct seal *seal, const struct rows_head *head, const struct event *event,
        struct diag *diag)
{
    /* What stands for several events stays together: its first row has the record. */
    if (seal->rows && is_full(seal, head) && head->raw.at) {
        TRY(seal_finish(seal, diag));
    }
    if (!seal->rows) {
        TRY(begin(seal, head, diag));
    }
    TRY(rows_add(seal->rows, head, event, diag));
    if (head->raw.at) {
        seal_digest(&seal->digest, head->raw);
    }
    seal->last = head->offset;
    if (head->time_ns != INT64_MIN) {
        seal->least_ns = head->time_ns < seal->least_ns ? head->time_ns : seal->least_ns;
        seal->greatest_ns = head->time_ns > seal->greatest_ns ? head->time_ns : seal->greatest_ns;
    }
    return OK;
}

static void add_time(struct buf *out, const char *name, int64_t ns)
{
    buf_format(out, ",\"%s\":\"", name);
    time_format(out, ns);
    buf_byte(out, '"');
}

static enum err write_pairs(struct seal *seal, struct buf *text, struct diag *diag)
{
    struct rows_counts counts = rows_counts(seal->rows);
    char hex[DIGEST_HEX];
    TRY(rows_pair(seal->rows, SLICE(SEAL_TENANT), seal->place.tenant, diag));
    TRY(rows_pair(seal->rows, SLICE(SEAL_LOG), slice_text(seal->entry.log), diag));
    TRY(rows_pair(seal->rows, SLICE(SEAL_VERSION), seal->place.version, diag));
    buf_format(text, "{\"first\":%llu,\"last\":%llu", (unsigned long long)seal->entry.first,
            (unsigned long long)seal->last);
    if (seal->least_ns <= seal->greatest_ns) {
        add_time(text, "least", seal->least_ns);
        add_time(text, "greatest", seal->greatest_ns);
    }
    buf_byte(text, '}');
    if (text->failed) {
        return diag_say(diag, ERR_MEMORY, "no memory to seal");
    }
    TRY(rows_pair(seal->rows, SLICE(SEAL_SPAN), buf_slice(text), diag));
    buf_clear(text);
    digest_hex(&seal->digest, hex);
    buf_format(
            text, "{\"bytes\":%llu,\"sha256\":\"%s\"}", (unsigned long long)counts.raw_bytes, hex);
    return text->failed ? diag_say(diag, ERR_MEMORY, "no memory to seal")
                        : rows_pair(seal->rows, SLICE(SEAL_RECORDS), buf_slice(text), diag);
}

enum err seal_finish(struct seal *seal, struct diag *diag)
{
    struct buf text = {0};
    if (!seal->rows) {
        return OK;
    }
    enum err e = write_pairs(seal, &text, diag);
    e = e == OK ? rows_finish(seal->rows, diag) : e;
    if (e == OK) {
        struct rows_counts counts = rows_counts(seal->rows);
        seal->counts.files++;
        seal->counts.rows += counts.rows;
        seal->counts.shaped += counts.shaped;
        seal->counts.raw_bytes += counts.raw_bytes;
        seal->counts.file_bytes += rows_size(seal->rows);
    }
    rows_free(seal->rows);
    seal->rows = NULL;
    buf_fini(&text);
    return e;
}
