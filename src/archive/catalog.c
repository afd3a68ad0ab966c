#include "archive/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

enum { HOURS = 24, DAY = 10 /* of a date */, PATH = 4096 };
#define HOUR (TIME_DAY / HOURS)
#define TENANT_PREFIX SLICE("tenant=")
#define DAY_PREFIX SLICE("day=")
#define SUFFIX SLICE(".parquet")

/* ---- names ------------------------------------------------------------------------------------
 */

void catalog_tenant(struct slice tenant, struct buf *out)
{
    buf_add(out, TENANT_PREFIX);
    for (size_t i = 0; i < tenant.size; i++) {
        if (tenant.at[i] == '/') {
            buf_add(out, SLICE("%2F"));
        } else {
            buf_byte(out, tenant.at[i]);
        }
    }
}

void catalog_day(int64_t hour, struct buf *out)
{
    buf_add(out, DAY_PREFIX);
    size_t from = out->size;
    time_format(out, hour * HOUR);
    out->size = out->size > from + DAY ? from + DAY : out->size;
}

void catalog_file(const struct catalog_entry *entry, struct buf *out)
{
    int64_t hour = entry->hour % HOURS;
    buf_format(out, "%02d-%s-%llu.parquet", (int)(hour < 0 ? hour + HOURS : hour), entry->log,
            (unsigned long long)entry->first);
}

/* What stands behind the prefix; .at NULL: it has another. */
static struct slice behind(struct slice name, struct slice prefix)
{
    return slice_starts(name, prefix) ? slice_from(name, prefix.size) : (struct slice){0};
}

static bool take_tenant(struct catalog *c, struct slice name, struct slice *out)
{
    struct slice text = behind(name, TENANT_PREFIX);
    struct buf tenant = {0}, again = {0};
    for (size_t i = 0; i < text.size; i++) {
        bool slash = slice_starts(slice_from(text, i), SLICE("%2F"));
        buf_byte(&tenant, slash ? '/' : text.at[i]);
        i += slash ? 2 : 0;
    }
    catalog_tenant(buf_slice(&tenant), &again);
    bool good = text.size > 0 && slice_equal(buf_slice(&again), name);
    *out = good ? arena_copy(&c->arena, buf_slice(&tenant)) : (struct slice){0};
    buf_fini(&tenant);
    buf_fini(&again);
    return out->at;
}

/* Hours since 1970 at its midnight. */
static bool take_day(struct slice name, int64_t *hour)
{
    struct slice text = behind(name, DAY_PREFIX);
    struct buf again = {0};
    int64_t ns;
    bool good = text.size == DAY && time_parse(text, &ns);
    *hour = good ? ns / HOUR : 0;
    catalog_day(*hour, &again);
    good = good && slice_equal(buf_slice(&again), name);
    buf_fini(&again);
    return good;
}

static bool take_number(struct slice digits, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.size; i++) {
        uint64_t digit = (uint64_t)(digits.at[i] - '0');
        if (!slice_is_digit(digits.at[i]) || *out > (UINT64_MAX - digit) / 10) {
            return false;
        }
        *out = *out * 10 + digit;
    }
    return digits.size > 0;
}

static bool take_file(struct slice name, struct catalog_entry *entry)
{
    struct slice rest = name;
    struct buf again = {0};
    uint64_t hour;
    if (!slice_ends(name, SUFFIX)) {
        return false;
    }
    rest.size -= SUFFIX.size;
    struct slice first = slice_cut(&rest, '-'), log = slice_cut(&rest, '-');
    bool good = take_number(first, &hour) && hour < HOURS && log.size == CATALOG_LOG - 1 &&
                take_number(rest, &entry->first);
    for (size_t i = 0; good && i < log.size; i++) {
        good = slice_is_digit(log.at[i]) || (log.at[i] >= 'a' && log.at[i] <= 'f');
    }
    if (good) {
        memcpy(entry->log, log.at, log.size);
        entry->log[log.size] = 0;
        entry->hour += (int64_t)hour;
        catalog_file(entry, &again);
        good = slice_equal(buf_slice(&again), name);
    }
    buf_fini(&again);
    return good;
}

/* ---- directories ------------------------------------------------------------------------------
 */

struct walk {
    const struct disk *disk;
    const char *archive;
    struct catalog *catalog;
    size_t room;
    struct diag *diag;
};

static enum err no_memory(struct walk *w)
{
    return diag_say(w->diag, ERR_MEMORY, "no memory to list an archive");
}

static const char *join(struct walk *w, const char *a, const char *b)
{
    struct buf path = {0};
    buf_add(&path, slice_text(a));
    buf_add(&path, a[0] ? SLICE("/") : SLICE(""));
    buf_add(&path, slice_text(b));
    struct slice copy = path.failed || path.size >= PATH
                                ? (struct slice){0}
                                : arena_copy(&w->catalog->arena, buf_slice(&path));
    buf_fini(&path);
    return copy.at;
}

static enum err add_stray(struct walk *w, const char *directory, const char *name)
{
    struct catalog *c = w->catalog;
    if (slice_ends(slice_text(name), SLICE(".new"))) {
        c->unfinished++;
        return OK;
    }
    if (c->strays++ == 0) {
        c->stray = join(w, directory, name);
    }
    return c->stray ? OK : no_memory(w);
}

static enum err add_entry(struct walk *w, const struct catalog_entry *entry)
{
    struct catalog *c = w->catalog;
    if (c->count == w->room) {
        size_t room = w->room ? w->room * 2 : 256;
        struct catalog_entry *at = ARENA_ARRAY(&c->arena, struct catalog_entry, room);
        if (!at) {
            return no_memory(w);
        }
        if (c->count > 0) {
            memcpy(at, c->at, c->count * sizeof *at);
        }
        c->at = at;
        w->room = room;
    }
    c->at[c->count++] = *entry;
    return OK;
}

static enum err list(struct walk *w, const char *below, struct disk_names *out)
{
    const char *path = join(w, w->archive, below);
    return path ? w->disk->list(w->disk, path, &w->catalog->arena, out, w->diag) : no_memory(w);
}

static enum err read_day(struct walk *w, const char *directory, const struct catalog_entry *of)
{
    struct disk_names names;
    TRY(list(w, directory, &names));
    for (size_t i = 0; i < names.count; i++) {
        struct catalog_entry entry = *of;
        if (!take_file(slice_text(names.at[i]), &entry)) {
            TRY(add_stray(w, directory, names.at[i]));
            continue;
        }
        entry.path = join(w, directory, names.at[i]);
        TRY(entry.path ? add_entry(w, &entry) : no_memory(w));
    }
    return OK;
}

static enum err read_tenant(struct walk *w, const char *directory, struct slice tenant)
{
    struct disk_names names;
    TRY(list(w, directory, &names));
    for (size_t i = 0; i < names.count; i++) {
        struct catalog_entry entry = {.tenant = tenant};
        const char *path = join(w, directory, names.at[i]);
        if (!path) {
            return no_memory(w);
        }
        TRY(take_day(slice_text(names.at[i]), &entry.hour) ? read_day(w, path, &entry)
                                                           : add_stray(w, directory, names.at[i]));
    }
    return OK;
}

static int compare(const void *a, const void *b)
{
    const struct catalog_entry *x = a, *y = b;
    int order = slice_compare(x->tenant, y->tenant);
    if (order != 0) {
        return order;
    }
    if (x->hour != y->hour) {
        return x->hour < y->hour ? -1 : 1;
    }
    order = strcmp(x->log, y->log);
    return order ? order : x->first < y->first ? -1 : x->first > y->first;
}

static enum err read_all(struct walk *w)
{
    struct disk_names names;
    TRY(list(w, "", &names));
    for (size_t i = 0; i < names.count; i++) {
        struct slice tenant;
        TRY(take_tenant(w->catalog, slice_text(names.at[i]), &tenant)
                        ? read_tenant(w, names.at[i], tenant)
                        : add_stray(w, "", names.at[i]));
    }
    if (w->catalog->count > 0) {
        qsort(w->catalog->at, w->catalog->count, sizeof *w->catalog->at, compare);
    }
    return OK;
}

enum err catalog_read(
        const struct disk *disk, const char *archive, struct catalog *out, struct diag *diag)
{
    struct walk walk = {.disk = disk, .archive = archive, .catalog = out, .diag = diag};
    *out = (struct catalog){0};
    arena_init(&out->arena, CATALOG_BYTES);
    enum err e = read_all(&walk);
    if (e != OK) {
        catalog_fini(out);
    }
    return e;
}

void catalog_fini(struct catalog *catalog)
{
    arena_fini(&catalog->arena);
    catalog->at = NULL;
    catalog->count = 0;
}
