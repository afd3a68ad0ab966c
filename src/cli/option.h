/* option: command-line options from a table.
 *
 *     static const struct option_row rows[] = {
 *             {"jobs", 'j', "N", "threads that judge"},
 *             {"quiet", 'q', NULL, "no progress and no summary"},
 *             {0}};
 *     struct option_scan scan = {.rows = rows, .argc = argc, .argv = argv};
 *     while ((i = option_next(&scan, &value, diag)) >= 0) ... rows[i]
 *     OPTION_ARGUMENT is below zero too: see the callers.
 *
 * `--jobs=4`, `--jobs 4`, `-j4` and `-j 4` are the same; after `--` everything is an argument; `-`
 * alone is one. */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "base/err.h"

struct option_row {
    const char *name;  /* without the dashes; NULL ends the table */
    char letter;       /* 0: none */
    const char *value; /* its value's name, NULL: takes none */
    const char *about; /* for the help; NULL: not shown there */
};

struct option_scan {
    const struct option_row *rows;
    int argc;
    char *const *argv;
    int at; /* the next word */
    bool only_arguments;
};

enum { OPTION_ARGUMENT = -1, OPTION_END = -2, OPTION_WRONG = -3 };

/* The next option's row with its value (NULL when it takes none); OPTION_ARGUMENT with the
 * argument; OPTION_END; OPTION_WRONG: diag says what is wrong, and what may have been meant. */
int option_next(struct option_scan *scan, const char **value, struct diag *diag);
/* The one of `names` (ended by NULL) that is nearest to `word`, or NULL: for "did you mean". */
const char *option_nearest(const char *word, const char *const *names);
/* A whole number within [least, most]; false: it is none. */
bool option_number(const char *text, long least, long most, long *out);
/* Bytes, with an optional K, M or G (of 1,024): "16M". false: it is none, or over `most`. */
bool option_bytes(const char *text, unsigned long most, unsigned long *out);
/* What --output of most verbs takes: `table` or `json`. ERR_USAGE: diag says so. */
enum err option_json(const char *value, bool *json, struct diag *diag) MUST_CHECK;
