#include "cli/rules_check.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/detect.h"
#include "cli/formats.h"
#include "cli/look.h"
#include "cli/reach_words.h"
#include "cli/rules_walk.h"
#include "cli/visible.h"
#include "detect/engine.h"
#include "detect/reach_set.h"

enum { AGAINST, OUTPUT, FORMAT, ZONE, YEAR, PLACEHOLDERS, TAXONOMY, DATA, QUIET };

static const struct option_row options[] = {
        [AGAINST] = {"against", 0, "INPUT",
                "say whether each can fire on these logs; may be repeated"},
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line a rule)"},
        [FORMAT] = {"format", 0, "FORMAT", "take the logs for this format, not by content"},
        [ZONE] = {"zone", 0, "ZONE", "of syslog times that name none: +02:00, CET (UTC)"},
        [YEAR] = {"year", 0, "YEAR", "of syslog times that name none (by the file's own time)"},
        [PLACEHOLDERS] = {"placeholders", 0, "FILE", "values of the rules' %placeholders%"},
        [TAXONOMY] = {"taxonomy", 0, "FILE", "further logsources and fields; may be repeated"},
        [DATA] = {"data", 0, "DIR", "where installed packs of rules are kept"},
        [QUIET] = {"quiet", 'q', NULL, "only rules that are not loaded (cannot fire), no count"},
        {0},
};

struct check_request {
    struct look_request look; /* its inputs: --against */
    bool json;
    bool quiet;
};

/* A rule, or a document that is none. */
struct check_line {
    struct slice file;
    struct slice id;
    struct slice title;
    const char *status;
    uint32_t line;
    uint32_t column; /* 0: not known */
    struct slice reason;
    const struct rule *rule; /* NULL: none */
    struct reach reach;      /* with --against */
};

struct check_counts {
    size_t loaded;
    size_t unroutable;
    size_t refused;
    size_t can;    /* with --against: fire */
    size_t unseen; /* of a logsource of no event */
};

/* One run. */
struct checking {
    const struct check_request *request;
    struct engine *engine;
    const struct survey *survey;
    struct reach *reaches;   /* by rule number */
    struct reach_near *near; /* NULL: without --against */
    struct check_counts counts;
    struct diag reason;
    struct buf words;
    bool failed; /* no memory */
};

static enum err parse(struct check_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            TRY(words_add(&request->look.load.rules, value));
            break;
        case TAXONOMY:
            TRY(words_add(&request->look.load.taxonomies, value));
            break;
        case PLACEHOLDERS:
            request->look.load.placeholders = value;
            break;
        case AGAINST:
            TRY(words_add(&request->look.inputs, value));
            break;
        case FORMAT:
            request->look.decoder = formats_find(value);
            if (!request->look.decoder) {
                return diag_say(diag, ERR_USAGE, "--format: '%.80s' is none", value);
            }
            break;
        case ZONE:
            TRY(formats_zone(value, &request->look.limits, diag));
            break;
        case YEAR:
            TRY(formats_year(value, &request->look.limits, diag));
            break;
        case DATA:
            request->look.load.data = value;
            break;
        case QUIET:
            request->quiet = true;
            break;
        default:
            TRY(option_json(value, &request->json, diag));
        }
    }
    request->look.load.packs = true;
    return OK;
}

static void add_number(struct buf *out, const char *name, uint32_t number)
{
    if (number > 0) {
        buf_format(out, ",\"%s\":%u", name, number);
    } else {
        buf_format(out, ",\"%s\":null", name);
    }
}

static void write_json(const struct checking *c, const struct check_line *line, struct buf *out)
{
    buf_byte(out, '{');
    rules_walk_member(out, "file", line->file);
    buf_byte(out, ',');
    rules_walk_member(out, "id", line->id);
    buf_byte(out, ',');
    rules_walk_member(out, "status", slice_text(line->status));
    add_number(out, "line", line->line);
    add_number(out, "column", line->column);
    buf_byte(out, ',');
    rules_walk_member(out, "reason", line->reason);
    if (c->near && line->rule) {
        buf_byte(out, ',');
        reach_words_json(&line->reach, c->near, line->rule, out);
    } else if (c->near) {
        buf_add(out, SLICE(",\"verdict\":\"cannot\",\"why\":\"refused\",\"events\":0,"
                           "\"faults\":[]"));
    }
    buf_add(out, SLICE("}\n"));
}

static void write_text(const struct check_line *line, struct buf *out)
{
    buf_format(out, "%-10s  ", line->status);
    rules_walk_place(out, line->file, line->line, line->column);
    buf_add(out, SLICE("  "));
    visible_add(out, line->title, VISIBLE_ANY);
    if (line->reason.size > 0) {
        buf_add(out, line->title.size > 0 ? SLICE(": ") : SLICE(""));
        visible_add(out, line->reason, VISIBLE_ANY);
    }
    buf_byte(out, '\n');
}

/* The rule's verdict on what was read. */
static void judge_rule(struct checking *c, struct check_line *line)
{
    line->reach = c->reaches[line->rule->number];
    bool can = line->reach.why == REACH_CAN;
    c->counts.can += can;
    c->counts.unseen += line->reach.why == REACH_UNSEEN;
    buf_clear(&c->words);
    reach_words_text(&line->reach, c->near, line->rule, &c->words);
    c->failed |= c->words.failed;
    line->reason = buf_slice(&c->words);
    if (!c->request->json) {
        line->status = can ? "can fire" : "cannot";
    }
}

static void set_rule(struct checking *c, const struct rule *rule, struct check_line *line)
{
    *line = (struct check_line){.file = rule->file,
            .id = rule->id,
            .title = rule->title,
            .line = rule->line,
            .rule = rule,
            .status = "loaded"};
    c->reason = (struct diag){0};
    if (!engine_routable(c->engine, rule->number, &c->reason)) {
        line->status = "unroutable";
        line->reason = slice_text(c->reason.words);
        c->counts.unroutable++;
    } else {
        c->counts.loaded++;
    }
    if (c->near) {
        judge_rule(c, line);
    }
}

static void set_problem(
        struct checking *c, const struct ruleset_problem *p, struct check_line *line)
{
    *line = (struct check_line){.file = p->file,
            .id = p->id,
            .title = p->title,
            .status = "refused",
            .line = p->line,
            .column = p->column,
            .reason = p->reason};
    c->counts.refused++;
}

static void write_item(void *context, const struct rules_walk_item *item, struct buf *out)
{
    struct checking *c = context;
    struct check_line line;
    if (item->rule) {
        set_rule(c, item->rule, &line);
    } else {
        set_problem(c, item->problem, &line);
    }
    bool good =
            c->near ? line.rule && line.reach.why == REACH_CAN : strcmp(line.status, "loaded") == 0;
    if (good && c->request->quiet) {
        return;
    }
    if (c->request->json) {
        write_json(c, &line, out);
    } else {
        write_text(&line, out);
    }
    out->failed |= c->failed;
}

static void say_counts(const struct checking *c)
{
    const struct check_counts *n = &c->counts;
    if (c->request->json || c->request->quiet) {
        return;
    }
    if (!c->near) {
        fprintf(stderr, "%zu loaded, %zu unroutable, %zu refused\n", n->loaded, n->unroutable,
                n->refused);
        return;
    }
    size_t all = n->loaded + n->unroutable;
    fprintf(stderr,
            "%zu can fire, %zu cannot (%zu of a logsource not seen, %zu of one not mapped), "
            "%zu refused; %llu events read\n"
            "Cannot: proven for events with the fields and kinds of values of those read. Can: "
            "nothing stands against it.\n",
            n->can, all - n->can, n->unseen, n->unroutable, n->refused,
            (unsigned long long)survey_events(c->survey));
}

/* Names past the survey's limit are missed by "nearest" alone: what rules ask for is counted apart.
 */
static void say_untold(const struct survey *survey)
{
    if (survey_untold(survey) > 0) {
        verb_say("%llu values past the limit of %d names of fields: a nearer name may exist",
                (unsigned long long)survey_untold(survey), SURVEY_PATHS);
    }
}

static bool check_set(struct checking *c, const struct ruleset *set)
{
    enum err e = rules_walk(set, write_item, c);
    if (e != OK) {
        verb_say("cannot write: %s", err_name(e));
        return false;
    }
    if (c->near) {
        say_untold(c->survey);
    }
    say_counts(c);
    return c->counts.refused == 0;
}

static int check(const struct check_request *request, struct diag *diag)
{
    struct loaded loaded;
    struct checking c = {.request = request};
    if (load_rules(&request->look.load, &loaded, diag) != OK) {
        verb_say("%s", diag->words);
        return VERB_SOME;
    }
    const struct engine_options plain = {0};
    int code = VERB_SOME;
    if (engine_new(loaded.set, loaded.taxonomy, &plain, &c.engine, diag) != OK) {
        verb_say("%s", diag->words);
    } else if (check_set(&c, loaded.set) && loaded.unreadable == 0) {
        code = VERB_DONE;
    }
    engine_free(c.engine);
    load_fini(&loaded);
    return code;
}

/* With --against: the same by what the inputs hold. */
static int check_against(
        const struct check_request *request, const struct verb_app *app, struct diag *diag)
{
    struct look_bench bench;
    struct checking c = {.request = request};
    int code = VERB_SOME;
    if (look_open(&request->look, app, &bench, diag) != OK) {
        verb_say("%s", diag->words);
        return VERB_SOME;
    }
    c.engine = bench.engine;
    c.survey = bench.look.survey;
    enum err e = app->look(&bench.look, diag);
    if (e == OK &&
            (reach_set(c.survey, &c.reaches) != OK || reach_near_new(c.survey, &c.near) != OK)) {
        e = diag_say(diag, ERR_MEMORY, "no memory for names of fields");
    }
    if (e != OK) {
        verb_say("%s", diag->words);
    } else if (check_set(&c, bench.loaded.set) && look_whole(&bench) &&
               c.counts.can == c.counts.loaded + c.counts.unroutable) {
        code = VERB_DONE;
    }
    buf_fini(&c.words);
    memory_free(c.reaches);
    reach_near_free(c.near);
    look_close(&bench);
    return code;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct check_request request = {
            .look = {.limits = DECODE_LIMITS, .load.threads = detect_cores()}};
    struct diag diag = {0};
    enum err e = parse(&request, argc, argv, &diag);
    int code = VERB_SOME;
    if (e == ERR_MEMORY) {
        verb_say("no memory");
    } else if (e != OK) {
        code = verb_usage(verb, diag.words);
    } else if (request.look.inputs.count > 0) {
        code = check_against(&request, app, &diag);
    } else {
        code = check(&request, &diag);
    }
    words_fini(&request.look.inputs);
    words_fini(&request.look.load.rules);
    words_fini(&request.look.load.taxonomies);
    return code;
}

const struct verb rules_check_verb = {
        .name = "rules check",
        .about = "say of each rule whether it loads, and whether it can fire on given logs",
        .arguments = "[--against INPUT]... [OPTION]... [PATH]...",
        .options = options,
        .notes = "Without PATH the rules of the installed packs. A rule is loaded, refused (it "
                 "cannot be run as it is written), or unroutable\n"
                 "(no taxonomy file says which events its logsource means). Exits with 1 when\n"
                 "any is refused.\n\n"
                 "With --against, a rule can fire on the logs or it cannot, and why: no event is\n"
                 "of its logsource; a field that it needs is in no such event (the nearest that\n"
                 "is there is named), never has a value, is never a number; or must be absent and\n"
                 "never is. Cannot is proven, for events with the fields and kinds of values of\n"
                 "those read: no way through the condition becomes true. Can means that nothing\n"
                 "stands against it, not that it does fire. Exits with 1 when any rule cannot\n"
                 "fire or is refused, or something could not be read; 0: all can.\n",
        .examples = "  merlon rules check sigma/rules\n"
                    "  merlon rules check -q my-rule.yml\n"
                    "  merlon rules check --against Security.evtx -q my-rules\n"
                    "  merlon rules check -o json sigma | jq -r 'select(.status!=\"loaded\")'\n",
        .run = run,
};
