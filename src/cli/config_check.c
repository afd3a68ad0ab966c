#include "cli/config_check.h"

#include <stdio.h>

#include "cli/book.h"
#include "cli/config.h"
#include "cli/config_inputs.h"
#include "cli/load.h"
#include "cli/visible.h"
#include "net/authorize.h"

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

static size_t count_rules(
        const struct config_tenants *tenants, struct slice tenant, const struct ruleset *set)
{
    size_t count = 0;
    for (uint32_t r = 0; r < set->rule_count; r++) {
        bool takes = !set->rules[r]->exception.at;
        for (size_t i = 0; i < tenants->count && takes; i++) {
            takes = !authorize_covers(tenants->at[i].tenant, tenant) ||
                    config_tenants_takes(&tenants->at[i], set->rules[r]);
        }
        count += takes;
    }
    return count;
}

static size_t count_exceptions(struct slice tenant, const struct ruleset *set)
{
    size_t count = 0;
    for (uint32_t r = 0; r < set->rule_count; r++) {
        struct slice of = set->rules[r]->exception;
        count += of.at && authorize_covers(of, tenant);
    }
    return count;
}

/* Which rules are whose, and whether what exceptions name is there. */
static void print_tenants(const struct config_tenants *tenants, const struct ruleset *set)
{
    struct buf out = {0}, shown = {0};
    for (size_t i = 0; i < tenants->count; i++) {
        struct slice tenant = tenants->at[i].tenant;
        buf_format(&out, "tenant %.*s: %zu rules, %zu exceptions\n", SLICE_ARG(tenant),
                count_rules(tenants, tenant, set), count_exceptions(tenant, set));
    }
    visible_lines(&shown, buf_slice(&out));
    fwrite(shown.at ? shown.at : "", 1, shown.size, stdout);
    buf_clear(&out);
    load_missing(set, &out);
    for (struct slice rest = buf_slice(&out); rest.size > 0;) {
        struct slice line = slice_cut(&rest, '\n');
        verb_say("%.*s", SLICE_ARG(line));
    }
    buf_fini(&shown);
    buf_fini(&out);
}

static bool is_exception(const struct config_tenants *tenants, struct slice file)
{
    for (size_t i = 0; i < tenants->count; i++) {
        for (size_t k = 0; k < tenants->at[i].exception_count; k++) {
            if (slice_equal(tenants->at[i].exceptions[k], file)) {
                return true;
            }
        }
    }
    return false;
}

/* The rules are read only where some tenant has a part of them; true: nothing is wrong. */
static bool check_tenants(const struct config *config)
{
    const struct load_request request = {
            .rules = config->rules, .taxonomies = config->taxonomies, .packs = true};
    struct loaded loaded = {0};
    struct buf book = {0};
    struct diag diag = {0};
    enum err e = book_collect(&request, &config->tenants, &book, &diag);
    if (e == OK) {
        e = book_load(buf_slice(&book), &loaded, &diag);
    }
    bool good = e == OK;
    if (good) {
        print_tenants(&config->tenants, loaded.set);
        for (uint32_t i = 0; i < loaded.set->problem_count; i++) {
            const struct ruleset_problem *p = &loaded.set->problems[i];
            if (is_exception(&config->tenants, p->file)) {
                verb_say("%.*s:%u:%u: exception refused: %.*s", SLICE_ARG(p->file), p->line,
                        p->column, SLICE_ARG(p->reason));
                good = false;
            }
        }
    } else {
        verb_say("rules: %s", diag.words);
    }
    load_fini(&loaded);
    buf_fini(&book);
    return good;
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
    bool good = config.tenants.count == 0 || check_tenants(&config);
    config_fini(&config);
    return good ? VERB_DONE : VERB_SOME;
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
