/* trial: one test of a rule, run as `merlon detect` would run it.
 *
 *     struct trial trial = {.file = &file, .test = &file.cases[0], ...};
 *     TRY(trial_run(&trial, app, &result, diag));
 *     if (!result.passed) ... result.words
 *     trial_result_fini(&result);
 *
 * A child process judges the test's events by the rule's file alone (and those that the test file
 * names), sealed like any other run; its findings come back through a file in memory. */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "cli/load.h"
#include "cli/test_file.h"
#include "cli/verb.h"

struct trial {
    const struct test_file *file;
    const struct test_case *test;
    const struct load_request *load; /* its taxonomies and placeholders */
};

struct trial_result {
    bool passed;
    struct buf words; /* what was expected, and what came, where it did not pass */
};

/* Fails only where it could not be tried at all. */
enum err trial_run(const struct trial *trial, const struct verb_app *app,
        struct trial_result *result, struct diag *diag) MUST_CHECK;
void trial_result_fini(struct trial_result *result);
