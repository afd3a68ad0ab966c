#include "cli/version.h"

#include <stdio.h>

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    (void)argv;
    if (argc > 0) {
        return verb_usage(verb, "takes no arguments");
    }
    printf("merlon " MERLON_VERSION "\n");
    return fflush(stdout) == 0 ? VERB_DONE : VERB_SOME;
}

const struct verb version_verb = {
        .name = "version",
        .about = "print the version",
        .arguments = "",
        .examples = "  merlon version\n",
        .run = run,
};
