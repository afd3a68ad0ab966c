#include "cli/serve.h"

enum { CONFIG, DATA, RULES };

static const struct option_row options[] = {
        [CONFIG] = {"config", 'c', "FILE", "configuration (YAML); without one: inputs on loopback"},
        [DATA] = {"data", 0, "DIR", "where everything is kept (MERLON_DATA, or ./merlon-data)"},
        [RULES] = {"rules", 'r', "PATH", "rules to judge by; may be repeated (installed packs)"},
        {0},
};

static enum err parse(struct serve_request *request, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            return diag_say(diag, ERR_USAGE, "takes no argument: '%.80s'", value);
        case CONFIG:
            request->config = value;
            break;
        case DATA:
            request->data = value;
            break;
        default:
            TRY(words_add(&request->rules, value));
        }
    }
    return OK;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct serve_request request = {0};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    int code;
    enum err e = parse(&request, &scan, &diag);
    if (e == ERR_USAGE) {
        code = verb_usage(verb, diag.words);
    } else if (e != OK) {
        verb_say("%s", err_name(e));
        code = VERB_SOME;
    } else {
        code = app->serve(&request);
    }
    words_fini(&request.rules);
    return code;
}

const struct verb serve_verb = {.name = "serve",
        .about = "take logs in, keep them, and judge them as they arrive",
        .arguments = "[-c FILE] [--data DIR] [-r RULES]...",
        .options = options,
        .notes = "What is acknowledged is on disk. Ends on SIGTERM; what it had then is kept.\n",
        .examples = "  merlon serve -r rules/\n"
                    "  merlon serve -c /etc/merlon/serve.yml\n",
        .run = run};
