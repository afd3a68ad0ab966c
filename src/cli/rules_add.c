#include "cli/rules_add.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/time.h"
#include "cli/packs.h"
#include "cli/words.h"

enum { NAME, DATA };

static const struct option_row options[] = {
        [NAME] = {"name", 0, "NAME", "the pack's name (that of the file or folder)"},
        [DATA] = {"data", 0, "DIR", "where packs are kept"},
        {0},
};

struct add_request {
    const char *source;
    const char *name;
    const char *data;
    char real[PATH_MAX]; /* the source's absolute path */
};

static enum err parse(struct add_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        if (option == OPTION_WRONG) {
            return ERR_USAGE;
        }
        if (option == NAME) {
            request->name = value;
        } else if (option == DATA) {
            request->data = value;
        } else if (request->source) {
            return diag_say(diag, ERR_USAGE, "one source, no more: '%.80s'", value);
        } else {
            request->source = value;
        }
    }
    return request->source ? OK : diag_say(diag, ERR_USAGE, "name a file, a folder or an archive");
}

/* sigma.tar.gz -> sigma; what cannot stand in a name becomes '-'. */
static void name_from(const char *path, char out[STORE_NAME_BYTES + 1])
{
    static const char *const ends[] = {
            ".tar.gz", ".tar.zst", ".tgz", ".tzst", ".tar", ".zip", ".yml", ".yaml"};
    struct slice name = slice_text(path);
    size_t size = 0;
    for (size_t slash; (slash = slice_find_byte(name, '/')) < name.size;) {
        name = slice_of(name.at + slash + 1, name.size - slash - 1);
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (slice_ends(name, slice_text(ends[i]))) {
            name.size -= strlen(ends[i]);
            break;
        }
    }
    for (; size < name.size && size < STORE_NAME_BYTES; size++) {
        bool good = store_name_valid(slice_of(name.at + size, 1)) || (name.at[size] == '.' && size);
        out[size] = good ? name.at[size] : '-';
    }
    out[size] = '\0';
}

static enum err add_new(
        const struct add_request *request, const struct content *content, struct diag *diag)
{
    struct store store = {-1, -1};
    struct store_pack old;
    struct store_pack pack = {
            .name = slice_text(request->name), .source = slice_text(request->real)};
    struct buf dir = {0}, now = {0};
    struct content there;
    time_format(&now, clock_wall_ns() / TIME_SECOND * TIME_SECOND);
    pack.added = buf_slice(&now);
    content_init(&there);
    enum err e = packs_folder(request->data, &dir, diag);
    e = e == OK ? store_open(&store, dir.at, STORE_WRITE, diag) : e;
    if (e == OK) {
        e = store_get(&store, STORE_NOW(request->name), &old, &there, diag);
        e = e == ERR_NOT_FOUND ? OK
            : e == OK          ? diag_say(diag, ERR_USAGE,
                                         "pack %s is there already: merlon rules update %s, or --name",
                                         request->name, request->name)
                               : e;
    }
    e = e == OK ? store_put(&store, &pack, content, diag) : e;
    store_close(&store);
    content_fini(&there);
    buf_fini(&dir);
    buf_fini(&now);
    return e;
}

static void say_added(
        const struct add_request *request, const struct content *content, const struct ruleset *set)
{
    printf("%s: %u rules", request->name, set->rule_count);
    if (set->problem_count > 0) {
        printf(", %u refused (merlon rules check)", set->problem_count);
    }
    printf(", %zu files, digest %s\n", content->count, content->digest);
    if (content->links > 0) {
        printf("%llu links in the archive passed over\n", (unsigned long long)content->links);
    }
}

static enum err add(
        const struct add_request *request, const struct verb_app *app, struct diag *diag)
{
    struct content content;
    struct ruleset *set = NULL;
    content_init(&content);
    enum err e = packs_read_source(request->source, app, &content, diag);
    if (e != OK) {
        struct diag why = *diag;
        diag_say(diag, e, "%s: %s", request->source, why.words);
    }
    e = e == OK ? packs_ruleset(&content, slice_text(request->name), &set, diag) : e;
    if (e == OK && set->rule_count == 0) {
        e = diag_say(diag, ERR_NOT_FOUND, "%s: none of %zu files is a rule that loads",
                request->source, content.count);
    }
    e = e == OK ? add_new(request, &content, diag) : e;
    if (e == OK) {
        say_added(request, &content, set);
    }
    ruleset_free(set);
    content_fini(&content);
    return e;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct add_request request = {0};
    struct diag diag = {0};
    char name[STORE_NAME_BYTES + 1];
    enum err e = parse(&request, argc, argv, &diag);
    if (e == OK && packs_source_path(request.source, request.real, &diag) != OK) {
        verb_say("%s: %s", request.source, diag.words);
        return VERB_SOME;
    }
    if (e == OK && !request.name) {
        name_from(request.real, name);
        request.name = name;
    }
    if (e == OK && !store_name_valid(slice_text(request.name))) {
        e = diag_say(&diag, ERR_USAGE,
                "--name: '%.80s' is none: letters, digits, - _ and ., at most %d", request.name,
                STORE_NAME_BYTES);
    }
    if (e != OK) {
        return verb_usage(verb, diag.words);
    }
    if (add(&request, app, &diag) != OK) {
        verb_say("%s", diag.words);
        return VERB_SOME;
    }
    return VERB_DONE;
}

const struct verb rules_add_verb = {
        .name = "rules add",
        .about = "install a pack of rules, pinned by its digest",
        .arguments = "[--name NAME] [--data DIR] FILE|DIRECTORY|ARCHIVE",
        .options = options,
        .notes = "An archive is tar, tar.gz, tar.zst or zip; it is unpacked in a sealed process,\n"
                 "in memory; links in it are passed over, and a path that leads out of it refuses\n"
                 "it. Packs are kept in DIR, else $MERLON_DATA, else $XDG_DATA_HOME/merlon, else\n"
                 "~/.local/share/merlon. The verbs that take rules use the packs when none are\n"
                 "named. A pack that was changed on disk is not used, and named.\n",
        .examples = "  merlon rules add sigma-master.zip --name sigma\n"
                    "  merlon rules add ~/our-rules && merlon detect logs/\n",
        .run = run,
};
