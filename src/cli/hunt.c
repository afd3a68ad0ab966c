#include "cli/hunt.h"

#include <string.h>
#include <unistd.h>

#include "cli/formats.h"
#include "net/authorize.h"

#define STATE_BYTES_MOST ((unsigned long)1 << 40)
#define STATE_BYTES ((size_t)1 << 30)
#define RECORD_BYTES_MOST ((unsigned long)1 << 30)

enum {
    OUTPUT,
    FORMAT,
    ZONE,
    YEAR,
    TAXONOMY,
    STATE_LIMIT,
    MAX_RECORD,
    QUIET,
    DATA,
    TENANT,
    FROM,
    TO,
};

static const struct option_row options[] = {
        [OUTPUT] = {"output", 'o', "HOW", "table, json or csv"},
        [FORMAT] = {"format", 0, "FORMAT", "take the inputs for this: evtx, json, syslog..."},
        [ZONE] = {"zone", 0, "ZONE", "of syslog times that name none: +02:00, CET (UTC)"},
        [YEAR] = {"year", 0, "YEAR", "of syslog times that name none (by the file's own time)"},
        [TAXONOMY] = {"taxonomy", 0, "FILE", "further logsources and fields; may be repeated"},
        [STATE_LIMIT] = {"state-limit", 0, "SIZE", "memory that each stage may keep (1G)"},
        [MAX_RECORD] = {"max-record", 0, "SIZE", "reject longer records (16M)"},
        [QUIET] = {"quiet", 'q', NULL, "no progress and no summary"},
        [DATA] = {"data", 0, "DIR",
                "where the centre keeps everything (MERLON_DATA, ./merlon-data)"},
        [TENANT] = {"tenant", 0, "TENANT", "only this tenant's, and those of tenants below it"},
        [FROM] = {"from", 0, "PLACE", "records from this offset on, or received since this time"},
        [TO] = {"to", 0, "PLACE", "records before this offset, or received before this time"},
        {0},
};

struct parsing {
    struct hunt_request *request;
    const char *of_files, *of_log; /* an option that one of them alone has */
    bool formed;
};

static enum err wrong(struct diag *diag, int option, const char *value, const char *expected)
{
    return diag_say(
            diag, ERR_USAGE, "--%s: '%.80s' is no %s", options[option].name, value, expected);
}

static enum err take_form(struct parsing *p, const char *value, struct diag *diag)
{
    static const char *const names[] = {
            [HUNT_TABLE] = "table", [HUNT_JSON] = "json", [HUNT_CSV] = "csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(value, names[i]) == 0) {
            p->request->form = (enum hunt_form)i;
            p->formed = true;
            return OK;
        }
    }
    return wrong(diag, OUTPUT, value, "table, json or csv");
}

static enum err take_size(
        struct hunt_request *request, int option, const char *value, struct diag *diag)
{
    unsigned long bytes;
    bool state = option == STATE_LIMIT;
    if (!option_bytes(value, state ? STATE_BYTES_MOST : RECORD_BYTES_MOST, &bytes)) {
        return wrong(diag, option, value,
                state ? "size up to 1024G; write 64M, 2G" : "size up to 1G; write 64K, 16M");
    }
    *(state ? &request->state_limit : &request->limits.record_bytes) = bytes;
    return OK;
}

/* What is of the log alone. */
static enum err take_log(struct parsing *p, int option, const char *value, struct diag *diag)
{
    struct hunt_request *request = p->request;
    p->of_log = options[option].name;
    switch (option) {
    case DATA:
        request->data = value;
        return OK;
    case TENANT:
        request->tenant = value;
        return authorize_tenant_valid(slice_text(value))
                       ? OK
                       : wrong(diag, option, value, "tenant's path");
    default:
        return replay_take_place(
                value, options[option].name, option == FROM ? &request->from : &request->to, diag);
    }
}

static enum err take_argument(struct parsing *p, const char *value)
{
    if (!p->request->query) {
        p->request->query = value;
        return OK;
    }
    return words_add(&p->request->inputs, value);
}

static enum err take(struct parsing *p, int option, const char *value, struct diag *diag)
{
    struct hunt_request *request = p->request;
    switch (option) {
    case OPTION_ARGUMENT:
        return take_argument(p, value);
    case OPTION_WRONG:
        return ERR_USAGE;
    case OUTPUT:
        return take_form(p, value, diag);
    case FORMAT:
        p->of_files = options[option].name;
        request->decoder = formats_find(value);
        return request->decoder ? OK : wrong(diag, option, value, "format that is known");
    case ZONE:
        return formats_zone(value, &request->limits, diag);
    case YEAR:
        return formats_year(value, &request->limits, diag);
    case TAXONOMY:
        return words_add(&request->taxonomies, value);
    case STATE_LIMIT:
    case MAX_RECORD:
        return take_size(request, option, value, diag);
    case QUIET:
        request->quiet = true;
        return OK;
    default:
        return take_log(p, option, value, diag);
    }
}

static enum err parse(struct parsing *p, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        TRY(take(p, option, value, diag));
    }
    if (!p->request->query) {
        return diag_say(diag, ERR_USAGE, "no query");
    }
    bool files = p->request->inputs.count > 0;
    if (files && p->of_log) {
        return diag_say(
                diag, ERR_USAGE, "--%s is of a centre's log, and files are named", p->of_log);
    }
    if (!files && p->of_files) {
        return diag_say(diag, ERR_USAGE, "--%s is of files: name some", p->of_files);
    }
    return OK;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct hunt_request request = {
            .limits = DECODE_LIMITS, .state_limit = STATE_BYTES, .to.offset = UINT64_MAX};
    struct parsing parsing = {.request = &request};
    struct diag diag = {0};
    int code = VERB_SOME;
    enum err e = parse(&parsing, argc, argv, &diag);
    if (e == ERR_USAGE) {
        code = verb_usage(verb, diag.words);
    } else if (e != OK) {
        verb_say("%s", diag.words[0] ? diag.words : err_name(e));
    } else {
        if (!parsing.formed) {
            request.form = isatty(STDOUT_FILENO) ? HUNT_TABLE : HUNT_JSON;
        }
        code = app->hunt(&request);
    }
    words_fini(&request.inputs);
    words_fini(&request.taxonomies);
    return code;
}

const struct verb hunt_verb = {.name = "hunt",
        .about = "search events, count and compare what they hold",
        .arguments = "[OPTION]... QUERY [INPUT]...",
        .options = options,
        .notes =
                "QUERY is a Sigma selection, and stages behind it that make a table "
                "(doc/hunt.md):\n"
                "where, since, until, fields, count, stack, top, rare, distinct, timechart, sort,\n"
                "head, first, last, join.\n"
                "INPUT is what `merlon detect` takes. Without one, what a centre has stored is\n"
                "searched, whether it runs or not, as far as it was stored when the hunt began;\n"
                "--data, --tenant, --from and --to are of that, and a time is one of receipt.\n"
                "Output is a table on a terminal and JSON lines otherwise. What was left out is\n"
                "said, and the exit code is 1 then.\n",
        .examples =
                "  merlon hunt \"CommandLine|contains: ' -enc ' | stack CommandLine by Computer\" "
                "logs\n"
                "  merlon hunt --tenant sg/health 'EventID: 4625 | count by IpAddress | top 20'\n"
                "  merlon hunt 'EventID: 4624 | join on IpAddress (EventID: 4625)' -o csv logs\n",
        .run = run};
