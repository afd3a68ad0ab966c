#include "cli/config_check.h"

#include <stdio.h>

#include "cli/config.h"
#include "cli/config_inputs.h"
#include "cli/load.h"
#include "cli/visible.h"

static const struct option_row options[] = {{0}};

static void print(const struct config *config)
{
    struct buf out = {0};
    buf_format(&out, "data %s\n", config->data);
    for (size_t i = 0; i < config->rules.count; i++) {
        buf_format(&out, "rules %s\n", config->rules.at[i]);
    }
    for (size_t i = 0; i < config->input_count; i++) {
        const struct intake_input *input = &config->inputs[i];
        buf_format(&out, "input %.*s: %.*s ", SLICE_ARG(input->name), SLICE_ARG(input->kind));
        config_inputs_where(input, &out);
        buf_format(&out, ", tenant %.*s, format ", SLICE_ARG(input->tenant));
        buf_add(&out, input->format.size > 0 ? input->format : SLICE("by content"));
        buf_byte(&out, '\n');
    }
    for (size_t i = 0; i < config->outputs.count; i++) {
        const struct config_output *output = &config->outputs.at[i];
        buf_format(&out, "output %.*s: %.*s to %.*s\n", SLICE_ARG(output->name),
                SLICE_ARG(output->kind), SLICE_ARG(output->url));
    }
    if (config->api.address.size > 0) {
        buf_format(&out, "api at %.*s%s\n", SLICE_ARG(config->api.address),
                config->api.certificate.size > 0 ? ", TLS" : "");
    }
    struct buf shown = {0};
    visible_lines(&shown, buf_slice(&out));
    fwrite(shown.at ? shown.at : "", 1, shown.size, stdout);
    buf_fini(&shown);
    buf_fini(&out);
}

static int check(const char *path)
{
    struct config config;
    struct diag diag = {0};
    if (config_read(&config, path, &diag) != OK) {
        struct buf place = {0};
        load_place(&diag, &place);
        verb_say("%s%.*s", path, SLICE_ARG(buf_slice(&place)));
        buf_fini(&place);
        return VERB_SOME;
    }
    print(&config);
    config_fini(&config);
    return VERB_DONE;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    struct diag diag = {0};
    const char *path = NULL, *value;
    int option;
    while ((option = option_next(&scan, &value, &diag)) != OPTION_END) {
        if (option == OPTION_WRONG) {
            return verb_usage(verb, diag.words);
        }
        if (path) {
            return verb_usage(verb, "takes one file");
        }
        path = value;
    }
    return path ? check(path) : verb_usage(verb, "which file?");
}

const struct verb config_check_verb = {.name = "config check",
        .about = "whether `merlon serve` would take a configuration",
        .arguments = "FILE",
        .options = options,
        .notes = "Prints what it says, with what it leaves to the defaults; doc/serve.md has the "
                 "keys.\n",
        .examples = "  merlon config check /etc/merlon/serve.yml\n",
        .run = run};
