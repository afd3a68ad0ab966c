#include "cli/rules_trial.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "cli/rules_walk.h"
#include "cli/test_file.h"
#include "cli/trial.h"
#include "cli/visible.h"

enum { OUTPUT, PLACEHOLDERS, TAXONOMY, UNTESTED, QUIET };
#define WALK_MEMORY ((size_t)256 << 20)

static const struct option_row options[] = {
        [OUTPUT] = {"output", 'o', "HOW", "table or json (a line a test)"},
        [PLACEHOLDERS] = {"placeholders", 0, "FILE", "values of the rules' %placeholders%"},
        [TAXONOMY] = {"taxonomy", 0, "FILE", "further logsources and fields; may be repeated"},
        [UNTESTED] = {"untested", 0, NULL, "files of rules without tests are failures too"},
        [QUIET] = {"quiet", 'q', NULL, "only what failed, and no count"},
        {0},
};

struct test_request {
    struct load_request load; /* its rules: paths to look for tests in */
    bool json;
    bool untested;
    bool quiet;
};

/* One run. */
struct testing {
    const struct test_request *request;
    const struct verb_app *app;
    size_t passed;
    size_t failed;
    size_t untested; /* files */
    bool broken;     /* stdout cannot be written, or no memory */
};

static enum err parse(struct test_request *request, int argc, char *const *argv, struct diag *diag)
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
        case UNTESTED:
            request->untested = true;
            break;
        case QUIET:
            request->quiet = true;
            break;
        default:
            TRY(option_json(value, &request->json, diag));
        }
    }
    return request->load.rules.count > 0
                   ? OK
                   : diag_say(diag, ERR_USAGE, "name files or folders of rules");
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* What became of a test, or of a file as a whole. */
struct test_line {
    const char *status; /* "ok", "FAIL", "none" */
    struct slice file;
    uint32_t line;
    struct slice name;
    struct slice words; /* of a failure */
};

static void write_json(const struct test_line *line, struct buf *out)
{
    buf_byte(out, '{');
    rules_walk_member(out, "file", line->file);
    buf_format(out, ",\"line\":%u,", line->line);
    rules_walk_member(out, "name", line->name);
    buf_byte(out, ',');
    rules_walk_member(out, "status", slice_text(line->status));
    buf_byte(out, ',');
    rules_walk_member(out, "reason", line->words);
    buf_add(out, SLICE("}\n"));
}

static void write_text(const struct test_line *line, struct buf *out)
{
    buf_format(out, "%-4s  ", line->status);
    rules_walk_place(out, line->file, line->line, 0);
    if (line->name.size > 0) {
        buf_add(out, SLICE("  "));
        visible_add(out, line->name, VISIBLE_ANY);
    }
    struct slice rest = line->words;
    while (rest.size > 0) {
        buf_add(out, SLICE("\n      "));
        visible_add(out, slice_cut(&rest, '\n'), VISIBLE_ANY);
    }
    buf_byte(out, '\n');
}

static void say(struct testing *t, const struct test_line *line)
{
    struct buf out = {0}, shown = {0};
    (t->request->json ? write_json : write_text)(line, &out);
    struct slice text = buf_slice(&out);
    if (isatty(STDOUT_FILENO)) {
        visible_lines(&shown, text);
        text = buf_slice(&shown);
    }
    t->broken |= out.failed || shown.failed || fwrite(text.at, 1, text.size, stdout) != text.size;
    buf_fini(&out);
    buf_fini(&shown);
}

static void fail_file(struct testing *t, const char *path, const struct diag *diag)
{
    struct test_line line = {.status = "FAIL",
            .file = slice_text(path),
            .line = diag->line,
            .words = slice_text(diag->words)};
    t->failed++;
    say(t, &line);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void run_case(struct testing *t, const struct test_file *file, const struct test_case *test)
{
    struct trial trial = {file, test, &t->request->load};
    struct trial_result result;
    struct diag diag = {0};
    struct test_line line = {.status = "FAIL",
            .file = slice_text(file->path),
            .line = test->line,
            .name = test->name};
    enum err e = trial_run(&trial, t->app, &result, &diag);
    bool passed = e == OK && result.passed;
    t->passed += passed;
    t->failed += !passed;
    if (passed) {
        line.status = "ok";
    } else {
        line.words = e == OK ? buf_slice(&result.words) : slice_text(diag.words);
    }
    if (!passed || !t->request->quiet) {
        say(t, &line);
    }
    trial_result_fini(&result);
}

static void run_file(struct testing *t, const char *path)
{
    struct test_file file;
    struct diag diag = {0};
    if (test_file_read(path, &file, &diag) != OK) {
        fail_file(t, path, &diag);
        return;
    }
    if (access(file.rule_path, R_OK) != 0) {
        diag_say(&diag, ERR_NOT_FOUND, "no file of rules beside it: %s", file.rule_path);
        fail_file(t, path, &diag);
    } else {
        for (size_t i = 0; i < file.count; i++) {
            run_case(t, &file, &file.cases[i]);
        }
    }
    test_file_fini(&file);
}

/* The test file beside a file of rules; false: there is none. */
static bool find_tests(const char *path, struct buf *out)
{
    const char *dot = strrchr(path, '.');
    buf_clear(out);
    buf_add(out, slice_of(path, (size_t)(dot - path)));
    buf_add(out, SLICE(".test"));
    buf_add(out, slice_text(dot));
    buf_byte(out, '\0');
    return !out->failed && access(out->at, F_OK) == 0;
}

/* A file of rules: its tests, where it was named itself; else these come by their own name. */
static void run_rules(struct testing *t, const char *path, bool named)
{
    struct buf tests = {0};
    if (!find_tests(path, &tests)) {
        struct test_line line = {
                .status = t->request->untested ? "FAIL" : "none", .file = slice_text(path)};
        line.words = SLICE("no tests beside it");
        t->untested++;
        t->failed += t->request->untested;
        if (t->request->untested || !t->request->quiet) {
            say(t, &line);
        }
    } else if (named) {
        run_file(t, tests.at);
    }
    buf_fini(&tests);
}

static void run_path(struct testing *t, struct arena *arena, const char *path)
{
    static const char *const suffixes[] = {".yml", ".yaml", NULL};
    struct files_list list;
    struct diag diag = {0};
    if (files_walk(arena, path, suffixes, &list, &diag) != OK) {
        fail_file(t, path, &diag);
        return;
    }
    for (size_t i = 0; i < list.refusal_count; i++) {
        diag_say(&diag, ERR_IO, "%s", list.refusals[i].reason);
        fail_file(t, list.refusals[i].path, &diag);
    }
    for (size_t i = 0; i < list.count && !t->broken; i++) {
        struct slice name = slice_text(list.paths[i]);
        if (ruleset_is_test(name)) {
            run_file(t, list.paths[i]);
        } else if (slice_ends(name, SLICE(".yml")) || slice_ends(name, SLICE(".yaml"))) {
            run_rules(t, list.paths[i], !list.is_directory);
        } else {
            diag_say(&diag, ERR_SYNTAX, "no file of rules (.yml)");
            fail_file(t, list.paths[i], &diag);
        }
    }
}

static int test(const struct test_request *request, const struct verb_app *app)
{
    struct testing t = {.request = request, .app = app};
    for (size_t i = 0; i < request->load.rules.count; i++) {
        struct arena arena;
        arena_init(&arena, WALK_MEMORY);
        run_path(&t, &arena, request->load.rules.at[i]);
        arena_fini(&arena);
    }
    if (t.broken || fflush(stdout) != 0) {
        verb_say("cannot write the results, or no memory for them");
        return VERB_SOME;
    }
    if (!request->quiet) {
        fprintf(stderr, "%zu passed, %zu failed; %zu files of rules without tests\n", t.passed,
                t.failed, t.untested);
    }
    return t.failed == 0 ? VERB_DONE : VERB_SOME;
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    struct test_request request = {0};
    struct diag diag = {0};
    enum err e = parse(&request, argc, argv, &diag);
    int code = e == OK ? test(&request, app) : verb_usage(verb, diag.words);
    words_fini(&request.load.rules);
    words_fini(&request.load.taxonomies);
    return code;
}

const struct verb rules_trial_verb = {
        .name = "rules test",
        .about = "run the tests that stand beside rules",
        .arguments = "[OPTION]... PATH...",
        .options = options,
        .notes = "Beside RULE.yml stands RULE.test.yml: events, and which of them the rule "
                 "finds:\n\n"
                 "  tests:\n"
                 "    - name: a password is guessed\n"
                 "      match: all             # or none, a number of findings, [1, 3]: records\n"
                 "      lines: |               # or events: a list of maps; or file: a path\n"
                 "        {\"program\":\"sshd\",\"message\":\"Failed password for root\"}\n\n"
                 "doc/rules.md has the rest. Each test is judged as detect judges. Exits with 1\n"
                 "when any fails.\n",
        .examples = "  merlon rules test rules\n"
                    "  merlon rules test -q --untested my-rules\n",
        .run = run,
};
