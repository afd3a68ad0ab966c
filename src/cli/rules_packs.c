#include "cli/rules_packs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/packs.h"
#include "cli/rules_walk.h"
#include "cli/visible.h"

enum { OUTPUT, DATA };
enum { NAMES_MEMORY = 1 << 20 };

static const struct option_row options[] = {
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line a pack)"},
        [DATA] = {"data", 0, "DIR", "where packs are kept"},
        {0},
};

struct packs_request {
    const char *data;
    bool json;
};

static enum err parse(struct packs_request *request, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            return diag_say(diag, ERR_USAGE, "takes no argument: '%.80s'", value);
        case DATA:
            request->data = value;
            break;
        default:
            TRY(option_json(value, &request->json, diag));
        }
    }
    return OK;
}

static void write_json(const struct store_pack *pack, const struct content *content,
        const struct ruleset *set, struct buf *out)
{
    buf_byte(out, '{');
    rules_walk_member(out, "name", pack->name);
    buf_byte(out, ',');
    rules_walk_member(out, "digest", slice_text(pack->digest));
    buf_byte(out, ',');
    rules_walk_member(out, "source", pack->source);
    buf_byte(out, ',');
    rules_walk_member(out, "added", pack->added);
    buf_format(out, ",\"rules\":%u,\"refused\":%u,\"files\":%zu,\"previous\":%s}\n",
            set->rule_count, set->problem_count, content->count, pack->previous ? "true" : "false");
}

static void write_text(const struct store_pack *pack, const struct content *content,
        const struct ruleset *set, struct buf *out)
{
    (void)content;
    visible_add(out, pack->name, VISIBLE_ANY);
    buf_format(out, "  %u rules", set->rule_count);
    if (set->problem_count > 0) {
        buf_format(out, " (%u refused)", set->problem_count);
    }
    buf_format(out, "  %s  ", pack->digest);
    visible_add(out, pack->added, VISIBLE_ANY);
    buf_add(out, SLICE("  "));
    visible_add(out, pack->source, VISIBLE_ANY);
    buf_byte(out, '\n');
}

static enum err show_one(struct store *store, const struct packs_request *request, const char *name,
        struct diag *diag)
{
    struct store_pack pack;
    struct content content;
    struct ruleset *set = NULL;
    struct buf out = {0}, shown = {0};
    content_init(&content);
    enum err e = store_get(store, STORE_NOW(name), &pack, &content, diag);
    e = e == OK ? packs_ruleset(&content, pack.name, &set, diag) : e;
    if (e == OK) {
        (request->json ? write_json : write_text)(&pack, &content, set, &out);
        visible_lines(&shown, buf_slice(&out));
        const struct buf *text = isatty(STDOUT_FILENO) ? &shown : &out;
        e = out.failed || shown.failed ? diag_say(diag, ERR_MEMORY, "no memory for the list") : OK;
        if (e == OK && fwrite(text->at, 1, text->size, stdout) != text->size) {
            e = diag_say(diag, ERR_IO, "cannot write the list");
        }
    }
    ruleset_free(set);
    content_fini(&content);
    buf_fini(&out);
    buf_fini(&shown);
    return e;
}

static int list(const struct packs_request *request)
{
    struct store store = {-1, -1};
    struct buf dir = {0};
    struct arena arena;
    struct slice *names = NULL;
    struct diag diag = {0};
    size_t count = 0;
    int code = VERB_DONE;
    arena_init(&arena, NAMES_MEMORY);
    enum err e = packs_folder(request->data, &dir, &diag);
    e = e == OK ? store_open(&store, dir.at, STORE_READ, &diag) : e;
    e = e == OK ? store_list(&store, &arena, &names, &count, &diag) : e;
    if (e != OK) {
        verb_say("%s", diag.words);
        code = VERB_SOME;
    }
    for (size_t i = 0; i < count && e == OK; i++) {
        if (show_one(&store, request, names[i].at, &diag) != OK) {
            verb_say("%s", diag.words);
            code = VERB_SOME;
        }
    }
    store_close(&store);
    arena_fini(&arena);
    buf_fini(&dir);
    return fflush(stdout) == 0 ? code : VERB_SOME;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct packs_request request = {0};
    struct diag diag = {0};
    (void)app;
    return parse(&request, &scan, &diag) == OK ? list(&request) : verb_usage(verb, diag.words);
}

const struct verb rules_packs_verb = {
        .name = "rules packs",
        .about = "list installed packs of rules, verified against their digests",
        .arguments = "[-o HOW] [--data DIR]",
        .options = options,
        .examples = "  merlon rules packs\n",
        .run = run,
};
