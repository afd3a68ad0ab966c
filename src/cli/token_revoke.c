#include "cli/token_revoke.h"

#include <string.h>

#include "cli/token_store.h"
#include "cli/words.h"

enum { DATA };
enum { ID_DIGITS = 16 };

static const struct option_row options[] = {
        [DATA] = {"data", 0, "DIR",
                "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},
        {0},
};

/* Somebody may give a token's text in place of its id: what was given is not repeated before it
 * looks like an id. */
static enum err check_id(const char *id, struct diag *diag)
{
    return strlen(id) == ID_DIGITS && strspn(id, "0123456789abcdef") == ID_DIGITS
                   ? OK
                   : diag_say(diag, ERR_USAGE,
                             "an id of %d hex digits is expected (merlon token list has them)",
                             ID_DIGITS);
}

static enum err parse(
        const char **data, struct words *ids, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        if (option == OPTION_WRONG) {
            return ERR_USAGE;
        }
        if (option == DATA) {
            *data = value;
            continue;
        }
        TRY(check_id(value, diag));
        if (words_add(ids, value) != OK) {
            return diag_say(diag, ERR_MEMORY, "no memory");
        }
    }
    return ids->count > 0 ? OK : diag_say(diag, ERR_USAGE, "name the id of a token");
}

static enum err revoke(const char *data, const struct words *ids, struct diag *diag)
{
    struct token_store store;
    size_t missing = 0;
    TRY(token_store_open(&store, data, TOKEN_STORE_WRITE, diag));
    for (size_t i = 0; i < ids->count; i++) {
        if (tokens_revoke(store.tokens, slice_text(ids->at[i]), store.now_ns) != OK) {
            missing++;
            verb_say("token revoke: there is no token %s", ids->at[i]);
        }
    }
    enum err e = missing < ids->count ? token_store_save(&store, diag) : OK;
    token_store_close(&store);
    return e == OK && missing ? ERR_NOT_FOUND : e;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    const char *data = NULL;
    struct words ids = {0};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    int code = VERB_DONE;
    enum err e = parse(&data, &ids, &scan, &diag);
    if (e == ERR_USAGE) {
        code = verb_usage(verb, diag.words);
    } else if (e != OK || (e = revoke(data, &ids, &diag)) != OK) {
        if (e != ERR_NOT_FOUND) {
            verb_say("token revoke: %s", diag.words);
        }
        code = VERB_SOME;
    }
    words_fini(&ids);
    return code;
}

const struct verb token_revoke_verb = {.name = "token revoke",
        .about = "make tokens worthless from now on",
        .arguments = "[--data DIR] ID...",
        .options = options,
        .notes =
                "A centre that runs refuses them within a second. They stay in the list. One that\n"
                "was revoked before stays so since then.\n",
        .examples = "  merlon token revoke 4be0a1c95d27f388\n",
        .run = run};
