#include "net/egress_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/files.h"

struct place {
    char folder[64], path[96];
    struct egress_file file;
};

static void start(struct place *p, uint64_t rotate_bytes)
{
    snprintf(p->folder, sizeof p->folder, "/tmp/egress-file-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/out", p->folder);
    p->file = (struct egress_file){.path = p->path, .rotate_bytes = rotate_bytes, .file = -1};
}

static void end(struct place *p)
{
    char command[128];
    egress_file_close(&p->file);
    snprintf(command, sizeof command, "rm -r %s", p->folder);
    assert_int_equal(system(command), 0);
}

static void append(struct place *p, const char *text, uint64_t number)
{
    struct diag diag = {0};
    assert_int_equal(egress_file_append(&p->file, slice_text(text), number, &diag), OK);
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void assert_text(const char *path, const char *text)
{
    struct buf bytes = {0};
    struct diag diag = {0};
    assert_int_equal(files_read(path, 1 << 20, &bytes, &diag), OK);
    assert_int_equal(bytes.size, strlen(text));
    assert_memory_equal(bytes.at, text, bytes.size);
    buf_fini(&bytes);
}

static void assert_numbered(const struct place *p, const char *suffix, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s.%s", p->path, suffix);
    assert_text(path, text);
}

static void what_a_crash_cut_short_is_cut_off(void **unused)
{
    (void)unused;
    struct place p;
    char longer[10000];
    start(&p, 0);
    put(p.path, "whole\nto");
    append(&p, "next\n", 1);
    assert_text(p.path, "whole\nnext\n");
    egress_file_close(&p.file);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    put(p.path, longer); /* not one line is whole */
    append(&p, "a\n", 2);
    assert_text(p.path, "a\n");
    end(&p);
}

static void a_file_that_somebody_takes_away_is_made_anew(void **unused)
{
    (void)unused;
    struct place p;
    start(&p, 0);
    append(&p, "a\n", 1);
    assert_int_equal(unlink(p.path), 0);
    append(&p, "b\n", 2);
    assert_text(p.path, "b\n");
    assert_int_equal(truncate(p.path, 0), 0);
    append(&p, "c\n", 3);
    assert_text(p.path, "c\n");
    end(&p);
}

static void a_full_file_gives_way(void **unused)
{
    (void)unused;
    struct place p;
    start(&p, 8);
    append(&p, "aaa\n", 1);
    append(&p, "bbb\n", 2); /* 8 bytes: it is full, not over */
    append(&p, "ccc\n", 3);
    assert_text(p.path, "ccc\n");
    assert_numbered(&p, "00000000000000000003", "aaa\nbbb\n");
    append(&p, "longer than the limit\n", 4); /* alone it may be */
    assert_text(p.path, "longer than the limit\n");
    assert_numbered(&p, "00000000000000000004", "ccc\n");
    end(&p);
}

/* A crash between delivery and cursor: the same comes again, and the name is there. */
static void what_comes_twice_replaces_no_full_file(void **unused)
{
    (void)unused;
    struct place p;
    start(&p, 6);
    append(&p, "old\n", 1);
    append(&p, "new\n", 7);
    egress_file_close(&p.file);
    append(&p, "new\n", 7);
    append(&p, "new\n", 7);
    assert_text(p.path, "new\n");
    assert_numbered(&p, "00000000000000000007", "old\n");
    assert_numbered(&p, "00000000000000000007.1", "new\n");
    assert_numbered(&p, "00000000000000000007.2", "new\n");
    end(&p);
}

static void what_is_no_file_is_refused(void **unused)
{
    (void)unused;
    struct place p;
    struct diag diag = {0};
    start(&p, 0);
    assert_int_equal(mkdir(p.path, 0700), 0);
    assert_int_equal(egress_file_append(&p.file, SLICE("a\n"), 1, &diag), ERR_IO);
    assert_int_equal(rmdir(p.path), 0);
    assert_int_equal(symlink("elsewhere", p.path), 0);
    assert_int_equal(egress_file_append(&p.file, SLICE("a\n"), 1, &diag), ERR_IO);
    assert_int_equal(unlink(p.path), 0);
    append(&p, "a\n", 1);
    assert_text(p.path, "a\n");
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_a_crash_cut_short_is_cut_off),
            cmocka_unit_test(a_file_that_somebody_takes_away_is_made_anew),
            cmocka_unit_test(a_full_file_gives_way),
            cmocka_unit_test(what_comes_twice_replaces_no_full_file),
            cmocka_unit_test(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
