#include "cli/detect.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/formats.h"

#define STATE_BYTES_MOST ((unsigned long)1 << 40)
#define STATE_BYTES ((size_t)1 << 30)
#define SORT_BYTES ((size_t)256 << 20)
#define RECORD_BYTES_MOST ((unsigned long)1 << 30)

enum {
    RULES,
    OUTPUT,
    FORMAT,
    ZONE,
    YEAR,
    LEVEL,
    EXCLUDE,
    FROM,
    TO,
    ANY_SOURCE,
    FIRE,
    STATE_LIMIT,
    SORT_MEMORY,
    PLACEHOLDERS,
    TAXONOMY,
    DATA,
    MAX_RECORD,
    JOBS,
    QUIET,
    HTML,
    NO_VALUE_CACHE,
};

static const struct option_row options[] = {
        [RULES] = {"rules", 'r', "PATH", "rules: a file or a directory; may be repeated"},
        [OUTPUT] = {"output", 'o', "HOW", "table, json, csv or summary"},
        [FORMAT] = {"format", 0, "FORMAT", "take the inputs for this: evtx, json, syslog..."},
        [ZONE] = {"zone", 0, "ZONE", "of syslog times that name none: +02:00, CET (UTC)"},
        [YEAR] = {"year", 0, "YEAR", "of syslog times that name none (by the file's own time)"},
        [LEVEL] = {"level", 0, "LEVEL", "only rules of this level and above"},
        [EXCLUDE] = {"exclude-rule", 0, "RULE", "leave out a rule: its id, file or title"},
        [FROM] = {"from", 0, "TIME", "only events of this time and later"},
        [TO] = {"to", 0, "TIME", "only events before this time"},
        [ANY_SOURCE] = {"any-source", 0, NULL, "judge every event by every rule"},
        [FIRE] = {"fire", 0, "WHEN", "findings of correlations: once (a stretch) or every (event)"},
        [STATE_LIMIT] = {"state-limit", 0, "SIZE", "memory for the state of correlations (1G)"},
        [SORT_MEMORY] = {"sort-memory", 0, "SIZE", NULL}, /* for tests */
        [PLACEHOLDERS] = {"placeholders", 0, "FILE", "values of the rules' %placeholders%"},
        [TAXONOMY] = {"taxonomy", 0, "FILE", "further logsources and fields; may be repeated"},
        [DATA] = {"data", 0, "DIR", "where installed packs of rules are kept"},
        [MAX_RECORD] = {"max-record", 0, "SIZE", "reject longer records (16M)"},
        [JOBS] = {"jobs", 'j', "N", "threads that judge (one a core)"},
        [QUIET] = {"quiet", 'q', NULL, "no progress and no summary"},
        [HTML] = {"html", 0, "FILE", "also a report: one page that needs nothing else"},
        [NO_VALUE_CACHE] = {"no-value-cache", 0, NULL, NULL}, /* for measuring */
        {0},
};

unsigned detect_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1;
    }
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > DETECT_JOBS ? DETECT_JOBS : (unsigned)n;
}

static enum err wrong(struct diag *diag, int option, const char *value, const char *expected)
{
    return diag_say(
            diag, ERR_USAGE, "--%s: '%.80s' is no %s", options[option].name, value, expected);
}

static enum err wrong_format(const char *value, struct diag *diag)
{
    struct buf names = {0};
    for (size_t i = 0; i < decoders_count; i++) {
        buf_format(&names, "%s%s", i ? ", " : "", decoders[i]->name);
    }
    enum err e = diag_say(diag, ERR_USAGE, "--format: '%.80s' is none of: %.*s", value,
            SLICE_ARG(buf_slice(&names)));
    buf_fini(&names);
    return e;
}

static enum err set_time(int option, const char *value, bool *has, int64_t *ns, struct diag *diag)
{
    if (!time_parse(slice_text(value), ns)) {
        return wrong(diag, option, value, "time; write 2024-03-01 or 2024-03-01T12:00:00Z");
    }
    *has = true;
    return OK;
}

static enum err set_number(
        struct detect_request *request, int option, const char *value, struct diag *diag)
{
    long jobs;
    unsigned long bytes;
    switch (option) {
    case YEAR:
        return formats_year(value, &request->limits, diag);
    case JOBS:
        if (!option_number(value, 1, DETECT_JOBS, &jobs)) {
            return wrong(diag, option, value, "number from 1 to 256");
        }
        request->jobs = (unsigned)jobs;
        return OK;
    case STATE_LIMIT:
    case SORT_MEMORY:
        if (!option_bytes(value, STATE_BYTES_MOST, &bytes)) {
            return wrong(diag, option, value, "size up to 1024G; write 64M, 2G");
        }
        *(option == STATE_LIMIT ? &request->state_limit : &request->sort_memory) = bytes;
        return OK;
    default:
        if (!option_bytes(value, RECORD_BYTES_MOST, &bytes)) {
            return wrong(diag, option, value, "size up to 1G; write 64K, 16M");
        }
        request->limits.record_bytes = bytes;
        return OK;
    }
}

static enum err set_choice(
        struct detect_request *request, int option, const char *value, struct diag *diag)
{
    switch (option) {
    case OUTPUT:
        request->format = output_find(value);
        return request->format ? OK : wrong(diag, option, value, output_names);
    case FORMAT:
        request->decoder = formats_find(value);
        return request->decoder ? OK : wrong_format(value, diag);
    case ZONE:
        return formats_zone(value, &request->limits, diag);
    case FIRE:
        request->fire_every = strcmp(value, "every") == 0;
        return request->fire_every || strcmp(value, "once") == 0
                       ? OK
                       : wrong(diag, option, value, "way to fire: once or every");
    default:
        if (!level_parse(slice_text(value), &request->level)) {
            return wrong(
                    diag, option, value, "level: informational, low, medium, high or critical");
        }
        return OK;
    }
}

static enum err set_flag(struct detect_request *request, int option)
{
    bool *const flags[] = {[ANY_SOURCE] = &request->any_source,
            [QUIET] = &request->quiet,
            [NO_VALUE_CACHE] = &request->no_value_cache};
    *flags[option] = true;
    return OK;
}

static enum err set_path(struct detect_request *request, int option, const char *value)
{
    const char **const paths[] = {[PLACEHOLDERS] = &request->load.placeholders,
            [HTML] = &request->html,
            [DATA] = &request->load.data};
    *paths[option] = value;
    request->load.users = request->html != NULL;
    return OK;
}

static enum err add_word(struct detect_request *request, int option, const char *value)
{
    return words_add(option == RULES     ? &request->load.rules
                     : option == EXCLUDE ? &request->excluded
                                         : &request->load.taxonomies,
            value);
}

/* How an option's value is taken; the others are choices. */
enum taking { CHOICE, WORD, TIME, PATH, FLAG, NUMBER };
static const uint8_t takings[] = {[RULES] = WORD,
        [EXCLUDE] = WORD,
        [TAXONOMY] = WORD,
        [FROM] = TIME,
        [TO] = TIME,
        [PLACEHOLDERS] = PATH,
        [HTML] = PATH,
        [DATA] = PATH,
        [ANY_SOURCE] = FLAG,
        [QUIET] = FLAG,
        [NO_VALUE_CACHE] = FLAG,
        [JOBS] = NUMBER,
        [STATE_LIMIT] = NUMBER,
        [SORT_MEMORY] = NUMBER,
        [MAX_RECORD] = NUMBER,
        [YEAR] = NUMBER};

static enum err set_option(
        struct detect_request *request, int option, const char *value, struct diag *diag)
{
    bool from = option == FROM;
    switch ((size_t)option < sizeof takings ? takings[option] : CHOICE) {
    case WORD:
        return add_word(request, option, value);
    case TIME:
        return set_time(option, value, from ? &request->has_from : &request->has_to,
                from ? &request->from_ns : &request->to_ns, diag);
    case PATH:
        return set_path(request, option, value);
    case FLAG:
        return set_flag(request, option);
    case NUMBER:
        return set_number(request, option, value, diag);
    default:
        return set_choice(request, option, value, diag);
    }
}

static enum err parse(
        struct detect_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    for (;;) {
        int option = option_next(&scan, &value, diag);
        if (option == OPTION_END) {
            break;
        }
        if (option == OPTION_WRONG) {
            return ERR_USAGE;
        }
        if (option == OPTION_ARGUMENT) {
            TRY(words_add(&request->inputs, value));
        } else {
            TRY(set_option(request, option, value, diag));
        }
    }
    request->load.packs = true;
    if (request->inputs.count == 0) {
        return diag_say(diag, ERR_USAGE, "no input: name files or directories, or - for stdin");
    }
    if (request->has_from && request->has_to && request->from_ns >= request->to_ns) {
        return diag_say(diag, ERR_USAGE, "--from is not before --to");
    }
    return OK;
}

struct detect_request detect_defaults(void)
{
    return (struct detect_request){.limits = DECODE_LIMITS,
            .jobs = detect_cores(),
            .state_limit = STATE_BYTES,
            .sort_memory = SORT_BYTES};
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct detect_request request = detect_defaults();
    struct diag diag = {0};
    int code = VERB_USAGE;
    enum err e = parse(&request, argc, argv, &diag);
    if (e == ERR_MEMORY) {
        verb_say("no memory");
        code = VERB_SOME;
    } else if (e != OK) {
        verb_usage(verb, diag.words);
    } else {
        if (!request.format) {
            request.format = output_find(isatty(STDOUT_FILENO) ? "table" : "json");
        }
        request.load.threads = request.jobs;
        code = app->detect(&request);
    }
    words_fini(&request.load.rules);
    words_fini(&request.load.taxonomies);
    words_fini(&request.inputs);
    words_fini(&request.excluded);
    return code;
}

const struct verb detect_verb = {
        .name = "detect",
        .about = "judge logs by Sigma rules",
        .arguments = "[-r RULES]... [OPTION]... INPUT...",
        .options = options,
        .notes = "Without -r the rules of the installed packs judge (merlon rules add).\n"
                 "INPUT is a file, a directory (walked in byte order; links in it are not\n"
                 "followed) or - for standard input: EVTX; JSON lines, arrays or\n"
                 "pretty-printed; syslog (CEF, LEEF, pairs in it), the journal's export, auditd;\n"
                 "access and error logs of web servers, W3C, IIS, Squid, AWS; DNS servers' logs;\n"
                 "Zeek, VPC flow logs, CSV; and gzip or zstd of these, recognised by content.\n"
                 "A directory's files of no known format are passed over and counted.\n"
                 "Output is a table on a terminal and JSON lines otherwise; neither depends on\n"
                 "-j nor on the order of arguments. TIME is UTC unless it has an offset; events\n"
                 "without a known time are judged whatever --from and --to say.\n",
        .examples = "  merlon detect -r sigma/rules/windows C/Windows/System32/winevt/Logs\n"
                    "  merlon detect -r rules --level high -o csv export.jsonl.zst > findings.csv\n"
                    "  merlon detect -r rules --html report.html -o summary logs\n"
                    "  zcat *.gz | merlon detect -r rules -o json - | jq .rule.title\n"
                    "  merlon detect -r rules --from 2024-03-01 --to 2024-03-08 -o summary logs\n",
        .run = run,
};
