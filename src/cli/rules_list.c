#include "cli/rules_list.h"

#include <stdio.h>
#include <string.h>

#include "cli/detect.h"
#include "cli/load.h"
#include "cli/rules_walk.h"
#include "cli/visible.h"
#include "sigma/correlation.h"

enum { OUTPUT, LEVEL, PLACEHOLDERS, DATA };

static const struct option_row options[] = {
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line a rule)"},
        [LEVEL] = {"level", 0, "LEVEL", "only rules of this level and above"},
        [PLACEHOLDERS] = {"placeholders", 0, "FILE", "values of the rules' %placeholders%"},
        [DATA] = {"data", 0, "DIR", "where installed packs of rules are kept"},
        {0},
};

struct list_request {
    struct load_request load;
    enum level level;
    bool json;
};

static enum err parse(struct list_request *request, int argc, char *const *argv, struct diag *diag)
{
    struct option_scan scan = {.rows = options, .argc = argc, .argv = argv};
    const char *value;
    int option;
    while ((option = option_next(&scan, &value, diag)) != OPTION_END) {
        switch (option) {
        case OPTION_WRONG:
            return ERR_USAGE;
        case OPTION_ARGUMENT:
            TRY(words_add(&request->load.rules, value));
            break;
        case PLACEHOLDERS:
            request->load.placeholders = value;
            break;
        case DATA:
            request->load.data = value;
            break;
        case LEVEL:
            if (!level_parse(slice_text(value), &request->level)) {
                return diag_say(diag, ERR_USAGE, "--level: '%.80s' is no level", value);
            }
            break;
        default:
            TRY(option_json(value, &request->json, diag));
        }
    }
    request->load.packs = true;
    return OK;
}

static void write_json(const struct rule *rule, struct buf *out)
{
    buf_byte(out, '{');
    rules_walk_member(out, "id", rule->id);
    buf_byte(out, ',');
    rules_walk_member(out, "title", rule->title);
    buf_byte(out, ',');
    rules_walk_member(out, "level", level_name(rule->level));
    buf_byte(out, ',');
    rules_walk_member(out, "status", rule->status);
    buf_byte(out, ',');
    rules_walk_member(out, "author", rule->author);
    buf_byte(out, ',');
    rules_walk_member(out, "product", rule->logsource.product);
    buf_byte(out, ',');
    rules_walk_member(out, "category", rule->logsource.category);
    buf_byte(out, ',');
    rules_walk_member(out, "service", rule->logsource.service);
    buf_byte(out, ',');
    rules_walk_member(out, "correlation",
            rule->correlation ? correlation_type_name(rule->correlation->type) : (struct slice){0});
    buf_byte(out, ',');
    rules_walk_member(out, "hash", slice_text(rule->hash));
    buf_byte(out, ',');
    rules_walk_member(out, "file", rule->file);
    buf_format(out, ",\"line\":%u}\n", rule->line);
}

static void write_source(const struct rule *rule, struct buf *out)
{
    const struct slice parts[] = {
            rule->logsource.product, rule->logsource.category, rule->logsource.service};
    if (rule->correlation) {
        buf_add(out, correlation_type_name(rule->correlation->type));
        buf_byte(out, ' ');
    }
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].at) {
            visible_add(out, parts[i], 40);
            buf_byte(out, ' ');
        }
    }
}

static void write_text(const struct rule *rule, struct buf *out)
{
    size_t used = visible_add(out, level_name(rule->level), 13);
    buf_format(out, "%*s", (int)(15 - used), "");
    used = visible_add(out, rule->title, 60);
    buf_format(out, "%*s", (int)(62 - used), "");
    write_source(rule, out);
    buf_byte(out, ' ');
    visible_add(out, rule->file, VISIBLE_ANY);
    buf_byte(out, '\n');
}

static void write_item(void *context, const struct rules_walk_item *item, struct buf *out)
{
    const struct list_request *request = context;
    if (item->rule && load_level(item->rule, request->level)) {
        (request->json ? write_json : write_text)(item->rule, out);
    }
}

static int list(struct list_request *request, struct diag *diag)
{
    struct loaded loaded;
    if (load_rules(&request->load, &loaded, diag) != OK) {
        verb_say("%s", diag->words);
        return VERB_SOME;
    }
    load_say_problems(loaded.set);
    int code = loaded.set->problem_count == 0 && loaded.unreadable == 0 ? VERB_DONE : VERB_SOME;
    enum err e = rules_walk(loaded.set, write_item, request);
    if (e != OK) {
        verb_say("cannot write the list: %s", err_name(e));
        code = VERB_SOME;
    }
    load_fini(&loaded);
    return code;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    struct list_request request = {.load.threads = detect_cores()};
    struct diag diag = {0};
    enum err e = parse(&request, argc, argv, &diag);
    int code = VERB_SOME;
    if (e == ERR_MEMORY) {
        verb_say("no memory");
    } else {
        code = e == OK ? list(&request, &diag) : verb_usage(verb, diag.words);
    }
    words_fini(&request.load.rules);
    return code;
}

const struct verb rules_list_verb = {
        .name = "rules list",
        .about = "list the rules: level, title, logsource, file",
        .arguments = "[OPTION]... [PATH]...",
        .options = options,
        .notes = "Without PATH the rules of the installed packs.\n",
        .examples = "  merlon rules list sigma/rules\n"
                    "  merlon rules list --level critical -o json sigma/rules\n",
        .run = run,
};
