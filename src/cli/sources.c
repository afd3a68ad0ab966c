#include "cli/sources.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/detect.h"
#include "cli/figures.h"
#include "cli/formats.h"
#include "cli/sources_view.h"
#include "cli/visible.h"
#include "detect/reach_set.h"

enum { RULES, OUTPUT, FIELDS, FORMAT, ZONE, YEAR, PLACEHOLDERS, TAXONOMY, MAX_RECORD, QUIET };
enum { FIELDS_SHOWN = 20 };

static const struct option_row options[] = {
        [RULES] = {"rules", 'r', "PATH", "say how many of these rules can fire; may be repeated"},
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line an input)"},
        [FIELDS] = {"fields", 0, "N", "fields in the table: a number, or all (20)"},
        [FORMAT] = {"format", 0, "FORMAT", "take the inputs for this format, not by content"},
        [ZONE] = {"zone", 0, "ZONE", "of syslog times that name none: +02:00, CET (UTC)"},
        [YEAR] = {"year", 0, "YEAR", "of syslog times that name none (by the file's own time)"},
        [PLACEHOLDERS] = {"placeholders", 0, "FILE", "values of the rules' %placeholders%"},
        [TAXONOMY] = {"taxonomy", 0, "FILE", "further logsources and fields; may be repeated"},
        [MAX_RECORD] = {"max-record", 0, "SIZE", "reject longer records (16M)"},
        [QUIET] = {"quiet", 'q', NULL, "leave out files of no known format, and the count"},
        {0},
};

struct sources_request {
    struct look_request look;
    size_t fields;
    bool json;
    bool quiet;
};

/* One run. */
struct sources_run {
    const struct sources_request *request;
    const struct ruleset *set;
    bool *can_fire; /* by rule: on some input */
};

static enum err set_fields(struct sources_request *request, const char *value, struct diag *diag)
{
    long n;
    if (strcmp(value, "all") == 0) {
        request->fields = SIZE_MAX;
    } else if (option_number(value, 0, SURVEY_PATHS, &n)) {
        request->fields = (size_t)n;
    } else {
        return diag_say(diag, ERR_USAGE, "--fields: '%.80s' is no number, nor all", value);
    }
    return OK;
}

static enum err set_option(
        struct sources_request *request, int option, const char *value, struct diag *diag)
{
    struct look_request *look = &request->look;
    unsigned long bytes;
    switch (option) {
    case RULES:
        return words_add(&look->load.rules, value);
    case TAXONOMY:
        return words_add(&look->load.taxonomies, value);
    case PLACEHOLDERS:
        look->load.placeholders = value;
        return OK;
    case QUIET:
        request->quiet = true;
        return OK;
    case FIELDS:
        return set_fields(request, value, diag);
    case FORMAT:
        look->decoder = formats_find(value);
        return look->decoder ? OK : diag_say(diag, ERR_USAGE, "--format: '%.80s' is none", value);
    case ZONE:
        return formats_zone(value, &look->limits, diag);
    case YEAR:
        return formats_year(value, &look->limits, diag);
    case MAX_RECORD:
        if (!option_bytes(value, (unsigned long)1 << 30, &bytes)) {
            return diag_say(diag, ERR_USAGE, "--max-record: '%.80s' is no size up to 1G", value);
        }
        look->limits.record_bytes = bytes;
        return OK;
    default:
        TRY(option_json(value, &request->json, diag));
        return OK;
    }
}

static enum err parse(
        struct sources_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        if (option == OPTION_WRONG) {
            return ERR_USAGE;
        }
        if (option == OPTION_ARGUMENT) {
            TRY(words_add(&request->look.inputs, value));
        } else {
            TRY(set_option(request, option, value, diag));
        }
    }
    if (request->look.inputs.count == 0) {
        return diag_say(diag, ERR_USAGE, "no input: name files or directories, or - for stdin");
    }
    return OK;
}

static enum err count_rules(
        struct sources_run *run, const struct survey *survey, uint32_t *can_fire)
{
    struct reach *all;
    TRY(reach_set(survey, &all));
    for (uint32_t r = 0; r < run->set->rule_count; r++) {
        if (all[r].why == REACH_CAN) {
            run->can_fire[r] = true;
            (*can_fire)++;
        }
    }
    memory_free(all);
    return OK;
}

static enum err write_view(
        const struct sources_run *run, const struct sources_view *view, struct diag *diag)
{
    struct buf out = {0}, shown = {0};
    (run->request->json ? sources_view_json : sources_view_table)(view, &out);
    struct slice text = buf_slice(&out);
    if (isatty(STDOUT_FILENO) && run->request->json) {
        visible_lines(&shown, text);
        text = buf_slice(&shown);
    }
    enum err e = OK;
    if (out.failed || shown.failed) {
        e = diag_say(diag, ERR_MEMORY, "no memory for the output");
    } else if (fwrite(text.at, 1, text.size, stdout) != text.size || fflush(stdout) != 0) {
        e = diag_say(diag, ERR_IO, "cannot write");
    }
    buf_fini(&out);
    buf_fini(&shown);
    return e;
}

static enum err file_done(struct look *look, const struct look_file *file, struct diag *diag)
{
    struct sources_run *run = look->context;
    struct survey_source *sources = NULL;
    struct survey_field *fields = NULL;
    struct sources_view view = {.file = file,
            .survey = look->survey,
            .fields_shown = run->request->fields,
            .has_rules = run->request->look.load.rules.count > 0,
            .rules = run->set->rule_count};
    if (file->skipped && run->request->quiet) {
        return OK;
    }
    enum err e = survey_list_sources(look->survey, &sources, &view.source_count);
    e = e == OK ? survey_list_fields(look->survey, &fields, &view.field_count) : e;
    e = e == OK ? count_rules(run, look->survey, &view.can_fire) : e;
    view.sources = sources;
    view.fields = fields;
    e = e == OK ? write_view(run, &view, diag) : diag_say(diag, e, "no memory for the survey");
    memory_free(sources);
    memory_free(fields);
    survey_clear(look->survey);
    return e;
}

/* "3 inputs, 1,234 records; 5 of 7 rules can fire" */
static void say_count(const struct sources_run *run, const struct look *look)
{
    struct buf out = {0};
    uint32_t can_fire = 0;
    figures_count(&out, look->files);
    buf_format(&out, " input%s of a known format, ", look->files == 1 ? "" : "s");
    figures_count(&out, look->records);
    buf_format(&out, " record%s", look->records == 1 ? "" : "s");
    if (look->rejected > 0) {
        buf_add(&out, SLICE(", "));
        figures_count(&out, look->rejected);
        buf_add(&out, SLICE(" rejected"));
    }
    for (uint32_t r = 0; r < run->set->rule_count; r++) {
        can_fire += run->can_fire[r];
    }
    if (run->request->look.load.rules.count > 0) {
        buf_add(&out, SLICE("; "));
        figures_count(&out, can_fire);
        buf_add(&out, SLICE(" of "));
        figures_count(&out, run->set->rule_count);
        buf_add(&out, SLICE(" rules can fire"));
        buf_add(&out, can_fire < run->set->rule_count
                              ? SLICE(" (why not: merlon rules check --against INPUT RULES)")
                              : SLICE(""));
    }
    fprintf(stderr, "%.*s\n", SLICE_ARG(buf_slice(&out)));
    buf_fini(&out);
}

static int sources(
        const struct sources_request *request, const struct verb_app *app, struct diag *diag)
{
    struct look_bench bench;
    if (look_open(&request->look, app, &bench, diag) != OK) {
        verb_say("%s", diag->words);
        return VERB_SOME;
    }
    struct sources_run run = {.request = request, .set = bench.loaded.set};
    int code = VERB_SOME;
    load_say_problems(bench.loaded.set);
    run.can_fire = memory_alloc_array((size_t)run.set->rule_count + 1, sizeof *run.can_fire);
    bench.look.file_done = file_done;
    bench.look.context = &run;
    enum err e = run.can_fire ? app->look(&bench.look, diag)
                              : diag_say(diag, ERR_MEMORY, "no memory for the rules");
    if (e != OK) {
        verb_say("%s", diag->words);
    } else {
        code = look_whole(&bench) ? VERB_DONE : VERB_SOME;
        if (!request->quiet) {
            say_count(&run, &bench.look);
        }
    }
    memory_free(run.can_fire);
    look_close(&bench);
    return code;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct sources_request request = {
            .look = {.limits = DECODE_LIMITS, .load.threads = detect_cores()},
            .fields = FIELDS_SHOWN,
            .json = !isatty(STDOUT_FILENO)};
    struct diag diag = {0};
    enum err e = parse(&request, argc, argv, &diag);
    int code = VERB_SOME;
    if (e == ERR_MEMORY) {
        verb_say("no memory");
    } else {
        code = e == OK ? sources(&request, app, &diag) : verb_usage(verb, diag.words);
    }
    words_fini(&request.look.load.rules);
    words_fini(&request.look.load.taxonomies);
    words_fini(&request.look.inputs);
    return code;
}

const struct verb sources_verb = {
        .name = "sources",
        .about = "say what logs are: format, logsources, fields, times, and rules that can fire",
        .arguments = "[-r RULES]... [OPTION]... INPUT...",
        .options = options,
        .notes = "Of each input: its format and records; the times, and what is odd about its\n"
                 "clock; how many records each logsource of the taxonomy takes (those that none\n"
                 "takes are never judged); each field with the share of records where it is not\n"
                 "empty; and how many of the given rules can fire on it: whether they have a\n"
                 "chance, not whether they do. `merlon rules check --against` says it by rule.\n"
                 "Exits with 1 when something could not be read or was rejected.\n",
        .examples = "  merlon sources logs/\n"
                    "  merlon sources -r sigma/rules Security.evtx\n"
                    "  merlon sources -o json logs | jq -r 'select(.without_logsource>0)|.file'\n",
        .run = run,
};
