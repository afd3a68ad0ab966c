/* verb: what `merlon` can be told to do: a table, one file a row.
 *
 *     merlon rules check sigma/rules
 *            ---------- verb "rules check", argv {"sigma/rules"}
 *
 * Verbs parse their words, and call what does the work. What only src/app/ knows (all stages
 * together, the seal) reaches them as struct verb_app. */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "cli/option.h"

/* Exit codes. */
enum {
    VERB_DONE = 0,  /* everything was read */
    VERB_SOME = 1,  /* something could not be read or written; each is named on stderr */
    VERB_USAGE = 2, /* the words make no sense */
};

struct detect_request;
struct serve_request;
struct replay_request;
struct hunt_request;
struct hunt_book_request;
struct archive_request;
struct inputs;
struct look;

struct verb_app {
    int (*detect)(const struct detect_request *request);
    int (*serve)(const struct serve_request *request);
    int (*replay)(const struct replay_request *request);
    int (*hunt)(const struct hunt_request *request);
    int (*hunt_book)(const struct hunt_book_request *request);
    int (*archive_add)(const struct archive_request *request);
    /* Gives up everything but reading the inputs and writing what is open. */
    enum err (*seal)(struct inputs *inputs, struct diag *diag);
    /* Reads inputs into a survey (cli/look.h). */
    enum err (*look)(struct look *look, struct diag *diag);
};

struct verb {
    const char *name;      /* "rules check" */
    const char *about;     /* half a line */
    const char *arguments; /* "-r RULES INPUT..." */
    const struct option_row *options;
    const char *notes;    /* further help, whole lines; may be NULL */
    const char *examples; /* whole lines */
    int (*run)(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv);
};

/* All verbs in the order of the help, ended by NULL. */
extern const struct verb *const verb_table[];

/* main(): finds the verb and runs it; returns the exit code. argv without the program's name. */
int verb_main(const struct verb_app *app, int argc, char *const *argv);
/* Says what is wrong with the words and where help is; returns VERB_USAGE. verb NULL: merlon's
 * own. */
int verb_usage(const struct verb *verb, const char *words);
/* A verb's help on stdout; VERB_DONE or VERB_SOME. */
int verb_help(const struct verb *verb);
/* "merlon: words" on stderr, control bytes made visible. */
void verb_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
