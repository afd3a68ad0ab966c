#include <stdio.h>

#include "base/arena.h"
#include "conformance/conformance.h"
#include "support/tree.h"

enum err conformance_correlation(struct slice bytes, struct tally *tally, struct diag *diag)
{
    struct arena arena;
    enum err e = OK;
    (void)diag;
    arena_init(&arena, (size_t)64 << 20);
    while (e == OK && slice_trim(bytes).size) {
        struct tree *record = NULL;
        arena_reset(&arena);
        e = tree_read(&arena, bytes, &bytes, &record);
        if (e == OK) {
            tally->skipped++;
        }
    }
    printf("SKIP correlation: rules that correlate events are not judged yet\n");
    arena_fini(&arena);
    return e;
}
