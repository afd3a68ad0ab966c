#include "cli/help.h"

#include <string.h>

void help_overview(FILE *to)
{
    fprintf(to, "merlon - Sigma rules over logs, exactly and fast\n\n"
                "Usage: merlon VERB ...\n\n");
    for (const struct verb *const *v = verb_table; *v; v++) {
        fprintf(to, "  %-15s %s\n", (*v)->name, (*v)->about);
    }
    fprintf(to, "\nStart with:\n"
                "  merlon detect -r sigma/rules/windows logs/\n\n"
                "merlon help VERB tells more. Exit: 0 all read, 1 something could not be read\n"
                "(named on stderr), 2 the command line makes no sense.\n");
}

static int run(const struct verb *verb, const struct verb_app *app, int argc, char *const *argv)
{
    (void)app;
    char name[128];
    if (argc == 0) {
        help_overview(stdout);
        return fflush(stdout) == 0 ? VERB_DONE : VERB_SOME;
    }
    snprintf(name, sizeof name, "%s%s%s", argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
    bool found = false;
    for (const struct verb *const *v = verb_table; *v; v++) {
        size_t size = strlen(name);
        bool group = strncmp((*v)->name, name, size) == 0 && (*v)->name[size] == ' ';
        if (strcmp((*v)->name, name) == 0 || group) {
            if (found) {
                putchar('\n');
            }
            found = true;
            if (verb_help(*v) != VERB_DONE) {
                return VERB_SOME;
            }
        }
    }
    return found ? VERB_DONE : verb_usage(verb, "there is no such verb");
}

const struct verb help_verb = {
        .name = "help",
        .about = "this list, or more of one verb",
        .arguments = "[VERB]",
        .examples = "  merlon help detect\n"
                    "  merlon help rules\n",
        .run = run,
};
