#include "cli/rules_remove.h"

#include <stdio.h>

#include "cli/packs.h"
#include "cli/words.h"

enum { DATA };

static const struct option_row options[] = {
        [DATA] = {"data", 0, "DIR", "where packs are kept"},
        {0},
};

static enum err parse(
        struct words *names, const char **data, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        if (option == OPTION_WRONG) {
            return ERR_USAGE;
        }
        if (option == DATA) {
            *data = value;
        } else {
            TRY(words_add(names, value));
        }
    }
    return names->count > 0 ? OK : diag_say(diag, ERR_USAGE, "name a pack: see merlon rules packs");
}

static int remove_packs(const struct words *names, const char *data)
{
    struct store store = {-1, -1};
    struct buf dir = {0};
    struct diag diag = {0};
    int code = VERB_DONE;
    enum err e = packs_folder(data, &dir, &diag);
    e = e == OK ? store_open(&store, dir.at, STORE_WRITE, &diag) : e;
    if (e != OK) {
        verb_say("%s", diag.words);
        code = VERB_SOME;
    }
    for (size_t i = 0; i < names->count && e == OK; i++) {
        if (store_remove(&store, names->at[i], &diag) != OK) {
            verb_say("%s", diag.words);
            code = VERB_SOME;
        } else {
            printf("%s: removed\n", names->at[i]);
        }
    }
    store_close(&store);
    buf_fini(&dir);
    return fflush(stdout) == 0 ? code : VERB_SOME;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct words names = {0};
    const char *data = NULL;
    struct diag diag = {0};
    (void)app;
    int code = parse(&names, &data, &scan, &diag) == OK ? remove_packs(&names, data)
                                                        : verb_usage(verb, diag.words);
    words_fini(&names);
    return code;
}

const struct verb rules_remove_verb = {
        .name = "rules remove",
        .about = "remove installed packs of rules",
        .arguments = "[--data DIR] NAME...",
        .options = options,
        .examples = "  merlon rules remove sigma\n",
        .run = run,
};
