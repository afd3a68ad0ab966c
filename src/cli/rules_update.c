#include "cli/rules_update.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/time.h"
#include "cli/pack_diff.h"
#include "cli/packs.h"
#include "cli/words.h"

enum { FROM, DRY_RUN, DATA };
enum { NAMES_MEMORY = 1 << 20 };

static const struct option_row options[] = {
        [FROM] = {"from", 0, "SOURCE", "take it from here, now and later"},
        [DRY_RUN] = {"dry-run", 'n', NULL, "only show what would change"},
        [DATA] = {"data", 0, "DIR", "where packs are kept"},
        {0},
};

struct update_request {
    struct words names;
    const char *from;
    const char *data;
    bool dry_run;
};

static enum err parse(
        struct update_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            TRY(words_add(&request->names, value));
            break;
        case FROM:
            request->from = value;
            break;
        case DRY_RUN:
            request->dry_run = true;
            break;
        default:
            request->data = value;
        }
    }
    if (request->from && request->names.count != 1) {
        return diag_say(diag, ERR_USAGE, "--from goes with the name of one pack");
    }
    return OK;
}

/* One pack's two states. */
struct update {
    const struct update_request *request;
    const struct verb_app *app;
    struct store *store;
    struct store_pack pack;
    struct content old;
    struct content new;
};

static enum err put(struct update *u, struct diag *diag)
{
    struct buf now = {0};
    time_format(&now, clock_wall_ns() / TIME_SECOND * TIME_SECOND);
    u->pack.added = buf_slice(&now);
    enum err e = store_put(u->store, &u->pack, &u->new, diag);
    buf_fini(&now);
    return e;
}

static enum err change(struct update *u, const char *name, struct diag *diag)
{
    char real[PATH_MAX];
    TRY(store_get(u->store, STORE_NOW(name), &u->pack, &u->old, diag));
    const char *source = u->request->from ? u->request->from : u->pack.source.at;
    enum err e = packs_source_path(source, real, diag);
    e = e == OK ? packs_read_source(real, u->app, &u->new, diag) : e;
    if (e != OK) {
        struct diag why = *diag;
        return diag_say(diag, e, "pack %s: %s: %s", name, source, why.words);
    }
    if (memcmp(u->old.digest, u->new.digest, sizeof u->old.digest) == 0) {
        printf("%s: as it is, digest %s\n", name, u->new.digest);
        return OK;
    }
    TRY(pack_diff_show(&u->old, &u->new, slice_text(name), false, diag));
    u->pack.source = slice_text(real);
    if (!u->request->dry_run) {
        TRY(put(u, diag));
    }
    printf("%s: %s %s, digest %s\n", name, u->request->dry_run ? "would be" : "now", "updated",
            u->new.digest);
    return OK;
}

static enum err update_one(struct update *u, const char *name, struct diag *diag)
{
    content_init(&u->old);
    content_init(&u->new);
    enum err e = change(u, name, diag);
    content_fini(&u->old);
    content_fini(&u->new);
    return e;
}

/* All that can be updated are; the others are named. */
static int update_all(struct update *u, const char *const *names, size_t count)
{
    int code = VERB_DONE;
    for (size_t i = 0; i < count; i++) {
        struct diag diag = {0};
        if (update_one(u, names[i], &diag) != OK) {
            verb_say("%s", diag.words);
            code = VERB_SOME;
        }
    }
    return code;
}

static int update(struct update *u, struct diag *diag)
{
    struct buf dir = {0};
    struct arena arena;
    struct slice *names = NULL;
    struct words all = {0};
    size_t count = 0;
    int code = VERB_SOME;
    arena_init(&arena, NAMES_MEMORY);
    enum err e = packs_folder(u->request->data, &dir, diag);
    e = e == OK ? store_open(u->store, dir.at, STORE_WRITE, diag) : e;
    e = e == OK ? store_list(u->store, &arena, &names, &count, diag) : e;
    for (size_t i = 0; i < count && e == OK; i++) {
        e = words_add(&all, names[i].at);
    }
    if (e == OK && u->request->names.count == 0 && count == 0) {
        e = diag_say(diag, ERR_NOT_FOUND, "no pack is installed in %s", dir.at);
    }
    const struct words *asked = u->request->names.count > 0 ? &u->request->names : &all;
    if (e != OK) {
        verb_say("%s", diag->words);
    } else {
        code = update_all(u, asked->at, asked->count);
    }
    store_close(u->store);
    words_fini(&all);
    arena_fini(&arena);
    buf_fini(&dir);
    return code;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct update_request request = {0};
    struct store store = {-1, -1};
    struct update u = {.request = &request, .app = app, .store = &store};
    struct diag diag = {0};
    int code = VERB_USAGE;
    if (parse(&request, argc, argv, &diag) == OK) {
        code = update(&u, &diag);
    } else {
        verb_usage(verb, diag.words);
    }
    words_fini(&request.names);
    return code;
}

const struct verb rules_update_verb = {
        .name = "rules update",
        .about = "read packs from where they came from again, and show what changed",
        .arguments = "[--dry-run] [--from SOURCE] [--data DIR] [NAME]...",
        .options = options,
        .notes =
                "Without NAME all packs. The source is the path that rules add was given, or\n"
                "SOURCE. What changed is shown as rules diff shows it, and the pack takes its new\n"
                "state at once and whole; the state before is kept for rules diff. Nothing is\n"
                "fetched from a network.\n",
        .examples = "  merlon rules update --dry-run\n"
                    "  merlon rules update sigma --from sigma-2026-12.zip\n",
        .run = run,
};
