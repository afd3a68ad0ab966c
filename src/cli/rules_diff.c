#include "cli/rules_diff.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/pack_diff.h"
#include "cli/packs.h"

enum { OUTPUT, DATA };

static const struct option_row options[] = {
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line a change)"},
        [DATA] = {"data", 0, "DIR", "where packs are kept"},
        {0},
};

struct diff_request {
    const char *sides[2];
    size_t count;
    const char *data;
    bool json;
};

static enum err parse(struct diff_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            if (request->count == 2) {
                return diag_say(diag, ERR_USAGE, "two states, no more: '%.80s'", value);
            }
            request->sides[request->count++] = value;
            break;
        case DATA:
            request->data = value;
            break;
        default:
            TRY(option_json(value, &request->json, diag));
        }
    }
    return request->count > 0 ? OK : diag_say(diag, ERR_USAGE, "name a pack, or two states");
}

/* A pack where one of the name is installed, else a path. `previous`: the pack's state before its
 * last update. */
static enum err read_side(struct store *store, const char *side, bool previous,
        const struct verb_app *app, struct content *content)
{
    struct store_pack pack;
    struct diag diag = {0};
    enum err e = store_get(store, (struct store_state){side, previous}, &pack, content, &diag);
    struct stat there;
    if (e == ERR_NOT_FOUND && !previous && stat(side, &there) == 0) {
        e = packs_read_source(side, app, content, &diag);
    }
    if (e != OK) {
        verb_say("%s%s%s", e == ERR_NOT_FOUND ? "" : side, e == ERR_NOT_FOUND ? "" : ": ",
                diag.words);
    }
    return e;
}

static int diff(const struct diff_request *request, const struct verb_app *app, struct diag *diag)
{
    struct store store = {-1, -1};
    struct buf dir = {0};
    struct content before, after;
    content_init(&before);
    content_init(&after);
    enum err e = packs_folder(request->data, &dir, diag);
    e = e == OK ? store_open(&store, dir.at, STORE_READ, diag) : e;
    if (e != OK) {
        verb_say("%s", diag->words);
    } else if (request->count == 1) {
        e = read_side(&store, request->sides[0], true, app, &before);
        e = e == OK ? read_side(&store, request->sides[0], false, app, &after) : e;
    } else {
        e = read_side(&store, request->sides[0], false, app, &before);
        e = e == OK ? read_side(&store, request->sides[1], false, app, &after) : e;
    }
    if (e == OK) {
        struct slice name = request->count == 1 ? slice_text(request->sides[0]) : SLICE("");
        e = pack_diff_show(&before, &after, name, request->json, diag);
        if (e != OK) {
            verb_say("%s", diag->words);
        }
    }
    store_close(&store);
    content_fini(&before);
    content_fini(&after);
    buf_fini(&dir);
    return e == OK ? VERB_DONE : VERB_SOME;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct diff_request request = {0};
    struct diag diag = {0};
    if (parse(&request, argc, argv, &diag) != OK) {
        return verb_usage(verb, diag.words);
    }
    return diff(&request, app, &diag);
}

const struct verb rules_diff_verb = {
        .name = "rules diff",
        .about = "show what changed between two states of rules",
        .arguments = "[-o HOW] [--data DIR] PACK | BEFORE AFTER",
        .options = options,
        .notes =
                "PACK: what its last update changed. BEFORE and AFTER are each an installed pack\n"
                "or else a file, a folder or an archive. A rule is the same one where its id is;\n"
                "shown are rules added, removed, changed (meaning: condition or logsource; level,\n"
                "title, status) and renamed (only the file is another).\n",
        .examples = "  merlon rules diff sigma\n"
                    "  merlon rules diff sigma ~/Downloads/sigma-2026-12.zip\n"
                    "  merlon rules diff -o json old/ new/ | jq -r 'select(.change==\"added\")'\n",
        .run = run,
};
