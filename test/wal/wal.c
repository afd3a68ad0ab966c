/* wal: what the log must hold whatever the disk does. CI runs a sample; the whole of it is
 *
 *     build/test/wal full                     20,000 crash states, 10,000 flips, every failing call
 *     build/test/wal crashes 17 1             one chain of histories again, from seed 17
 *     build/test/wal rot 5 1
 *     build/test/wal failures 3 1             seed, and every how many-th call fails */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wal/suite.h"

enum { SHOWN = 20 };

void suite_count(struct suite *suite, bool good, const char *where, const char *words)
{
    if (good) {
        suite->passed++;
        return;
    }
    suite->failed++;
    if (suite->shown++ < SHOWN) {
        printf("FAIL %s: %s\n", where, words);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    struct suite suite = {0};
    /* Many logs are read with large buffers: taking their pages anew would cost more than all else.
     */
    mallopt(M_MMAP_THRESHOLD, 128 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    bool full = argc == 2 && strcmp(argv[1], "full") == 0;
    if (argc == 4) {
        uint64_t seed = strtoull(argv[2], NULL, 10), count = strtoull(argv[3], NULL, 10);
        if (strcmp(argv[1], "crashes") == 0) {
            suite_crashes(&suite, seed, count);
        } else if (strcmp(argv[1], "rot") == 0) {
            suite_rot(&suite, seed, count);
        } else {
            suite_failures(&suite, seed, count);
        }
    } else {
        suite_disk(&suite);
        suite_crashes(&suite, 1, full ? 210 : 12);
        suite_rot(&suite, 1, full ? 10000 : 500);
        suite_failures(&suite, 1, full ? 1 : 7);
    }
    printf("%llu passed, %llu failed\n", (unsigned long long)suite.passed,
            (unsigned long long)suite.failed);
    return suite.failed != 0;
}
