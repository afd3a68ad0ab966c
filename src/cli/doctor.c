#include "cli/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/doctor_parts.h"
#include "cli/load.h"
#include "cli/visible.h"

enum { CONFIG, DATA, TOKEN };

static const struct option_row options[] = {
        [CONFIG] = {"config", 'c', "FILE", "configuration of the centre (YAML); without one: none"},
        [DATA] = {"data", 0, "DIR", "where everything is kept (MERLON_DATA, or ./merlon-data)"},
        [TOKEN] = {"token", 0, "TOKEN", "of a reader, to ask the centre (MERLON_TOKEN)"},
        {0},
};

/* ---- the report --------------------------------------------------------------------------------
 */

__attribute__((format(printf, 4, 0))) static void line(
        const char *how, const char *what, const char *mend, const char *format, va_list words)
{
    char text[2000];
    struct buf out = {0}, shown = {0};
    vsnprintf(text, sizeof text, format, words);
    buf_format(&out, "%-5s %s: ", how, what);
    buf_add(&out, slice_text(text));
    if (mend) {
        buf_add(&out, SLICE("\n      "));
        buf_add(&out, slice_text(mend));
    }
    buf_byte(&out, '\n');
    visible_lines(&shown, buf_slice(&out));
    fwrite(shown.at ? shown.at : "", 1, shown.size, stdout);
    buf_fini(&out);
    buf_fini(&shown);
}

void doctor_good(const char *what, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    line("ok", what, NULL, format, words);
    va_end(words);
}

void doctor_doubt(struct doctor *d, const char *what, const char *mend, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    line("doubt", what, mend, format, words);
    va_end(words);
    d->doubtful++;
}

void doctor_wrong(struct doctor *d, const char *what, const char *mend, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    line("WRONG", what, mend, format, words);
    va_end(words);
    d->wrong++;
}

/* ---- the verb ----------------------------------------------------------------------------------
 */

struct request {
    const char *config, *data, *token;
};

static enum err parse(struct request *request, struct option_scan *scan, struct diag *diag)
{
    const char *value;
    int option;
    while ((option = option_next(scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            return diag_say(diag, ERR_USAGE, "takes no argument: '%.80s'", value);
        case CONFIG:
            request->config = value;
            break;
        case DATA:
            request->data = value;
            break;
        default:
            request->token = value;
        }
    }
    return OK;
}

/* In the order in which they make sense: the directory says whether a centre runs. */
static void (*const looks[])(struct doctor *d) = {
        doctor_system_clock,
        doctor_system_kernel,
        doctor_system_limits,
        doctor_system_data,
        doctor_system_ports,
        doctor_setup_rules,
        doctor_setup_certificates,
        doctor_setup_tokens,
        doctor_setup_tenants,
        doctor_setup_sources,
};

static bool read_config(struct doctor *d, const char *path)
{
    struct diag diag = {0};
    if (config_read(&d->config, path, &diag) == OK) {
        if (path) {
            doctor_good("configuration", "%s", path);
        }
        return true;
    }
    struct buf place = {0};
    load_place(&diag, &place);
    doctor_wrong(d, "configuration", "doc/serve.md has the keys; nothing else can be looked at",
            "%s%.*s", path ? path : "", SLICE_ARG(buf_slice(&place)));
    buf_fini(&place);
    return false;
}

static int look(const struct request *request)
{
    struct doctor d = {.token = request->token ? request->token : getenv("MERLON_TOKEN")};
    if (read_config(&d, request->config)) {
        if (request->data) {
            d.config.data = request->data;
        }
        for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
            looks[i](&d);
        }
        config_fini(&d.config);
    }
    printf("%u wrong, %u doubtful\n", d.wrong, d.doubtful);
    return fflush(stdout) == 0 && d.wrong == 0 ? VERB_DONE : VERB_SOME;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    struct request request = {0};
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    enum err e = parse(&request, &scan, &diag);
    return e == OK ? look(&request) : verb_usage(verb, diag.words);
}

const struct verb doctor_verb = {.name = "doctor",
        .about = "find what is wrong with a centre's set-up",
        .arguments = "[-c FILE] [--data DIR]",
        .options = options,
        .notes =
                "Looks at the clock, the kernel, limits, the directory, ports, rules, "
                "certificates,\n"
                "tokens, tenants and, with a token, at silent sources. Each line is ok, doubt or\n"
                "WRONG, and the next says how to mend it. Run it as the user that the centre runs\n"
                "as; it changes nothing. Exit code 1: something is wrong.\n",
        .examples = "  merlon doctor\n"
                    "  sudo -u merlon merlon doctor -c /etc/merlon/serve.yml\n",
        .run = run};
