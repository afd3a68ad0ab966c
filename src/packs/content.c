#include "packs/content.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/utf8.h"

void content_init(struct content *content)
{
    *content = (struct content){0};
    arena_init(&content->arena, CONTENT_BYTES + ((size_t)CONTENT_FILES * CONTENT_PATH_BYTES) * 2);
}

void content_fini(struct content *content)
{
    memory_free(content->files);
    arena_fini(&content->arena);
}

static bool ends_nocase(struct slice s, struct slice end)
{
    return s.size > end.size &&
           slice_equal_nocase(slice_of(s.at + s.size - end.size, end.size), end);
}

bool content_is_rule(struct slice path)
{
    return ends_nocase(path, SLICE(".yml")) || ends_nocase(path, SLICE(".yaml"));
}

/* ---- paths ----------------------------------------------------------------------------------- */

static const char *part_fault(struct slice part)
{
    if (part.size == 0) {
        return "has an empty part";
    }
    if (slice_equal(part, SLICE("..")) || slice_equal(part, SLICE("."))) {
        return "leads elsewhere";
    }
    for (size_t i = 0; i < part.size; i++) {
        unsigned char c = (unsigned char)part.at[i];
        if (c < 0x20 || c == 0x7F || c == '\\') {
            return "has a control character or a backslash";
        }
    }
    return NULL;
}

static const char *path_fault(struct slice path)
{
    struct slice rest = path;
    size_t parts = 0;
    if (path.size == 0 || path.size > CONTENT_PATH_BYTES) {
        return path.size ? "is too long" : "is empty";
    }
    if (path.at[path.size - 1] == '/') {
        return "names a folder";
    }
    while (rest.size > 0) {
        const char *fault = part_fault(slice_cut(&rest, '/'));
        if (fault) {
            return fault;
        }
        if (++parts > CONTENT_PATH_PARTS) {
            return "is too deep";
        }
    }
    return utf8_valid(path) ? NULL : "is not UTF-8";
}

/* ---- files ----------------------------------------------------------------------------------- */

enum err content_add(
        struct content *content, struct slice path, struct slice bytes, struct diag *diag)
{
    const char *fault = path_fault(path);
    if (fault) {
        return diag_say(diag, ERR_SYNTAX, "the path '%.*s' %s", SLICE_ARG(path), fault);
    }
    if (content->count == CONTENT_FILES) {
        return diag_say(diag, ERR_LIMIT, "over %d rule files", CONTENT_FILES);
    }
    if (bytes.size > CONTENT_FILE_BYTES) {
        return diag_say(
                diag, ERR_LIMIT, "%.*s: over %d bytes", SLICE_ARG(path), CONTENT_FILE_BYTES);
    }
    if (content->bytes + bytes.size > CONTENT_BYTES) {
        return diag_say(diag, ERR_LIMIT, "over %llu bytes of rules in all",
                (unsigned long long)CONTENT_BYTES);
    }
    struct content_file file = {
            .path = arena_copy(&content->arena, path), .bytes = arena_copy(&content->arena, bytes)};
    if (!file.path.at || !file.bytes.at ||
            !memory_grow(
                    &content->files, &content->room, content->count + 1, sizeof *content->files)) {
        return diag_say(diag, ERR_MEMORY, "no memory for the rules");
    }
    content->files[content->count++] = file;
    content->bytes += bytes.size;
    return OK;
}

static int by_path(const void *a, const void *b)
{
    const struct content_file *x = a, *y = b;
    return slice_compare(x->path, y->path);
}

enum err content_finish(struct content *content, struct diag *diag)
{
    struct digest all;
    if (content->count > 0) {
        qsort(content->files, content->count, sizeof *content->files, by_path);
    }
    digest_init(&all);
    for (size_t i = 0; i < content->count; i++) {
        struct content_file *f = &content->files[i];
        struct digest one;
        if (i > 0 && slice_equal(f->path, content->files[i - 1].path)) {
            return diag_say(diag, ERR_SYNTAX, "two files of the path '%.*s'", SLICE_ARG(f->path));
        }
        digest_init(&one);
        digest_add(&one, f->bytes);
        digest_hex(&one, f->hash);
        digest_add(&all, slice_of(f->hash, DIGEST_HEX - 1));
        digest_add(&all, SLICE(" "));
        digest_add(&all, f->path);
        digest_add(&all, SLICE("\n"));
    }
    digest_hex(&all, content->digest);
    return OK;
}

void content_strip(struct content *content)
{
    if (content->count == 0) {
        return;
    }
    size_t size = slice_find_byte(content->files[0].path, '/') + 1;
    struct slice folder = slice_of(content->files[0].path.at, size);
    for (size_t i = 0; i < content->count; i++) {
        if (size > content->files[i].path.size || !slice_starts(content->files[i].path, folder)) {
            return;
        }
    }
    for (size_t i = 0; i < content->count; i++) {
        struct slice *path = &content->files[i].path;
        *path = slice_of(path->at + size, path->size - size);
    }
}
