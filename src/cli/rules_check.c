#include "cli/rules_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/detect.h"
#include "cli/load.h"
#include "cli/visible.h"
#include "detect/engine.h"

enum { OUTPUT, PLACEHOLDERS, TAXONOMY, QUIET };

static const struct option_row options[] = {
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line a rule)"},
        [PLACEHOLDERS] = {"placeholders", 0, "FILE", "values of the rules' %placeholders%"},
        [TAXONOMY] = {"taxonomy", 0, "FILE", "further logsources and fields; may be repeated"},
        [QUIET] = {"quiet", 'q', NULL, "only rules that are not loaded, and no count"},
        {0},
};

struct check_request {
    struct load_request load;
    bool json;
    bool quiet;
};

/* A rule, or a document that is none. */
struct check_line {
    struct slice file;
    struct slice id;
    struct slice title;
    const char *status;
    uint32_t line;
    uint32_t column; /* 0: not known */
    struct slice reason;
};

struct check_counts {
    size_t loaded;
    size_t unroutable;
    size_t refused;
};

static enum err parse(struct check_request *request, int argc, char *const *argv, struct diag *diag)
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
        case TAXONOMY:
            TRY(words_add(&request->load.taxonomies, value));
            break;
        case PLACEHOLDERS:
            request->load.placeholders = value;
            break;
        case QUIET:
            request->quiet = true;
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

static void add_member(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, "\"%s\":", name);
    if (text.size == 0) {
        buf_add(out, SLICE("null"));
        return;
    }
    buf_byte(out, '"');
    buf_json(out, text);
    buf_byte(out, '"');
}

static void add_number(struct buf *out, const char *name, uint32_t number)
{
    if (number > 0) {
        buf_format(out, ",\"%s\":%u,", name, number);
    } else {
        buf_format(out, ",\"%s\":null,", name);
    }
    out->size -= out->size > 0 && !out->failed; /* the last comma is the next member's */
}

static void write_json(const struct check_line *line, struct buf *out)
{
    buf_byte(out, '{');
    add_member(out, "file", line->file);
    buf_byte(out, ',');
    add_member(out, "id", line->id);
    buf_byte(out, ',');
    add_member(out, "status", slice_text(line->status));
    add_number(out, "line", line->line);
    add_number(out, "column", line->column);
    buf_byte(out, ',');
    add_member(out, "reason", line->reason);
    buf_add(out, SLICE("}\n"));
}

static void write_text(const struct check_line *line, struct buf *out)
{
    buf_format(out, "%-10s  ", line->status);
    visible_add(out, line->file, VISIBLE_ANY);
    if (line->line > 0) {
        buf_format(out, ":%u", line->line);
    }
    if (line->column > 0) {
        buf_format(out, ":%u", line->column);
    }
    buf_add(out, SLICE("  "));
    visible_add(out, line->title, VISIBLE_ANY);
    if (line->reason.size > 0) {
        buf_add(out, line->title.size > 0 ? SLICE(": ") : SLICE(""));
        visible_add(out, line->reason, VISIBLE_ANY);
    }
    buf_byte(out, '\n');
}

/* On a terminal JSON too is made visible: it may hold C1 controls. */
static enum err write_out(struct buf *out, struct buf *shown)
{
    struct slice text = buf_slice(out);
    if (isatty(STDOUT_FILENO)) {
        buf_clear(shown);
        visible_lines(shown, text);
        text = buf_slice(shown);
    }
    if (out->failed || shown->failed) {
        return ERR_MEMORY;
    }
    bool whole = fwrite(text.at, 1, text.size, stdout) == text.size;
    buf_clear(out);
    return whole ? OK : ERR_IO;
}

static struct check_line of_rule(
        const struct rule *rule, const struct engine *engine, struct diag *reason)
{
    struct check_line line = {
            .file = rule->file, .id = rule->id, .title = rule->title, .line = rule->line};
    *reason = (struct diag){0};
    line.status = "loaded";
    if (!engine_routable(engine, rule->number, reason)) {
        line.status = "unroutable";
        line.reason = slice_text(reason->words);
    }
    return line;
}

static struct check_line of_problem(const struct ruleset_problem *p)
{
    return (struct check_line){.file = p->file,
            .id = p->id,
            .title = p->title,
            .status = "refused",
            .line = p->line,
            .column = p->column,
            .reason = p->reason};
}

/* Both lists are in order of files and lines: merged. */
static enum err write_lines(const struct check_request *request, const struct ruleset *set,
        const struct engine *engine, struct check_counts *counts)
{
    struct buf out = {0}, shown = {0};
    struct diag reason;
    enum err e = OK;
    uint32_t r = 0, p = 0;
    while (e == OK && (r < set->rule_count || p < set->problem_count)) {
        bool problem = r == set->rule_count;
        if (r < set->rule_count && p < set->problem_count) {
            int order = slice_compare(set->problems[p].file, set->rules[r]->file);
            problem = order < 0 || (order == 0 && set->problems[p].line < set->rules[r]->line);
        }
        struct check_line line = problem ? of_problem(&set->problems[p++])
                                         : of_rule(set->rules[r++], engine, &reason);
        bool loaded = strcmp(line.status, "loaded") == 0;
        counts->loaded += loaded;
        counts->refused += problem;
        counts->unroutable += !problem && !loaded;
        if (loaded && request->quiet) {
            continue;
        }
        (request->json ? write_json : write_text)(&line, &out);
        e = write_out(&out, &shown);
    }
    buf_fini(&out);
    buf_fini(&shown);
    return e == OK && fflush(stdout) != 0 ? ERR_IO : e;
}

static int check(const struct check_request *request, struct diag *diag)
{
    struct loaded loaded;
    struct engine *engine;
    struct check_counts counts = {0};
    if (load_rules(&request->load, &loaded, diag) != OK) {
        verb_say("%s", diag->words);
        return VERB_SOME;
    }
    const struct engine_options plain = {0};
    int code = VERB_SOME;
    if (engine_new(loaded.set, loaded.taxonomy, &plain, &engine, diag) != OK) {
        verb_say("%s", diag->words);
    } else {
        enum err e = write_lines(request, loaded.set, engine, &counts);
        if (e != OK) {
            verb_say("cannot write: %s", err_name(e));
        } else if (counts.refused == 0 && loaded.unreadable == 0) {
            code = VERB_DONE;
        }
        if (!request->json && !request->quiet) {
            fprintf(stderr, "%zu loaded, %zu unroutable, %zu refused\n", counts.loaded,
                    counts.unroutable, counts.refused);
        }
        engine_free(engine);
    }
    load_fini(&loaded);
    return code;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    struct check_request request = {.load.threads = detect_cores()};
    struct diag diag = {0};
    enum err e = parse(&request, argc, argv, &diag);
    int code = VERB_SOME;
    if (e == ERR_MEMORY) {
        verb_say("no memory");
    } else {
        code = e == OK ? check(&request, &diag) : verb_usage(verb, diag.words);
    }
    words_fini(&request.load.rules);
    words_fini(&request.load.taxonomies);
    return code;
}

const struct verb rules_check_verb = {
        .name = "rules check",
        .about = "say of each rule whether it loads, and why not",
        .arguments = "[OPTION]... PATH...",
        .options = options,
        .notes = "A rule is loaded, refused (it cannot be run as it is written), or unroutable\n"
                 "(no taxonomy file says which events its logsource means). Exits with 1 when\n"
                 "any is refused.\n",
        .examples = "  merlon rules check sigma/rules\n"
                    "  merlon rules check -q my-rule.yml\n"
                    "  merlon rules check -o json sigma | jq -r 'select(.status!=\"loaded\")'\n",
        .run = run,
};
