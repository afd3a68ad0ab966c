#include "cli/book.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/files.h"
#include "base/point.h"
#include "cli/packs.h"
#include "event/taxonomy_data.h"

#define HEAD SLICE("merlon rules 1\n")
#define WALK_MEMORY ((size_t)256 << 20)
#define LISTED ((size_t)256 << 20) /* that reading a directory may take */
enum { PATH = 4096, CURRENT = 200, LINE = 64 /* of a text's line, beside the name */ };

/* ---- making one --------------------------------------------------------------------------------
 */

struct collecting {
    struct buf *out;
    struct buf text;
    size_t files;
};

static enum err add(struct collecting *c, const char *kind, struct slice name, struct slice bytes,
        struct diag *diag)
{
    if (name.size > BOOK_NAME || memchr(name.at, '\n', name.size)) {
        return diag_say(diag, ERR_USAGE, "%.*s: the name is too long, or holds a line feed",
                (int)(name.size < 200 ? name.size : 200), name.at);
    }
    if (++c->files > BOOK_FILES || c->out->size + bytes.size + name.size + LINE > BOOK_BYTES) {
        return diag_say(diag, ERR_LIMIT, "more than %d files of rules, or than 256 MiB of them",
                BOOK_FILES);
    }
    buf_format(c->out, "%s %zu ", kind, bytes.size);
    buf_add(c->out, name);
    buf_byte(c->out, '\n');
    buf_add(c->out, bytes);
    buf_byte(c->out, '\n');
    return c->out->failed ? diag_say(diag, ERR_MEMORY, "no memory for the rules") : OK;
}

static enum err add_file(
        struct collecting *c, const char *kind, const char *path, struct diag *diag)
{
    struct diag why = {0};
    enum err e = files_read(path, LOAD_FILE_LIMIT, &c->text, &why);
    if (e != OK) {
        return diag_say(diag, e, "%s: %s", path, why.words);
    }
    return add(c, kind, slice_text(path), buf_slice(&c->text), diag);
}

/* A tenant's exceptions: named by the tenant, too. */
static enum err add_exceptions(
        struct collecting *c, struct slice tenant, const char *path, struct diag *diag)
{
    struct diag why = {0};
    struct buf name = {0};
    enum err e = files_read(path, LOAD_FILE_LIMIT, &c->text, &why);
    if (e != OK) {
        return diag_say(diag, e, "%s: %s", path, why.words);
    }
    buf_add(&name, tenant);
    buf_byte(&name, ' ');
    buf_add(&name, slice_text(path));
    e = name.failed ? diag_say(diag, ERR_MEMORY, "no memory for the rules")
                    : add(c, "exception", buf_slice(&name), buf_slice(&c->text), diag);
    buf_fini(&name);
    return e;
}

static enum err add_tenants(
        struct collecting *c, const struct config_tenants *tenants, struct diag *diag)
{
    struct buf text = {0};
    if (tenants->count == 0) {
        return OK;
    }
    config_tenants_write(tenants, &text);
    enum err e = text.failed ? diag_say(diag, ERR_MEMORY, "no memory for the rules")
                             : add(c, "tenants", SLICE("configuration"), buf_slice(&text), diag);
    buf_fini(&text);
    for (size_t t = 0; t < tenants->count && e == OK; t++) {
        const struct config_tenant *row = &tenants->at[t];
        for (size_t i = 0; i < row->exception_count && e == OK; i++) {
            e = add_exceptions(c, row->tenant, row->exceptions[i].at, diag);
        }
    }
    return e;
}

static enum err add_walked(struct collecting *c, const struct files_list *list, struct diag *diag)
{
    if (list->refusal_count > 0) {
        return diag_say(diag, ERR_IO, "%s: %s", list->refusals[0].path, list->refusals[0].reason);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->is_directory && ruleset_is_test(slice_text(list->paths[i]))) {
            continue;
        }
        TRY(add_file(c, "rule", list->paths[i], diag));
    }
    return OK;
}

static enum err add_path(struct collecting *c, const char *path, struct diag *diag)
{
    static const char *const suffixes[] = {".yml", ".yaml", NULL};
    struct files_list list;
    struct arena arena;
    struct diag why = {0};
    arena_init(&arena, WALK_MEMORY);
    enum err e = files_walk(&arena, path, suffixes, &list, &why);
    if (e != OK) {
        diag_say(diag, e, "%s: %s", path, why.words);
    } else {
        e = add_walked(c, &list, diag);
    }
    arena_fini(&arena);
    return e;
}

static enum err add_pack_file(
        void *context, struct slice name, struct slice bytes, struct diag *diag)
{
    return add(context, "rule", name, bytes, diag);
}

static enum err add_packs(
        struct collecting *c, const struct load_request *request, struct diag *diag)
{
    const struct packs_sink sink = {add_pack_file, c};
    size_t unreadable = 0;
    TRY(packs_each(request->data, &sink, &unreadable, diag));
    return unreadable == 0
                   ? OK
                   : diag_say(diag, ERR_IO, "%zu installed packs cannot be read", unreadable);
}

static enum err collect_rules(
        struct collecting *c, const struct load_request *request, struct diag *diag)
{
    buf_add(c->out, HEAD);
    for (size_t i = 0; i < taxonomy_data_file_count; i++) {
        const struct taxonomy_data_file *file = &taxonomy_data_files[i];
        TRY(add(c, "taxonomy", slice_text(file->name), slice_of(file->bytes, file->size), diag));
    }
    for (size_t i = 0; i < request->taxonomies.count; i++) {
        TRY(add_file(c, "taxonomy", request->taxonomies.at[i], diag));
    }
    for (size_t i = 0; i < request->rules.count; i++) {
        TRY(add_path(c, request->rules.at[i], diag));
    }
    return request->packs && request->rules.count == 0 ? add_packs(c, request, diag) : OK;
}

enum err book_collect(const struct load_request *request, const struct config_tenants *tenants,
        struct buf *out, struct diag *diag)
{
    struct collecting c = {.out = out};
    buf_clear(out);
    enum err e = collect_rules(&c, request, diag);
    if (e == OK) {
        e = add_tenants(&c, tenants, diag);
    }
    buf_fini(&c.text);
    return e;
}

void book_hash(struct slice book, char hash[DIGEST_HEX])
{
    struct digest digest;
    digest_init(&digest);
    digest_add(&digest, book);
    digest_hex(&digest, hash);
}

bool book_is_hash(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (!slice_is_digit(name.at[i]) && (name.at[i] < 'a' || name.at[i] > 'f')) {
            return false;
        }
    }
    return name.size == DIGEST_HEX - 1;
}

/* ---- keeping them ------------------------------------------------------------------------------
 */

static enum err make_path(
        char path[PATH], const char *directory, const char *name, struct diag *diag)
{
    int size = snprintf(path, PATH, "%s/%s", directory, name);
    return size > 0 && size < PATH ? OK : diag_say(diag, ERR_LIMIT, "the path is too long");
}

static enum err write_synced(
        const struct disk *disk, const char *path, struct slice bytes, struct diag *diag)
{
    int file;
    enum err e = disk->remove(disk, path, NULL); /* of one that was ended in between */
    (void)e;
    TRY(disk->create(disk, path, &file, diag));
    e = disk->write(disk, file, 0, bytes, diag);
    if (e == OK) {
        e = disk->sync(disk, file, diag);
    }
    disk->close(disk, file);
    return e;
}

/* There whole, or not at all; and when this returns it stays. */
static enum err put(const struct disk *disk, const char *directory, const char *name,
        struct slice bytes, struct diag *diag)
{
    char path[PATH], part[PATH];
    TRY(make_path(path, directory, name, diag));
    TRY(make_path(part, directory, "part.new", diag));
    TRY(write_synced(disk, part, bytes, diag));
    point_pass("rules.before_rename");
    TRY(disk->rename(disk, part, path, diag));
    point_pass("rules.renamed");
    return disk->sync_directory(disk, directory, diag);
}

static enum err read_kept(
        const struct disk *disk, const char *path, size_t limit, struct buf *out, struct diag *diag)
{
    struct disk_read what = {0};
    uint64_t size;
    int file;
    buf_clear(out);
    TRY(disk->open(disk, path, &file, diag));
    enum err e = disk->size(disk, file, &size, diag);
    if (e == OK && size > limit) {
        e = diag_say(diag, ERR_LIMIT, "%s: too large", path);
    }
    if (e == OK && size > 0) {
        what = (struct disk_read){.to = buf_reserve(out, size), .size = size};
        e = what.to ? disk->read(disk, file, 0, &what, diag)
                    : diag_say(diag, ERR_MEMORY, "no memory for the rules");
    }
    out->size = e == OK ? what.got : 0;
    disk->close(disk, file);
    return e;
}

enum err book_read(const struct disk *disk, const char *directory, const char *hash,
        struct buf *out, struct diag *diag)
{
    char path[PATH], found[DIGEST_HEX];
    if (!book_is_hash(slice_text(hash))) {
        return diag_say(diag, ERR_NOT_FOUND, "'%.80s' names no set of rules", hash);
    }
    TRY(make_path(path, directory, hash, diag));
    TRY(read_kept(disk, path, BOOK_BYTES, out, diag));
    book_hash(buf_slice(out), found);
    return strcmp(found, hash) == 0 ? OK : diag_say(diag, ERR_SYNTAX, "%s: damaged", path);
}

enum err book_publish(
        const struct disk *disk, const char *directory, struct slice book, struct diag *diag)
{
    char hash[DIGEST_HEX];
    struct buf there = {0};
    book_hash(book, hash);
    TRY(disk->make_directory(disk, directory, diag));
    bool kept = book_read(disk, directory, hash, &there, NULL) == OK;
    buf_fini(&there);
    /* One that is there may not be on disk yet: whoever renamed it may have ended then. */
    return kept ? disk->sync_directory(disk, directory, diag)
                : put(disk, directory, hash, book, diag);
}

enum err book_set_current(
        const struct disk *disk, const char *directory, const char *hash, struct diag *diag)
{
    char before[DIGEST_HEX];
    book_current(disk, directory, before);
    return strcmp(before, hash) == 0 ? OK : put(disk, directory, "current", slice_text(hash), diag);
}

void book_current(const struct disk *disk, const char *directory, char hash[DIGEST_HEX])
{
    struct buf text = {0};
    char path[PATH];
    hash[0] = 0;
    if (make_path(path, directory, "current", NULL) == OK &&
            read_kept(disk, path, CURRENT, &text, NULL) == OK && book_is_hash(buf_slice(&text))) {
        memcpy(hash, text.at, DIGEST_HEX - 1);
        hash[DIGEST_HEX - 1] = 0;
    }
    buf_fini(&text);
}

enum err book_list(
        const struct disk *disk, const struct book_choice *choice, size_t *count, struct diag *diag)
{
    struct arena arena;
    struct disk_names list;
    *count = 0;
    arena_init(&arena, LISTED);
    enum err e = disk->list(disk, choice->directory, &arena, &list, diag);
    for (size_t i = 0; e == OK && i < list.count && *count < choice->room; i++) {
        if (book_is_hash(slice_text(list.at[i])) && choice->is_spare(choice->context, list.at[i])) {
            memcpy(choice->hash[(*count)++], list.at[i], DIGEST_HEX);
        }
    }
    arena_fini(&arena);
    return e;
}

enum err book_remove(
        const struct disk *disk, const char *directory, const char *hash, struct diag *diag)
{
    char path[PATH];
    if (!book_is_hash(slice_text(hash))) {
        return OK;
    }
    TRY(make_path(path, directory, hash, diag));
    enum err e = disk->remove(disk, path, diag);
    return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- reading one -------------------------------------------------------------------------------
 */

/* *size: digits at the front of *line, and the blank behind them. */
static bool take_size(struct slice *line, size_t *size)
{
    struct slice digits = slice_cut(line, ' ');
    *size = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (!slice_is_digit(digits.at[i]) || *size > BOOK_BYTES) {
            return false;
        }
        *size = *size * 10 + (size_t)(digits.at[i] - '0');
    }
    return digits.size > 0;
}

static bool take_text(struct slice *rest, struct load_text *out)
{
    static const char *const kinds[] = {[LOAD_RULE] = "rule",
            [LOAD_TAXONOMY] = "taxonomy",
            [LOAD_EXCEPTION] = "exception",
            [LOAD_TENANTS] = "tenants"};
    struct slice line = slice_cut(rest, '\n');
    struct slice kind = slice_cut(&line, ' ');
    size_t size, i = 0;
    while (i < sizeof kinds / sizeof *kinds && !slice_equal(kind, slice_text(kinds[i]))) {
        i++;
    }
    out->kind = (enum load_kind)i;
    if (i == sizeof kinds / sizeof *kinds || !take_size(&line, &size) || line.size == 0 ||
            rest->size <= size || rest->at[size] != '\n') {
        return false;
    }
    out->name = line;
    out->bytes = slice_of(rest->at, size);
    *rest = slice_from(*rest, size + 1);
    return true;
}

enum err book_load(struct slice book, struct loaded *out, struct diag *diag)
{
    struct arena arena;
    struct slice rest = book;
    size_t count = 0;
    enum err e = OK;
    arena_init(&arena, BOOK_FILES * sizeof(struct load_text));
    struct load_text *texts = ARENA_ARRAY(&arena, struct load_text, BOOK_FILES);
    if (!texts) {
        e = diag_say(diag, ERR_MEMORY, "no memory for the rules");
    } else if (!slice_starts(book, HEAD)) {
        e = diag_say(diag, ERR_SYNTAX, "no set of rules");
    } else {
        rest = slice_from(book, HEAD.size);
    }
    while (e == OK && rest.size > 0) {
        if (count == BOOK_FILES || !take_text(&rest, &texts[count])) {
            e = diag_say(
                    diag, ERR_SYNTAX, "a set of rules that is damaged, behind file %zu", count);
        }
        count++;
    }
    if (e == OK) {
        e = load_texts(texts, count, out, diag);
    }
    arena_fini(&arena);
    return e;
}
