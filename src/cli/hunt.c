#include "cli/hunt.h"

#include <string.h>
#include <unistd.h>

#define STATE_BYTES_MOST ((unsigned long)1 << 40)
#define STATE_BYTES ((size_t)1 << 30)

enum { RULE, NEAR, IOC, CONFIG, OUTPUT, STATE_LIMIT, QUIET, INPUT };

static const struct option_row options[] = {
        [RULE] = {"rule", 0, "PATH", "find what these Sigma rules do; may be repeated"},
        [NEAR] = {"near", 0, NULL, "with --rule: what they miss in exactly one condition"},
        [IOC] = {"ioc", 0, "FILE", "find these indicators; may be repeated"},
        [CONFIG] = {"config", 'c', "FILE",
                "of the centre whose log rules judge: its exceptions, how late events come"},
        [OUTPUT] = {"output", 'o', "HOW", "table, json or csv"},
        [STATE_LIMIT] = {"state-limit", 0, "SIZE", "memory that each stage may keep (1G)"},
        [QUIET] = {"quiet", 'q', NULL, "no progress and no summary"},
        HUNT_INPUT_ROWS,
        {0},
};

enum err hunt_take_form(struct hunt_request *request, const char *value, struct diag *diag)
{
    static const char *const names[] = {
            [HUNT_TABLE] = "table", [HUNT_JSON] = "json", [HUNT_CSV] = "csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(value, names[i]) == 0) {
            request->form = (enum hunt_form)i;
            request->format = output_find(value);
            return OK;
        }
    }
    return diag_say(diag, ERR_USAGE, "--output: '%.80s' is no table, json or csv", value);
}

enum err hunt_take_state(struct hunt_request *request, const char *value, struct diag *diag)
{
    unsigned long bytes;
    if (!option_bytes(value, STATE_BYTES_MOST, &bytes)) {
        return diag_say(diag, ERR_USAGE,
                "--state-limit: '%.80s' is no size up to 1024G; write 64M, 2G", value);
    }
    request->state_limit = bytes;
    return OK;
}

static enum err take(struct hunt_request *request, int option, const char *value, struct diag *diag)
{
    switch (option) {
    case OPTION_ARGUMENT:
        return words_add(&request->input.paths, value);
    case OPTION_WRONG:
        return ERR_USAGE;
    case RULE:
        return words_add(&request->rules, value);
    case NEAR:
        request->near = true;
        return OK;
    case IOC:
        return words_add(&request->iocs, value);
    case CONFIG:
        request->config = value;
        return OK;
    case OUTPUT:
        return hunt_take_form(request, value, diag);
    case STATE_LIMIT:
        return hunt_take_state(request, value, diag);
    case QUIET:
        request->quiet = true;
        return OK;
    default:
        return hunt_input_take(&request->input, option - INPUT, value, diag);
    }
}

/* The first argument, unless rules or indicators are named. */
static enum err take_query(struct hunt_request *request, struct diag *diag)
{
    request->query = words_take_first(&request->input.paths);
    return request->query ? OK : diag_say(diag, ERR_USAGE, "no query, no --rule, and no --ioc");
}

static enum err parse(struct hunt_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        TRY(take(request, option, value, diag));
    }
    if (request->rules.count > 0 && request->iocs.count > 0) {
        return diag_say(diag, ERR_USAGE, "--rule and --ioc are hunts of their own");
    }
    if (request->rules.count == 0 && request->iocs.count == 0) {
        TRY(take_query(request, diag));
    }
    if (request->near && request->rules.count == 0) {
        return diag_say(diag, ERR_USAGE, "--near is of rules: name some with --rule");
    }
    if (request->config && (request->near || request->rules.count == 0 ||
                                   request->input.paths.count > 0 || request->input.archive)) {
        return diag_say(diag, ERR_USAGE, "--config is of rules over a centre's log");
    }
    return hunt_input_check(&request->input, diag);
}

struct hunt_request hunt_defaults(void)
{
    bool terminal = isatty(STDOUT_FILENO);
    return (struct hunt_request){.input = HUNT_INPUT_ALL,
            .state_limit = STATE_BYTES,
            .form = terminal ? HUNT_TABLE : HUNT_JSON,
            .format = output_find(terminal ? "table" : "json")};
}

int hunt_start(struct hunt_request *request, const struct hunt_start *start, enum err parsed,
        const struct diag *diag)
{
    int code = VERB_SOME;
    if (parsed == ERR_USAGE) {
        code = verb_usage(start->verb, diag->words);
    } else if (parsed != OK) {
        verb_say("%s", diag->words[0] ? diag->words : err_name(parsed));
    } else {
        code = start->app->hunt(request);
    }
    words_fini(&request->rules);
    words_fini(&request->iocs);
    words_fini(&request->input.paths);
    words_fini(&request->input.taxonomies);
    return code;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct hunt_request request = hunt_defaults();
    const struct hunt_start start = {verb, app};
    struct diag diag = {0};
    enum err e = parse(&request, argc, argv, &diag);
    return hunt_start(&request, &start, e, &diag);
}

const struct verb hunt_verb = {.name = "hunt",
        .about = "search events, count and compare what they hold",
        .arguments = "[OPTION]... QUERY|--rule PATH|--ioc FILE [INPUT]...",
        .options = options,
        .notes =
                "QUERY is a Sigma selection, and stages behind it that make a table "
                "(doc/hunt.md):\n"
                "where, since, until, fields, count, stack, top, rare, distinct, timechart, sort,\n"
                "head, first, last, firstseen, beacon, join.\n"
                "With --rule, Sigma rules and correlations are what is looked for, by the code\n"
                "that judges live: a log by its times of receipt, files as `merlon detect` does.\n"
                "With --ioc, indicators: addresses, domains, URLs, hashes, e-mail and accounts.\n"
                "INPUT is what `merlon detect` takes. Without one, what a centre has stored is\n"
                "searched, whether it runs or not, as far as it was stored when the hunt began;\n"
                "or with --archive the sealed files of old logs; --tenant, --from and --to are of\n"
                "these, and a time is one of receipt.\n"
                "Output is a table on a terminal and JSON lines otherwise. What was left out is\n"
                "said, and the exit code is 1 then.\n",
        .examples =
                "  merlon hunt \"CommandLine|contains: ' -enc ' | stack CommandLine by Computer\" "
                "logs\n"
                "  merlon hunt --tenant sg/health 'EventID: 4625 | count by IpAddress | top 20'\n"
                "  merlon hunt --rule new-rules/ --from 2026-11-01\n"
                "  merlon hunt --ioc feed.txt logs\n"
                "  merlon hunt 'EventID: 4624 | join on IpAddress (EventID: 4625)' -o csv logs\n",
        .run = run};
