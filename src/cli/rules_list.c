#include "cli/rules_list.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/detect.h"
#include "cli/load.h"
#include "cli/visible.h"

enum { OUTPUT, LEVEL, PLACEHOLDERS };

static const struct option_row options[] = {
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line a rule)"},
        [LEVEL] = {"level", 0, "LEVEL", "only rules of this level and above"},
        [PLACEHOLDERS] = {"placeholders", 0, "FILE", "values of the rules' %placeholders%"},
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
        case LEVEL:
            if (!level_parse(slice_text(value), &request->level)) {
                return diag_say(diag, ERR_USAGE, "--level: '%.80s' is no level", value);
            }
            break;
        default:
            request->json = strcmp(value, "json") == 0;
            if (!request->json && strcmp(value, "table") != 0) {
                return diag_say(diag, ERR_USAGE, "--output: '%.80s' is not table or json", value);
            }
        }
    }
    if (request->load.rules.count == 0) {
        return diag_say(diag, ERR_USAGE, "no rules: name files or directories");
    }
    return OK;
}

static void add_text(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, "%s\"%s\":", out->at[out->size - 1] == '{' ? "" : ",", name);
    if (text.size == 0) {
        buf_add(out, SLICE("null"));
        return;
    }
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

static void write_json(const struct rule *rule, struct buf *out)
{
    buf_byte(out, '{');
    if (out->failed) {
        return;
    }
    add_text(out, "id", rule->id);
    add_text(out, "title", rule->title);
    add_text(out, "level", level_name(rule->level));
    add_text(out, "status", rule->status);
    add_text(out, "author", rule->author);
    add_text(out, "product", rule->logsource.product);
    add_text(out, "category", rule->logsource.category);
    add_text(out, "service", rule->logsource.service);
    add_text(out, "hash", slice_text(rule->hash));
    add_text(out, "file", rule->file);
    buf_format(out, ",\"line\":%u}\n", rule->line);
}

static void write_text(const struct rule *rule, struct buf *out)
{
    size_t used = visible_add(out, level_name(rule->level), 13);
    buf_format(out, "%*s", (int)(15 - used), "");
    used = visible_add(out, rule->title, 60);
    buf_format(out, "%*s", (int)(62 - used), "");
    const struct slice parts[] = {
            rule->logsource.product, rule->logsource.category, rule->logsource.service};
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].at) {
            visible_add(out, parts[i], 40);
            buf_byte(out, ' ');
        }
    }
    buf_byte(out, ' ');
    visible_add(out, rule->file, VISIBLE_ANY);
    buf_byte(out, '\n');
}

static int list(const struct list_request *request, struct diag *diag)
{
    struct loaded loaded;
    if (load_rules(&request->load, &loaded, diag) != OK) {
        verb_say("%s", diag->words);
        return VERB_SOME;
    }
    load_say_problems(loaded.set);
    struct buf out = {0}, shown = {0};
    for (uint32_t i = 0; i < loaded.set->rule_count; i++) {
        const struct rule *rule = loaded.set->rules[i];
        if (load_level(rule, request->level)) {
            (request->json ? write_json : write_text)(rule, &out);
        }
    }
    int code = loaded.set->problem_count == 0 && loaded.unreadable == 0 ? VERB_DONE : VERB_SOME;
    visible_lines(&shown, isatty(STDOUT_FILENO) ? buf_slice(&out) : (struct slice){0});
    const struct buf *text = isatty(STDOUT_FILENO) ? &shown : &out;
    if (out.failed || shown.failed) {
        verb_say("no memory");
        code = VERB_SOME;
    } else if (text->size > 0 &&
               (fwrite(text->at, 1, text->size, stdout) != text->size || fflush(stdout) != 0)) {
        verb_say("cannot write the list");
        code = VERB_SOME;
    }
    buf_fini(&shown);
    buf_fini(&out);
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
        .arguments = "[OPTION]... PATH...",
        .options = options,
        .examples = "  merlon rules list sigma/rules\n"
                    "  merlon rules list --level critical -o json sigma/rules\n",
        .run = run,
};
