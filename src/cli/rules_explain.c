#include "cli/rules_explain.h"

#include <stdio.h>
#include <string.h>

#include "cli/formats.h"
#include "cli/load.h"
#include "cli/pick.h"
#include "cli/visible.h"
#include "detect/judge.h"
#include "sigma/correlation.h"
#include "source/inputs.h"

enum { RECORD, FORMAT, ANY_SOURCE, PLACEHOLDERS, TAXONOMY };

static const struct option_row options[] = {
        [RECORD] = {"record", 0, "N", "the event's number in the file (1)"},
        [FORMAT] = {"format", 0, "FORMAT", "take the file for this: evtx, json, syslog..."},
        [ANY_SOURCE] = {"any-source", 0, NULL, "by the rule alone, without its logsource"},
        [PLACEHOLDERS] = {"placeholders", 0, "FILE", "values of the rule's %placeholders%"},
        [TAXONOMY] = {"taxonomy", 0, "FILE", "further logsources and fields; may be repeated"},
        {0},
};

struct explain_request {
    struct load_request load;
    const char *event;
    const struct decoder *decoder;
    unsigned long record;
    bool any_source;
};

static enum err set_option(
        struct explain_request *request, int option, const char *value, struct diag *diag)
{
    long record;
    switch (option) {
    case TAXONOMY:
        return words_add(&request->load.taxonomies, value);
    case PLACEHOLDERS:
        request->load.placeholders = value;
        return OK;
    case ANY_SOURCE:
        request->any_source = true;
        return OK;
    case FORMAT:
        request->decoder = formats_find(value);
        return request->decoder ? OK
                                : diag_say(diag, ERR_USAGE, "--format: '%.80s' is none", value);
    default:
        if (!option_number(value, 1, 0x7fffffffffff, &record)) {
            return diag_say(diag, ERR_USAGE, "--record: '%.80s' is no number from 1", value);
        }
        request->record = (unsigned long)record;
        return OK;
    }
}

static enum err parse(
        struct explain_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        if (option == OPTION_WRONG) {
            return ERR_USAGE;
        }
        if (option != OPTION_ARGUMENT) {
            TRY(set_option(request, option, value, diag));
        } else if (request->load.rules.count == 0) {
            TRY(words_add(&request->load.rules, value));
        } else if (!request->event) {
            request->event = value;
        } else {
            return diag_say(diag, ERR_USAGE, "one RULE and one EVENT, no more: '%.80s'", value);
        }
    }
    if (!request->event) {
        return diag_say(diag, ERR_USAGE, "name a rule's file and an event's file");
    }
    return OK;
}

/* What explaining works with. */
struct bench {
    struct engine *engine;
    struct judge *judge;
    struct event event;
    struct pick pick;
};

/* Values of the event are quoted in it: nothing of them reaches a terminal raw. */
static enum err write_visible(struct slice text, struct diag *diag)
{
    struct buf out = {0};
    visible_lines(&out, text);
    enum err e = out.failed ? diag_say(diag, ERR_MEMORY, "no memory") : OK;
    if (e == OK && out.size > 0 &&
            (fwrite(out.at, 1, out.size, stdout) != out.size || fflush(stdout) != 0)) {
        e = diag_say(diag, ERR_IO, "cannot write");
    }
    buf_fini(&out);
    return e;
}

static void write_names(
        const struct correlation *c, uint32_t part, const struct ruleset *set, struct buf *out)
{
    for (uint32_t n = 0; n < c->group_count + c->field_count; n++) {
        struct slice field = field_name(set->fields, c->parts[part].fields[n]);
        buf_add(out, n == 0 ? SLICE("   [") : SLICE(", "));
        visible_add(out, c->names[n], VISIBLE_ANY);
        if (!slice_equal(c->names[n], field)) {
            buf_add(out, SLICE(" is "));
            visible_add(out, field, VISIBLE_ANY);
        }
    }
    buf_add(out, c->group_count + c->field_count ? SLICE("]\n") : SLICE("\n"));
}

/* What a correlation says, and which of its rules this one event is a match of. Whether it fires is
 * a question of all events: see `detect`. */
static enum err explain_correlation(
        struct bench *bench, const struct ruleset *set, const struct rule *rule, struct buf *out)
{
    const struct correlation *c = rule->correlation;
    const struct hit *hits;
    size_t count;
    struct diag diag = {0};
    TRY(judge_event(bench->judge, &bench->event, &hits, &count, &diag));
    buf_add(out, SLICE("rule:      "));
    visible_add(out, rule->title, VISIBLE_ANY);
    buf_add(out, SLICE("\ncorrelates: "));
    correlation_write(c, out);
    buf_add(out, SLICE("\nits rules:\n"));
    for (uint32_t p = 0; p < c->part_count; p++) {
        bool held = false;
        for (size_t i = 0; i < count; i++) {
            held = held || (hits[i].rule == c->parts[p].rule && !hits[i].undetermined);
        }
        bool inner = c->parts[p].rule->correlation;
        buf_add(out, inner ? SLICE("chain  ") : held ? SLICE("yes    ") : SLICE("no     "));
        visible_add(out, c->parts[p].rule->title, VISIBLE_ANY);
        write_names(c, p, set, out);
    }
    return out->failed ? ERR_MEMORY : OK;
}

static enum err explain_rules(struct bench *bench, const struct ruleset *set, struct diag *diag)
{
    struct buf out = {0};
    enum err e = OK;
    for (uint32_t i = 0; i < set->rule_count && e == OK; i++) {
        e = set->rules[i]->correlation ? explain_correlation(bench, set, set->rules[i], &out)
                                       : judge_explain(bench->judge, &bench->event, i, &out);
    }
    if (e == OK && out.failed) {
        e = ERR_MEMORY;
    }
    if (e != OK) {
        diag_say(diag, e, "cannot explain: %s", err_name(e));
    } else {
        e = write_visible(buf_slice(&out), diag);
    }
    buf_fini(&out);
    return e;
}

static enum err bench_init(struct bench *bench, const struct explain_request *request,
        const struct loaded *loaded, struct diag *diag)
{
    const struct engine_options plain = {.any_source = request->any_source};
    TRY(engine_new(loaded->set, loaded->taxonomy, &plain, &bench->engine, diag));
    if (judge_new(bench->engine, &bench->judge) != OK ||
            event_init(&bench->event, engine_field_count(bench->engine)) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory");
    }
    return OK;
}

static void bench_fini(struct bench *bench)
{
    pick_fini(&bench->pick);
    event_fini(&bench->event);
    judge_free(bench->judge);
    engine_free(bench->engine);
}

static enum err explain(const struct explain_request *request, const struct loaded *loaded,
        const struct verb_app *app, struct diag *diag)
{
    struct bench bench = {0};
    struct inputs *inputs;
    if (inputs_new(&inputs) != OK) {
        return diag_say(diag, ERR_MEMORY, "no memory");
    }
    enum err e = bench_init(&bench, request, loaded, diag);
    if (e == OK) {
        e = inputs_add(inputs, request->event);
    }
    if (e == OK) {
        e = inputs_finish(inputs);
    }
    if (e == OK && inputs->problem_count > 0) {
        e = diag_say(diag, ERR_IO, "%.*s", SLICE_ARG(inputs->problems[0].reason));
    }
    if (e == OK && inputs->count != 1) {
        e = diag_say(diag, ERR_USAGE, "name one file");
    }
    if (e == OK) {
        e = app->seal(inputs, diag);
    }
    if (e == OK) {
        pick_init(&bench.pick, engine_paths(bench.engine), request->decoder);
        e = pick_record(&bench.pick, &inputs->files[0], request->record, &bench.event, diag);
    }
    if (e == OK) {
        e = explain_rules(&bench, loaded->set, diag);
    }
    bench_fini(&bench);
    inputs_free(inputs);
    return e;
}

static int load_and_explain(
        const struct explain_request *request, const struct verb_app *app, struct diag *diag)
{
    struct loaded loaded;
    int code = VERB_SOME;
    if (load_rules(&request->load, &loaded, diag) != OK) {
        verb_say("%s", diag->words);
        return code;
    }
    load_say_problems(loaded.set);
    if (loaded.set->rule_count == 0) {
        verb_say("%s: no rule to explain", request->load.rules.at[0]);
    } else if (explain(request, &loaded, app, diag) != OK) {
        struct buf words = {0};
        load_place(diag, &words);
        verb_say("%s%.*s", request->event, SLICE_ARG(buf_slice(&words)));
        buf_fini(&words);
    } else if (loaded.set->problem_count == 0) {
        code = VERB_DONE;
    }
    load_fini(&loaded);
    return code;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct explain_request request = {.record = 1};
    struct diag diag = {0};
    enum err e = parse(&request, argc, argv, &diag);
    int code = VERB_SOME;
    if (e == ERR_MEMORY) {
        verb_say("no memory");
    } else {
        code = e == OK ? load_and_explain(&request, app, &diag) : verb_usage(verb, diag.words);
    }
    words_fini(&request.load.rules);
    words_fini(&request.load.taxonomies);
    return code;
}

const struct verb rules_explain_verb = {
        .name = "rules explain",
        .about = "show which parts of a rule hold for an event, and which do not",
        .arguments = "[OPTION]... RULE EVENT",
        .options = options,
        .notes = "RULE is a file of rules, EVENT a file of events (of any format; - for standard\n"
                 "input): its record N is judged by each rule of the file. Shown are each part\n"
                 "of the condition, the event's values, and the field mapping that applied.\n",
        .examples = "  merlon rules explain rule.yml event.json\n"
                    "  merlon rules explain rule.yml Security.evtx --record 4711\n",
        .run = run,
};
