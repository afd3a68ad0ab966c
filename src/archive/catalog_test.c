#include "archive/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH = 300 };
#define LOG_A "2eabc4e4fba1042a52d98611bb267e7c"
#define LOG_B "00000000000000000000000000000001"

static char folder[] = "/tmp/merlon-catalog-XXXXXX";

/* In the order in which they are made; strays are marked. */
static const struct {
    const char *path;
    bool file;
} made[] = {{"tenant=sg%2Fhealth", false}, {"tenant=sg%2Fhealth/day=2026-11-23", false},
        {"tenant=sg%2Fhealth/day=2026-11-23/10-" LOG_A "-17.parquet", true},
        {"tenant=sg%2Fhealth/day=2026-11-23/10-" LOG_A "-5.parquet", true},
        {"tenant=sg%2Fhealth/day=2026-11-23/09-" LOG_A "-900.parquet", true},
        {"tenant=sg%2Fhealth/day=2026-11-22", false},
        {"tenant=sg%2Fhealth/day=2026-11-22/23-" LOG_B "-18446744073709551615.parquet", true},
        {"tenant=acme", false}, {"tenant=acme/day=1970-01-01", false},
        {"tenant=acme/day=1970-01-01/00-" LOG_A "-0.parquet", true},
        /* None of ours. */
        {"tenant=acme/day=1970-01-01/24-" LOG_A "-0.parquet", true},
        {"tenant=acme/day=1970-01-01/0-" LOG_A "-0.parquet", true},
        {"tenant=acme/day=1970-01-01/00-" LOG_A "-00.parquet", true},
        {"tenant=acme/day=1970-01-01/00-" LOG_A "-18446744073709551616.parquet", true},
        {"tenant=acme/day=1970-01-01/00-" LOG_A "-.parquet", true},
        {"tenant=acme/day=1970-01-01/00-abc-0.parquet", true},
        {"tenant=acme/day=1970-01-01/00-" LOG_A "-0.parquets", true},
        {"tenant=acme/day=1970-01-01/00-" LOG_A "-7.parquet.new", true}, /* unfinished */
        {"tenant=acme/day=1970-1-1", false}, {"tenant=acme/day=2026-02-30", false},
        {"tenant=acme/notes", true}, {"tenant=", false}, {"tenant=a%2fb", false}, {"odd", true}};
enum { MADE = sizeof made / sizeof *made, STRAYS = 12 };

static void path_of(char path[PATH], const char *name)
{
    snprintf(path, PATH, "%s/%s", folder, name);
}

static int set_up(void **unused)
{
    (void)unused;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < MADE; i++) {
        char path[PATH];
        path_of(path, made[i].path);
        if (made[i].file) {
            FILE *file = fopen(path, "w");
            assert_non_null(file);
            assert_int_equal(fclose(file), 0);
        } else {
            assert_int_equal(mkdir(path, 0700), 0);
        }
    }
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    for (size_t i = MADE; i > 0; i--) {
        char path[PATH];
        path_of(path, made[i - 1].path);
        (void)remove(path);
    }
    return rmdir(folder);
}

static void files_come_in_order(void **unused)
{
    (void)unused;
    static const char *const want[] = {"tenant=acme/day=1970-01-01/00-" LOG_A "-0.parquet",
            "tenant=sg%2Fhealth/day=2026-11-22/23-" LOG_B "-18446744073709551615.parquet",
            "tenant=sg%2Fhealth/day=2026-11-23/09-" LOG_A "-900.parquet",
            "tenant=sg%2Fhealth/day=2026-11-23/10-" LOG_A "-5.parquet",
            "tenant=sg%2Fhealth/day=2026-11-23/10-" LOG_A "-17.parquet"};
    struct catalog catalog;
    struct diag diag = {0};
    assert_int_equal(catalog_read(&disk_real, folder, &catalog, &diag), OK);
    assert_int_equal(catalog.count, sizeof want / sizeof *want);
    for (size_t i = 0; i < catalog.count; i++) {
        const struct catalog_entry *e = &catalog.at[i];
        struct buf path = {0};
        assert_string_equal(e->path, want[i]);
        catalog_tenant(e->tenant, &path);
        buf_byte(&path, '/');
        catalog_day(e->hour, &path);
        buf_byte(&path, '/');
        catalog_file(e, &path);
        assert_true(slice_equal(buf_slice(&path), slice_text(want[i])));
        buf_fini(&path);
    }
    assert_true(slice_equal(catalog.at[1].tenant, SLICE("sg/health")));
    assert_int_equal(catalog.at[4].first, 17);
    assert_int_equal(catalog.unfinished, 1);
    assert_int_equal(catalog.strays, STRAYS);
    assert_non_null(catalog.stray);
    catalog_fini(&catalog);
}

static void no_directory_is_said(void **unused)
{
    (void)unused;
    struct catalog catalog;
    struct diag diag = {0};
    assert_int_equal(
            catalog_read(&disk_real, "/nonexistent/archive", &catalog, &diag), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(files_come_in_order),
            cmocka_unit_test(no_directory_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
