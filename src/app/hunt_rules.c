#include "app/hunt_rules.h"

#include <stdio.h>

#include "app/replay.h"
#include "app/run.h"
#include "base/time.h"
#include "cli/backtest.h"
#include "cli/detect.h"
#include "cli/figures.h"
#include "cli/load.h"

enum { DATE = 10 }; /* of RFC 3339 */

/* Or an archive. */
static int hunt_files(const struct hunt_request *request, struct backtest *b)
{
    const struct hunt_input *input = &request->input;
    struct detect_request detect = detect_defaults();
    detect.load.rules = request->rules;
    detect.load.taxonomies = input->taxonomies;
    detect.inputs = input->paths;
    detect.archive = input->archive ? input : NULL;
    detect.format = b ? &backtest_format : request->format;
    detect.backtest = b;
    detect.jobs = b ? 1 : detect.jobs;
    detect.decoder = input->decoder;
    detect.limits = input->limits;
    detect.state_limit = request->state_limit;
    detect.quiet = b || request->quiet;
    return run_detect(&detect);
}

/* ---- what was searched -------------------------------------------------------------------------
 */

static void add_count(struct buf *out, uint64_t n, const char *one, const char *many)
{
    figures_count(out, n);
    buf_format(out, " %s", n == 1 ? one : many);
}

static void add_date(struct buf *out, int64_t ns)
{
    size_t start = out->size;
    time_format(out, ns);
    out->size = out->size > start + DATE ? start + DATE : out->size;
}

/* One line: how complete the search was. */
static void say_searched(const struct replay_facts *facts)
{
    struct buf out = {0};
    buf_add(&out, SLICE("searched "));
    add_count(&out, facts->records, "record", "records");
    if (facts->records > 0) {
        buf_add(&out, SLICE(", received from "));
        add_date(&out, facts->first_ns);
        buf_add(&out, SLICE(" to "));
        add_date(&out, facts->last_ns);
    }
    buf_add(&out, SLICE(", by "));
    add_count(&out, facts->rules, "rule: ", "rules: ");
    add_count(&out, facts->findings, "finding", "findings");
    verb_say("%.*s", SLICE_ARG(buf_slice(&out)));
    buf_fini(&out);
}

/* Why there may be more; true: something was said. */
static bool say_left_out(const struct replay_facts *facts)
{
    const struct {
        uint64_t count;
        const char *words;
    } lines[] = {
            {facts->damaged, "damaged stretches of the log, named above"},
            {facts->unread, "records not searched, in quarantine or unreadable"},
            {facts->undetermined, "evaluations of a rule that a limit stopped"},
            {facts->late, "matches too late for their correlation"},
            {facts->left_out, "matches and groups of correlations that a limit left out"},
            {facts->refused, "rules refused, named above"},
    };
    bool some = false;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (lines[i].count > 0) {
            struct buf out = {0};
            figures_count(&out, lines[i].count);
            verb_say("not complete: %s: %.*s", lines[i].words, SLICE_ARG(buf_slice(&out)));
            buf_fini(&out);
            some = true;
        }
    }
    return some;
}

static int hunt_log(const struct hunt_request *request, struct backtest *b)
{
    const struct hunt_input *input = &request->input;
    struct replay_facts facts = {0};
    const struct replay_request replay = {.config = request->config,
            .data = input->data,
            .rules = request->rules,
            .from = input->from,
            .to = input->to,
            .taxonomies = input->taxonomies,
            .tenant = input->tenant,
            .format = b ? &backtest_format : request->format,
            .backtest = b,
            .columns = run_columns(),
            .facts = &facts};
    int code = replay_run(&replay);
    if (!request->quiet) {
        say_searched(&facts);
    }
    return say_left_out(&facts) ? VERB_SOME : code;
}

static int hunt_either(const struct hunt_request *request, struct backtest *b)
{
    bool files = request->input.paths.count > 0 || request->input.archive;
    return files ? hunt_files(request, b) : hunt_log(request, b);
}

static int run_backtest(const struct hunt_request *request)
{
    struct backtest backtest;
    struct hunt_rows rows = {.form = request->form, .terminal = run_columns()};
    struct diag diag = {0};
    backtest_init(&backtest, request->state_limit);
    enum err e = backtest_begin(&backtest, &rows, &diag);
    int code = e == OK ? hunt_either(request, &backtest) : VERB_SOME;
    e = e == OK ? backtest_end(&backtest, &rows, &diag) : e;
    if (e != OK) {
        verb_say("%s", diag.words[0] ? diag.words : err_name(e));
        code = VERB_SOME;
    }
    hunt_rows_fini(&rows);
    backtest_fini(&backtest);
    return code;
}

int hunt_rules_run(const struct hunt_request *request)
{
    return request->backtest ? run_backtest(request) : hunt_either(request, NULL);
}
