/* Starts the program. */
#include "app/run.h"
#include "cli/verb.h"

int main(int argc, char **argv)
{
    static const struct verb_app app = {.detect = run_detect, .seal = run_seal};
    return verb_main(&app, argc - 1, argv + 1);
}
