#include "cli/replay.h"

#include "base/time.h"

enum { CONFIG, DATA, FROM, RULES, TO };

static const struct option_row options[] = {
        [CONFIG] = {"config", 'c', "FILE", "configuration of the centre (YAML)"},
        [DATA] = {"data", 0, "DIR",
                "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},
        [FROM] = {"from", 0, "PLACE", "records from this offset on, or received since this time"},
        [RULES] = {"rules", 'r', "PATH", "rules to judge by; may be repeated (the log's own)"},
        [TO] = {"to", 0, "PLACE", "records before this offset, or received before this time"},
        {0},
};

enum err replay_take_place(
        const char *value, const char *name, struct replay_place *out, struct diag *diag)
{
    long n;
    *out = (struct replay_place){0};
    if (option_number(value, 0, INT64_MAX, &n)) {
        out->offset = (uint64_t)n;
        return OK;
    }
    out->timed = true;
    return time_parse(slice_text(value), &out->ns)
                   ? OK
                   : diag_say(diag, ERR_USAGE, "--%s: '%.80s' is no offset and no time", name,
                             value);
}

static enum err take(
        struct replay_request *request, int option, const char *value, struct diag *diag)
{
    switch (option) {
    case CONFIG:
        request->config = value;
        return OK;
    case DATA:
        request->data = value;
        return OK;
    case FROM:
        return replay_take_place(value, "from", &request->from, diag);
    case TO:
        return replay_take_place(value, "to", &request->to, diag);
    case RULES:
        return words_add(&request->rules, value);
    case OPTION_ARGUMENT:
        return diag_say(diag, ERR_USAGE, "takes no argument: '%.80s'", value);
    default:
        return ERR_USAGE;
    }
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct replay_request request = {.to.offset = UINT64_MAX};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    const char *value;
    int option, code;
    enum err e = OK;
    while (e == OK && (option = option_next(&scan, &value, &diag)) != OPTION_END) {
        e = take(&request, option, value, &diag);
    }
    if (e == ERR_USAGE) {
        code = verb_usage(verb, diag.words);
    } else if (e != OK) {
        verb_say("%s", err_name(e));
        code = VERB_SOME;
    } else {
        code = app->replay(&request);
    }
    words_fini(&request.rules);
    return code;
}

const struct verb replay_verb = {.name = "replay",
        .about = "judge again what a centre has stored",
        .arguments = "[-c FILE] [--data DIR] [--from PLACE] [--to PLACE] [-r RULES]...",
        .options = options,
        .notes = "Findings are written as JSON lines, in the order of `merlon findings`. The same "
                 "log, rules\n"
                 "and version give the same bytes. Reads the directory of `merlon serve`, whether "
                 "it runs\n"
                 "or not. A time is one of receipt: 2026-11-22T10:00:00Z.\n",
        .examples =
                "  merlon replay --data /var/lib/merlon --from 2026-11-22T00:00:00Z -r new-rules/\n"
                "  merlon replay --from 4711 --to 4712\n",
        .run = run};
