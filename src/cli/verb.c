#include "cli/verb.h"
#include "cli/archive.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/config_check.h"
#include "cli/detect.h"
#include "cli/doctor.h"
#include "cli/findings.h"
#include "cli/help.h"
#include "cli/hunt.h"
#include "cli/hunt_book.h"
#include "cli/log_cat.h"
#include "cli/log_verify.h"
#include "cli/replay.h"
#include "cli/rules_add.h"
#include "cli/rules_backtest.h"
#include "cli/rules_check.h"
#include "cli/rules_diff.h"
#include "cli/rules_explain.h"
#include "cli/rules_list.h"
#include "cli/rules_packs.h"
#include "cli/rules_remove.h"
#include "cli/rules_trial.h"
#include "cli/rules_update.h"
#include "cli/serve.h"
#include "cli/sources.h"
#include "cli/status.h"
#include "cli/tail.h"
#include "cli/token_add.h"
#include "cli/token_list.h"
#include "cli/token_revoke.h"
#include "cli/version.h"
#include "cli/visible.h"

const struct verb *const verb_table[] = {
        &archive_add_verb,
        &archive_cat_verb,
        &archive_list_verb,
        &archive_verify_verb,
        &config_check_verb,
        &detect_verb,
        &doctor_verb,
        &findings_verb,
        &hunt_verb,
        &hunt_book_verb,
        &log_cat_verb,
        &log_verify_verb,
        &replay_verb,
        &rules_add_verb,
        &rules_backtest_verb,
        &rules_check_verb,
        &rules_diff_verb,
        &rules_explain_verb,
        &rules_list_verb,
        &rules_packs_verb,
        &rules_remove_verb,
        &rules_trial_verb,
        &rules_update_verb,
        &serve_verb,
        &sources_verb,
        &status_verb,
        &tail_verb,
        &token_add_verb,
        &token_list_verb,
        &token_revoke_verb,
        &version_verb,
        &help_verb,
        NULL,
};

void verb_say(const char *format, ...)
{
    char words[4096];
    struct buf line = {0};
    va_list args;
    va_start(args, format);
    int n = vsnprintf(words, sizeof words, format, args);
    va_end(args);
    if (n > 0) {
        visible_add(&line, slice_text(words), VISIBLE_ANY);
        fprintf(stderr, "merlon: %.*s\n", SLICE_ARG(buf_slice(&line)));
    }
    buf_fini(&line);
}

int verb_usage(const struct verb *verb, const char *words)
{
    if (verb) {
        verb_say("%s: %s", verb->name, words);
        fprintf(stderr, "Try: merlon help %s\n", verb->name);
    } else {
        verb_say("%s", words);
        fprintf(stderr, "Try: merlon help\n");
    }
    return VERB_USAGE;
}

/* How many words of argv are the verb's name; 0: it is another. */
static int name_words(const struct verb *verb, int argc, char *const *argv)
{
    struct slice rest = slice_text(verb->name);
    int words = 0;
    while (rest.size > 0) {
        struct slice word = slice_cut(&rest, ' ');
        if (words >= argc || !slice_equal(word, slice_text(argv[words]))) {
            return 0;
        }
        words++;
    }
    return words;
}

static bool asks_help(int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            return false;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

/* The second words of the verbs that begin with this one: "add, list or revoke"; how many. */
static size_t name_group(const char *word, struct buf *out)
{
    size_t count = 0, size = strlen(word);
    const char *last = NULL;
    for (const struct verb *const *v = verb_table; *v; v++) {
        if (strncmp((*v)->name, word, size) != 0 || (*v)->name[size] != ' ') {
            continue;
        }
        if (last) {
            buf_format(out, "%s%s", count > 1 ? ", " : "", last);
        }
        last = (*v)->name + size + 1;
        count++;
    }
    if (last) {
        buf_format(out, "%s%s", count > 1 ? " or " : "", last);
    }
    return count;
}

static int unknown(int argc, char *const *argv)
{
    const char *names[sizeof verb_table / sizeof *verb_table];
    struct diag diag;
    struct buf parts = {0};
    char word[128];
    size_t count = 0;
    bool group = name_group(argv[0], &parts) > 0;
    snprintf(word, sizeof word, "%s%s%s", argv[0], group && argc > 1 ? " " : "",
            group && argc > 1 ? argv[1] : "");
    for (const struct verb *const *v = verb_table; *v; v++) {
        names[count++] = (*v)->name;
    }
    names[count] = NULL;
    const char *near = option_nearest(word, names);
    if (group && argc == 1) {
        diag_say(&diag, ERR_USAGE, "%s: %.*s?", word, SLICE_ARG(buf_slice(&parts)));
    } else if (near) {
        diag_say(&diag, ERR_USAGE, "there is no verb '%s'; did you mean '%s'?", word, near);
    } else {
        diag_say(&diag, ERR_USAGE, "there is no verb '%s'", word);
    }
    buf_fini(&parts);
    return verb_usage(NULL, diag.words);
}

int verb_main(const struct verb_app *app, int argc, char *const *argv)
{
    if (argc == 0) {
        help_overview(stderr);
        return VERB_USAGE;
    }
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0) {
        return version_verb.run(&version_verb, app, 0, NULL);
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        return help_verb.run(&help_verb, app, argc - 1, argv + 1);
    }
    const struct verb *verb = NULL;
    int words = 0;
    for (const struct verb *const *v = verb_table; *v; v++) {
        int n = name_words(*v, argc, argv);
        if (n > words) { /* "hunt book", and not "hunt" */
            words = n;
            verb = *v;
        }
    }
    if (!verb) {
        return unknown(argc, argv);
    }
    if (asks_help(argc - words, argv + words)) {
        return verb_help(verb);
    }
    return verb->run(verb, app, argc - words, argv + words);
}

static void help_option(const struct option_row *row)
{
    char left[64];
    char letter[8] = "    ";
    if (!row->about) {
        return;
    }
    if (row->letter) {
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    }
    snprintf(left, sizeof left, "%s--%s%s%s", letter, row->name, row->value ? " " : "",
            row->value ? row->value : "");
    printf("  %-26s %s\n", left, row->about);
}

int verb_help(const struct verb *verb)
{
    printf("merlon %s - %s\n\nUsage: merlon %s %s\n", verb->name, verb->about, verb->name,
            verb->arguments);
    if (verb->options && verb->options[0].name) {
        printf("\nOptions:\n");
        for (const struct option_row *row = verb->options; row->name; row++) {
            help_option(row);
        }
    }
    if (verb->notes) {
        printf("\n%s", verb->notes);
    }
    if (verb->examples) {
        printf("\nExamples:\n%s", verb->examples);
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? VERB_DONE : VERB_SOME;
}
