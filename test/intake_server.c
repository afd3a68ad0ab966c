/* intake_server FILE - an HTTP intake with a log in memory, for test/senders: prints "PORT TOKEN",
 * copies what it commits to FILE (kind, tenant, source, key, reason, bytes; tabs between), and
 * stops when its input ends. */
#include <stdio.h>

#include "support/sink.h"

int main(int argc, char **argv)
{
    struct sink sink;
    struct sink_options options = {.copy = argc == 2 ? fopen(argv[1], "w") : NULL};
    if (!options.copy) {
        fputs("usage: intake_server FILE\n", stderr);
        return 2;
    }
    sink_open(&sink, &options);
    printf("%d %s\n", sink.port, sink.text);
    fflush(stdout);
    while (getchar() != EOF) {
    }
    sink_close(&sink);
    return fclose(options.copy) == 0 ? 0 : 1;
}
