#include "cli/archive.h"

#include "cli/formats.h"
#include "net/authorize.h"

enum { TENANT, FORMAT, TAXONOMY, QUIET, DATA };

static const struct option_row options[] = {
        [TENANT] = {"tenant", 0, "TENANT", "whose they are (default)"},
        [FORMAT] = {"format", 0, "FORMAT", "take the inputs for this: evtx, json, syslog..."},
        [TAXONOMY] = {"taxonomy", 0, "FILE", "where other logs have their time; may be repeated"},
        [QUIET] = {"quiet", 'q', NULL, "no line that says what was sealed"},
        [DATA] = {"data", 0, "DIR", "beside which the archive is (MERLON_DATA, ./merlon-data)"},
        {0},
};

static enum err take(
        struct archive_request *request, int option, const char *value, struct diag *diag)
{
    switch (option) {
    case OPTION_ARGUMENT:
        return words_add(&request->inputs, value);
    case TENANT:
        request->tenant = value;
        return value[0] && authorize_tenant_valid(slice_text(value))
                       ? OK
                       : diag_say(diag, ERR_USAGE, "--tenant: '%.80s' is no tenant's path", value);
    case FORMAT:
        request->decoder = formats_find(value);
        return request->decoder ? OK
                                : diag_say(diag, ERR_USAGE, "--format: '%.80s' is none", value);
    case TAXONOMY:
        return words_add(&request->taxonomies, value);
    case QUIET:
        request->quiet = true;
        return OK;
    case DATA:
        request->data = value;
        return OK;
    default:
        return ERR_USAGE;
    }
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct archive_request request = {.tenant = "default"};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    const char *value;
    int option, code;
    enum err e = OK;
    while (e == OK && (option = option_next(&scan, &value, &diag)) != OPTION_END) {
        e = take(&request, option, value, &diag);
    }
    if (e == OK && request.inputs.count == 0) {
        e = diag_say(&diag, ERR_USAGE, "name files or folders");
    }
    if (e == ERR_USAGE) {
        code = verb_usage(verb, diag.words);
    } else if (e != OK) {
        verb_say("%s", diag.words[0] ? diag.words : err_name(e));
        code = VERB_SOME;
    } else {
        code = app->archive_add(&request);
    }
    words_fini(&request.inputs);
    words_fini(&request.taxonomies);
    return code;
}

const struct verb archive_add_verb = {.name = "archive add",
        .about = "seal old logs into an archive",
        .arguments = "[--tenant TENANT] [OPTION]... INPUT...",
        .options = options,
        .notes = "INPUT is what `merlon detect` takes, but no pipe. Records go, as they are and "
                 "taken\n"
                 "apart into columns, into Parquet files below DIR/archive (doc/archive.md). A "
                 "file\n"
                 "whose bytes are there already is left out. Nothing of it needs a server.\n",
        .examples = "  merlon archive add --tenant sg/health /evidence/2025\n",
        .run = run};
