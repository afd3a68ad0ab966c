/* serve_rules: the process that loads the configured rules anew, when the centre starts and when it
 * is told to (SIGHUP, the API). It reads the files, and has a child without any right parse them;
 * where all is well it keeps their texts (cli/book.h) for the judge.
 *
 *     serve_rules_run(&setting);      // in a process of its own, that holds no socket
 *
 * The verdict stands in shared->reload->draft. A set in which a rule is refused is not taken, the
 * one before stays as a whole; but for rules that are refused in that one too, for the same reason.
 * The first set of all is taken without what is refused. */
#pragma once

#include "app/serve_shared.h"
#include "cli/config.h"

struct serve_rules_setting {
    struct serve_shared *shared;
    const struct config *config;
    const char *path; /* of its file, whose tenants are read anew; NULL: none */
};

/* 0: there is a verdict. */
int serve_rules_run(const struct serve_rules_setting *setting);
