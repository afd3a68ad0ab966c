#include "cli/rules_backtest.h"

#include "base/clock.h"
#include "base/time.h"
#include "cli/hunt.h"

enum { DAYS, CONFIG, OUTPUT, STATE_LIMIT, QUIET, INPUT };
enum { DAYS_MOST = 36500 };

static const struct option_row options[] = {
        [DAYS] = {"days", 0, "N", "of what is stored: what was received in the last N days"},
        [CONFIG] = {"config", 'c', "FILE",
                "of the centre whose log rules judge: its exceptions, how late events come"},
        [OUTPUT] = {"output", 'o', "HOW", "table, json or csv"},
        [STATE_LIMIT] = {"state-limit", 0, "SIZE", "memory for what is counted (1G)"},
        [QUIET] = {"quiet", 'q', NULL, "no line that says how much was searched"},
        HUNT_INPUT_ROWS,
        {0},
};

static enum err take_days(struct hunt_request *request, const char *value, struct diag *diag)
{
    long days;
    if (!option_number(value, 1, DAYS_MOST, &days)) {
        return diag_say(diag, ERR_USAGE, "--days: '%.80s' is no number of days", value);
    }
    request->input.from =
            (struct replay_place){.timed = true, .ns = clock_wall_ns() - days * TIME_DAY};
    request->input.of_stored = "days";
    return OK;
}

static enum err take(struct hunt_request *request, int option, const char *value, struct diag *diag)
{
    switch (option) {
    case OPTION_ARGUMENT:
        return words_add(
                request->rules.count == 0 ? &request->rules : &request->input.paths, value);
    case OPTION_WRONG:
        return ERR_USAGE;
    case DAYS:
        return take_days(request, value, diag);
    case CONFIG:
        request->config = value;
        request->input.of_log = "config";
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

static enum err parse(struct hunt_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        TRY(take(request, option, value, diag));
    }
    if (request->rules.count == 0) {
        return diag_say(diag, ERR_USAGE, "name a rule, or a folder of them");
    }
    return hunt_input_check(&request->input, diag);
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct hunt_request request = hunt_defaults();
    const struct hunt_start start = {verb, app};
    struct diag diag = {0};
    request.backtest = true;
    enum err e = parse(&request, argc, argv, &diag);
    return hunt_start(&request, &start, e, &diag);
}

const struct verb rules_backtest_verb = {.name = "rules backtest",
        .about = "how often a rule would have fired, where, at what cost",
        .arguments = "[OPTION]... RULE [INPUT]...",
        .options = options,
        .notes = "RULE is a file or a folder of Sigma rules. Without an INPUT, what a centre has\n"
                 "stored is judged, as `merlon hunt --rule` does it. A row for each rule: "
                 "findings,\n"
                 "days with findings (UTC), the busiest, hosts and those with most; how often the\n"
                 "condition was evaluated and held, and the CPU time of that in microseconds,\n"
                 "measured on every 64th event. Reading and decoding, which all rules share, are\n"
                 "not in it.\n",
        .examples = "  merlon rules backtest my-rule.yml --days 30\n"
                    "  merlon rules backtest sigma/rules/windows -o csv logs/\n",
        .run = run};
