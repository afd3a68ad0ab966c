#include "conformance/conformance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/files.h"
#include "support/archive.h"
#include "support/tree.h"

enum { USTAR_AT = 257, WORDS_SHOWN = 300, FILE_LIMIT = 16 << 20 };

typedef enum err run_file(struct slice bytes, struct tally *tally, struct diag *diag);

/* A kind of file by what its first record holds. */
static const struct {
    const char *key;
    run_file *run;
} kinds[] = {
        {"rule_yaml", conformance_cases},
        {"rule_path", conformance_generated},
        {"matched_rule_ids", conformance_matrix},
        {"rules_yaml", conformance_correlation},
};

void conformance_check(struct tally *tally, bool passed, struct slice id, const char *words)
{
    if (passed) {
        tally->passed++;
        return;
    }
    tally->failed++;
    printf("FAIL %.*s: %.*s\n", SLICE_ARG(id), WORDS_SHOWN, words);
}

enum err conformance_file(const char *name, struct buf *out, struct diag *diag)
{
    char path[4096];
    const char *tests = getenv("MERLON_TESTS");
    snprintf(path, sizeof path, "%s/conformance/%s", tests ? tests : "test", name);
    return files_read(path, FILE_LIMIT, out, diag);
}

static run_file *recognise(struct slice bytes)
{
    if (bytes.size > USTAR_AT + 5 && memcmp(bytes.at + USTAR_AT, "ustar", 5) == 0) {
        return conformance_regression;
    }
    struct arena arena;
    struct tree *first = NULL;
    struct slice rest;
    run_file *run = NULL;
    arena_init(&arena, (size_t)64 << 20);
    if (tree_read(&arena, bytes, &rest, &first) == OK) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !run; i++) {
            run = tree_get(first, kinds[i].key) ? kinds[i].run : NULL;
        }
    }
    arena_fini(&arena);
    return run;
}

static enum err run_path(const char *path, struct tally *tally, struct diag *diag)
{
    struct buf bytes = {0};
    enum err e = archive_read(path, &bytes, diag);
    if (e == OK) {
        run_file *run = bytes.size ? recognise(buf_slice(&bytes)) : NULL;
        e = run ? run(buf_slice(&bytes), tally, diag)
                : diag_say(diag, ERR_UNSUPPORTED, "not a kind of case file that we know");
    }
    buf_fini(&bytes);
    return e;
}

int main(int argc, char **argv)
{
    struct tally tally = {0};
    struct diag diag = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: conformance FILE\n");
        return 2;
    }
    enum err e = run_path(argv[1], &tally, &diag);
    if (e != OK) {
        printf("FAIL %s: %s: %s\n", argv[1], err_name(e), diag.words);
        tally.failed++;
    }
    printf("%llu passed, %llu failed", (unsigned long long)tally.passed,
            (unsigned long long)tally.failed);
    if (tally.skipped) {
        printf(", %llu skipped", (unsigned long long)tally.skipped);
    }
    printf("\n");
    return tally.failed != 0;
}
