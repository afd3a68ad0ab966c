/* Starts the program. */
#include <fcntl.h>
#include <unistd.h>

#include "app/archive_add.h"
#include "app/hunt_book.h"
#include "app/hunt_run.h"
#include "app/replay.h"
#include "app/run.h"
#include "app/serve.h"
#include "base/memory.h"
#include "cli/verb.h"

/* Where a standard stream is closed, the next file opened would take its place and be written to.
 * Something that cannot be written stands in for it. */
static void hold_standard_streams(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    close(fd);
}

int main(int argc, char **argv)
{
    static const struct verb_app app = {.detect = run_detect,
            .serve = serve_run,
            .replay = replay_run,
            .hunt = hunt_run,
            .hunt_book = hunt_book_run,
            .archive_add = archive_add_run,
            .seal = run_seal,
            .look = run_look};
    hold_standard_streams();
    memory_settle();
    return verb_main(&app, argc - 1, argv + 1);
}
