#include "app/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/landing.h"
#include "app/look_run.h"
#include "app/pipeline.h"
#include "app/sandbox.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/time.h"
#include "cli/detect.h"
#include "cli/load.h"
#include "cli/look.h"

static atomic_bool interrupted;

static void interrupt(int signal)
{
    (void)signal;
    atomic_store(&interrupted, true);
}

/* The first interrupt ends the run cleanly, the second at once. */
const atomic_bool *run_catch_signals(void)
{
    struct sigaction end = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    return &interrupted;
}

/* All that one run owns. */
struct run_parts {
    struct loaded loaded;
    struct engine *engine;
    struct inputs *inputs;
    struct archive_feed *archive; /* NULL: the inputs are read; else it owns them */
    struct output *output;
    struct tally tally;
    struct report *report;
    struct landing landing;
    bool unwritten; /* the report */
    struct choice choice;
    struct correlated *correlated; /* NULL: no correlation is run */
};

static void free_parts(struct run_parts *parts)
{
    tally_fini(&parts->tally);
    report_free(parts->report);
    landing_close(&parts->landing);
    output_free(parts->output);
    if (parts->archive) {
        archive_feed_free(parts->archive);
    } else {
        inputs_free(parts->inputs);
    }
    engine_free(parts->engine);
    correlated_free(parts->correlated);
    choose_fini(&parts->choice);
    load_fini(&parts->loaded);
}

static enum err prepare_rules(
        const struct detect_request *request, struct run_parts *parts, struct diag *diag)
{
    TRY(load_rules(&request->load, &parts->loaded, diag));
    load_say_problems(parts->loaded.set);
    TRY(choose_rules(request, parts->loaded.set, &parts->choice, diag));
    for (size_t i = 0; i < request->excluded.count; i++) {
        if (!parts->choice.named[i]) {
            verb_say("--exclude-rule: no rule has the id, title or file '%s'",
                    request->excluded.at[i]);
        }
    }
    if (parts->loaded.set->rule_count == 0) {
        return diag_say(diag, ERR_NOT_FOUND, "no rule to judge by");
    }
    if (parts->choice.kept == 0) {
        verb_say("no rule is left: --level and --exclude-rule leave all out");
    }
    struct engine_options options = {.any_source = request->any_source,
            .no_value_cache = request->no_value_cache,
            .excluded = parts->choice.excluded};
    return engine_new(parts->loaded.set, parts->loaded.taxonomy, &options, &parts->engine, diag);
}

static enum err prepare_inputs(
        const struct detect_request *request, struct run_parts *parts, struct diag *diag)
{
    if (!request->archive) {
        return look_inputs(&request->inputs, &parts->inputs, diag);
    }
    TRY(archive_feed_open(request->archive, &parts->archive, diag));
    parts->inputs = parts->archive->inputs;
    return OK;
}

unsigned run_columns(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO)) {
        return 0;
    }
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
}

static enum err prepare_output(
        const struct detect_request *request, struct run_parts *parts, struct diag *diag)
{
    const char *no_color = getenv("NO_COLOR");
    struct output_setting setting = {
            .set = parts->loaded.set, .backtest = request->backtest, .columns = run_columns()};
    setting.colours = setting.columns > 0 && (!no_color || !*no_color);
    if (output_new(request->format, &setting, &parts->output) != OK ||
            tally_init(&parts->tally, parts->loaded.set) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for the output");
    }
    if (!request->html) {
        return OK;
    }
    const struct report_scope scope = {.level = request->level,
            .excluded = request->excluded.count,
            .any_source = request->any_source,
            .has_from = request->has_from,
            .has_to = request->has_to,
            .from_ns = request->from_ns,
            .to_ns = request->to_ns};
    if (report_new(parts->loaded.set, &scope, &parts->report) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory for the report");
    }
    return landing_open(&parts->landing, request->html, diag);
}

/* Its temporary files are opened before the process is sealed. */
static enum err prepare_correlations(
        const struct detect_request *request, struct run_parts *parts, struct diag *diag)
{
    const struct correlated_setting setting = {.set = parts->loaded.set,
            .choice = &parts->choice,
            .output = parts->output,
            .inputs = parts->inputs,
            .report = parts->report,
            .every = request->fire_every,
            .quiet = request->quiet,
            .state_limit = request->state_limit,
            .memory = request->sort_memory};
    return parts->choice.correlates ? correlated_open(&setting, &parts->correlated, diag) : OK;
}

static bool terminal_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) {
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "utf-8");
        }
    }
    return false;
}

static void fill_facts(const struct run_parts *parts, struct summary_facts *facts)
{
    const struct ruleset *set = parts->loaded.set;
    facts->unreadable += parts->inputs->problem_count;
    facts->links = parts->inputs->links;
    facts->rules_refused = set->problem_count;
    facts->utf8 = terminal_is_utf8();
    for (uint32_t r = 0; r < set->rule_count; r++) {
        bool routable = engine_routable(parts->engine, r, NULL);
        facts->rules += parts->choice.judged[r] && routable;
        facts->rules_unroutable += parts->choice.judged[r] && !routable;
        facts->rules_unseen += parts->choice.judged[r] && routable && !set->rules[r]->correlation &&
                               !engine_seen(parts->engine, r);
    }
}

/* To stdout when it is what was asked for, else to stderr. */
static void say_summary(
        const struct detect_request *request, struct run_parts *parts, struct summary_facts *facts)
{
    bool asked = strcmp(request->format->name, "summary") == 0;
    struct buf out = {0};
    if (request->quiet && !asked) {
        return;
    }
    if (request->quiet) {
        facts->elapsed_ns = 0;
    }
    summary_write(facts, &parts->tally, &out);
    if (fwrite(out.at ? out.at : "", 1, out.size, asked ? stdout : stderr) != out.size ||
            fflush(stdout) != 0) {
        verb_say("cannot write the summary");
        facts->unreadable++;
    }
    buf_fini(&out);
}

static void write_report(
        const struct detect_request *request, struct run_parts *parts, struct summary_facts *facts)
{
    struct diag diag = {0};
    struct buf page = {0};
    if (!parts->report) {
        return;
    }
    enum err e = report_write(parts->report, facts, &parts->tally, &page);
    if (e == OK) {
        e = landing_finish(&parts->landing, buf_slice(&page), &diag);
    }
    if (e != OK) {
        verb_say(
                "%s: %s", request->html, e == ERR_MEMORY ? "no memory for the report" : diag.words);
        parts->unwritten = true;
    }
    buf_fini(&page);
}

static bool all_read(const struct run_parts *parts, const struct pipeline *pipeline)
{
    const struct summary_facts *facts = &pipeline->facts;
    return facts->unreadable == 0 && facts->rejected == 0 && pipeline->failed == 0 &&
           !(parts->archive && parts->archive->archive.partial) && facts->rules_refused == 0 &&
           parts->loaded.unreadable == 0 && !parts->unwritten && !facts->interrupted;
}

static enum err seal_process(const struct run_parts *parts, struct diag *diag)
{
    return parts->archive ? sandbox_enter(SANDBOX_JUDGE,
                                    (const char *[]){parts->archive->archive.path, NULL},
                                    getenv("MERLON_SANDBOX_TEST"), diag)
                          : run_seal(parts->inputs, diag);
}

static int judge_inputs(const struct detect_request *request, struct run_parts *parts)
{
    struct diag diag = {0};
    struct pipeline pipeline = {.request = request,
            .inputs = parts->inputs,
            .archive = parts->archive,
            .engine = parts->engine,
            .output = parts->output,
            .tally = &parts->tally,
            .report = parts->report,
            .loaded = &parts->loaded,
            .choice = &parts->choice,
            .correlated = parts->correlated,
            .guard_terminal = isatty(STDOUT_FILENO) && strcmp(request->format->name, "table") != 0,
            .draw_progress = !request->quiet && isatty(STDERR_FILENO),
            .stop = &interrupted};
    enum err e = seal_process(parts, &diag);
    if (e != OK) {
        verb_say("cannot seal the process: %s", diag.words);
        return VERB_SOME;
    }
    e = pipeline_run(&pipeline, &diag);
    if (e != OK) {
        verb_say("%s%s", e == ERR_IO ? "output: " : "",
                diag.words[0] ? diag.words : "its reader went away; stopped");
        return VERB_SOME;
    }
    pipeline.facts.interrupted = atomic_load(&interrupted);
    if (request->events) {
        *request->events = pipeline.facts.events;
    }
    fill_facts(parts, &pipeline.facts);
    tally_finish(&parts->tally);
    write_report(request, parts, &pipeline.facts);
    say_summary(request, parts, &pipeline.facts);
    if (pipeline.facts.interrupted) {
        verb_say("interrupted");
    }
    return all_read(parts, &pipeline) ? VERB_DONE : VERB_SOME;
}

enum err run_look(struct look *look, struct diag *diag)
{
    look->now_ns = clock_wall_ns();
    look->stop = run_catch_signals();
    return look_run(look, diag);
}

enum err run_seal(struct inputs *inputs, struct diag *diag)
{
    return sandbox_seal(inputs, getenv("MERLON_SANDBOX_TEST"), diag);
}

int run_detect(const struct detect_request *request)
{
    struct run_parts parts = {.landing = LANDING_NONE};
    struct diag diag = {0};
    int code = VERB_SOME;
    (void)run_catch_signals();
    enum err e = prepare_rules(request, &parts, &diag);
    if (e == OK) {
        e = prepare_inputs(request, &parts, &diag);
    }
    if (e == OK) {
        e = prepare_output(request, &parts, &diag);
    }
    if (e == OK) {
        e = prepare_correlations(request, &parts, &diag);
    }
    if (e == OK) {
        code = judge_inputs(request, &parts);
    } else {
        verb_say("%s", diag.words);
    }
    free_parts(&parts);
    return code;
}
