#include "cli/packs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "cli/detect.h"
#include "cli/unarchive.h"

enum { NAMES_MEMORY = 1 << 20 };
#define WALK_MEMORY ((size_t)256 << 20)

/* ---- the data directory ---------------------------------------------------------------------- */

enum err packs_folder(const char *option, struct buf *out, struct diag *diag)
{
    static const struct {
        const char *variable;
        const char *below;
    } places[] = {
            {"MERLON_DATA", ""}, {"XDG_DATA_HOME", "/merlon"}, {"HOME", "/.local/share/merlon"}};
    const char *base = option, *below = "";
    for (size_t i = 0; !base && i < sizeof places / sizeof *places; i++) {
        const char *value = getenv(places[i].variable);
        /* XDG Base Directory Specification: a path that is not absolute is to be ignored. */
        if (value && *value && (i == 0 || *value == '/')) {
            base = value;
            below = places[i].below;
        }
    }
    if (!base || !*base) {
        return diag_say(diag, ERR_USAGE, "no data directory: give --data DIR");
    }
    buf_add(out, slice_text(base));
    buf_add(out, slice_text(below));
    buf_byte(out, '\0');
    return out->failed ? diag_say(diag, ERR_MEMORY, "no memory") : OK;
}

/* ---- where packs come from ------------------------------------------------------------------- */

enum err packs_source_path(const char *path, char out[PATH_MAX], struct diag *diag)
{
    if (!realpath(path, out)) {
        return diag_say(diag, ERR_IO, "%s", strerror(errno));
    }
    return strchr(out, '\n') ? diag_say(diag, ERR_USAGE, "a newline in its path") : OK;
}

static struct slice last_part(struct slice path)
{
    while (path.size > 0 && path.at[path.size - 1] == '/') {
        path.size--;
    }
    for (size_t i = path.size; i > 0; i--) {
        if (path.at[i - 1] == '/') {
            return slice_of(path.at + i, path.size - i);
        }
    }
    return path;
}

static enum err read_file(
        struct content *content, const char *path, struct slice name, struct diag *diag)
{
    struct buf text = {0};
    enum err e = files_read(path, CONTENT_FILE_BYTES, &text, diag);
    if (e == OK) {
        e = content_add(content, name, buf_slice(&text), diag);
    } else {
        struct diag why = *diag;
        e = diag_say(diag, e, "%s: %s", path, why.words);
    }
    buf_fini(&text);
    return e;
}

static enum err read_folder(
        struct content *content, struct arena *arena, const char *path, struct diag *diag)
{
    static const char *const suffixes[] = {".yml", ".yaml", NULL};
    struct files_list list;
    TRY(files_walk(arena, path, suffixes, &list, diag));
    if (list.refusal_count > 0) {
        return diag_say(diag, ERR_IO, "%s: %s", list.refusals[0].path, list.refusals[0].reason);
    }
    size_t above = strlen(path);
    for (size_t i = 0; i < list.count; i++) {
        const char *name = list.paths[i] + above;
        while (*name == '/') {
            name++;
        }
        TRY(read_file(content, list.paths[i], slice_text(name), diag));
    }
    return OK;
}

static enum err read_source(
        const char *path, const struct verb_app *app, struct content *content, struct diag *diag)
{
    struct stat stat_of;
    struct arena arena;
    if (stat(path, &stat_of) != 0) {
        return diag_say(diag, ERR_IO, "%s", strerror(errno));
    }
    if (S_ISDIR(stat_of.st_mode)) {
        arena_init(&arena, WALK_MEMORY);
        enum err e = read_folder(content, &arena, path, diag);
        arena_fini(&arena);
        return e;
    }
    if (content_is_rule(slice_text(path))) {
        return read_file(content, path, last_part(slice_text(path)), diag);
    }
    TRY(unarchive_read(path, app, content, diag));
    content_strip(content);
    return OK;
}

enum err packs_read_source(
        const char *path, const struct verb_app *app, struct content *content, struct diag *diag)
{
    TRY(read_source(path, app, content, diag));
    if (content->count == 0) {
        return diag_say(diag, ERR_NOT_FOUND, "no rule file (.yml) in it");
    }
    return content_finish(content, diag);
}

/* ---- to rules -------------------------------------------------------------------------------- */

static enum err each_file(const struct content *content, struct slice name,
        const struct packs_sink *sink, struct diag *diag)
{
    struct buf path = {0};
    enum err e = OK;
    for (size_t i = 0; i < content->count && e == OK; i++) {
        const struct content_file *f = &content->files[i];
        if (ruleset_is_test(f->path)) {
            continue;
        }
        buf_clear(&path);
        buf_add(&path, name);
        buf_add(&path, name.size > 0 ? SLICE("/") : SLICE(""));
        buf_add(&path, f->path);
        e = path.failed ? ERR_MEMORY : sink->take(sink->context, buf_slice(&path), f->bytes, diag);
    }
    buf_fini(&path);
    return e == ERR_MEMORY ? diag_say(diag, e, "no memory for the rules") : e;
}

static enum err give_to_set(void *set, struct slice name, struct slice bytes, struct diag *diag)
{
    return ruleset_load_text(set, name, bytes, diag);
}

enum err packs_load(
        const struct content *content, struct slice name, struct ruleset *set, struct diag *diag)
{
    const struct packs_sink sink = {give_to_set, set};
    return each_file(content, name, &sink, diag);
}

enum err packs_ruleset(
        const struct content *content, struct slice name, struct ruleset **out, struct diag *diag)
{
    const struct ruleset_options options = {.threads = detect_cores()};
    struct ruleset *set;
    TRY(ruleset_new(&options, &set, diag));
    enum err e = packs_load(content, name, set, diag);
    e = e == OK ? ruleset_finish(set, diag) : e;
    if (e != OK) {
        ruleset_free(set);
        return e;
    }
    *out = set;
    return OK;
}

static enum err load_one(struct store *store, struct slice name, const struct packs_sink *sink,
        size_t *unreadable, struct diag *diag)
{
    struct content content;
    struct store_pack pack;
    content_init(&content);
    enum err e = store_get(store, STORE_NOW(name.at), &pack, &content, diag);
    if (e == OK) {
        e = each_file(&content, name, sink, diag);
    } else if (e != ERR_MEMORY) {
        verb_say("%s", diag->words);
        (*unreadable)++;
        e = OK;
    }
    content_fini(&content);
    return e;
}

enum err packs_load_all(
        const char *option, struct ruleset *set, size_t *unreadable, struct diag *diag)
{
    const struct packs_sink sink = {give_to_set, set};
    return packs_each(option, &sink, unreadable, diag);
}

enum err packs_each(
        const char *option, const struct packs_sink *sink, size_t *unreadable, struct diag *diag)
{
    struct buf dir = {0};
    struct arena arena;
    struct store store = {-1, -1};
    struct slice *names = NULL;
    size_t count = 0;
    arena_init(&arena, NAMES_MEMORY);
    enum err e = packs_folder(option, &dir, diag);
    e = e == OK ? store_open(&store, dir.at, STORE_READ, diag) : e;
    e = e == OK ? store_list(&store, &arena, &names, &count, diag) : e;
    for (size_t i = 0; i < count && e == OK; i++) {
        e = load_one(&store, names[i], sink, unreadable, diag);
    }
    if (e == OK && count == 0) {
        e = diag_say(diag, ERR_NOT_FOUND,
                "no rules are named, and no pack is installed in %s (merlon rules add)", dir.at);
    }
    store_close(&store);
    arena_fini(&arena);
    buf_fini(&dir);
    return e;
}
