/* A landed file is there whole or not at all, and takes no other file's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/landing.h"

static char folder[] = "/tmp/landing-test-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static size_t count_files(void)
{
    DIR *handle = opendir(folder);
    size_t n = 0;
    assert_non_null(handle);
    while (readdir(handle)) {
        n++;
    }
    closedir(handle);
    return n - 2; /* itself and its parent */
}

static int empty_folder(void **state)
{
    (void)state;
    DIR *handle = opendir(folder);
    const struct dirent *entry;
    while (handle && (entry = readdir(handle))) {
        unlinkat(dirfd(handle), entry->d_name, 0);
        unlinkat(dirfd(handle), entry->d_name, AT_REMOVEDIR);
    }
    closedir(handle);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void check(const char *name, const char *text)
{
    char got[64] = {0};
    FILE *file = fopen(path_of(name), "r");
    assert_non_null(file);
    assert_true(fread(got, 1, sizeof got - 1, file) == strlen(text));
    fclose(file);
    assert_string_equal(got, text);
}

static void land(const char *name, const char *text)
{
    struct landing landing;
    assert_int_equal(landing_open(&landing, path_of(name), NULL), OK);
    assert_int_equal(landing_finish(&landing, slice_text(text), NULL), OK);
    landing_close(&landing);
    check(name, text);
}

static void a_finished_file_is_there_with_the_mode_that_is_asked_for(void **state)
{
    (void)state;
    struct stat st;
    mode_t mask = umask(026);
    land("new", "<!doctype html>new");
    umask(mask);
    assert_int_equal(count_files(), 1);
    assert_int_equal(stat(path_of("new"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void until_then_the_old_file_stands(void **state)
{
    (void)state;
    struct landing landing;
    put("page", "\n <!DOCTYPE HTML>old");
    assert_int_equal(landing_open(&landing, path_of("page"), NULL), OK);
    check("page", "\n <!DOCTYPE HTML>old");
    assert_int_equal(landing_finish(&landing, SLICE("x"), NULL), OK);
    landing_close(&landing);
    check("page", "x");
}

static void what_is_not_finished_leaves_nothing(void **state)
{
    (void)state;
    struct landing landing;
    assert_int_equal(landing_open(&landing, path_of("page"), NULL), OK);
    assert_int_equal(count_files(), 1);
    landing_close(&landing);
    for (int i = 0; i < 500 && count_files() > 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(count_files(), 0);
}

static void two_at_once_do_not_meet(void **state)
{
    (void)state;
    struct landing a, b;
    assert_int_equal(landing_open(&a, path_of("page"), NULL), OK);
    assert_int_equal(landing_open(&b, path_of("page"), NULL), OK);
    assert_int_equal(landing_finish(&a, SLICE("<!doctype html>a"), NULL), OK);
    assert_int_equal(landing_finish(&b, SLICE("<!doctype html>b"), NULL), OK);
    landing_close(&a);
    landing_close(&b);
    check("page", "<!doctype html>b");
    assert_int_equal(count_files(), 1);
}

static void a_link_is_followed(void **state)
{
    (void)state;
    put("real", "");
    assert_int_equal(symlink("real", path_of("link")), 0);
    land("link", "<!doctype html>");
    check("real", "<!doctype html>");
}

static void refused(const char *path, enum err e, const char *words)
{
    struct landing landing;
    struct diag diag = {0};
    assert_int_equal(landing_open(&landing, path, &diag), e);
    assert_non_null(strstr(diag.words, words));
    assert_int_equal(landing.file, -1);
    assert_int_equal(landing.channel, -1);
}

static void what_is_no_page_is_not_replaced(void **state)
{
    (void)state;
    put("log", "{\"a\":1}\n");
    put("near", "<!doctype htm");
    refused(path_of("log"), ERR_USAGE, "no HTML");
    refused(path_of("near"), ERR_USAGE, "no HTML");
    refused(folder, ERR_USAGE, "no regular file");
    refused("/dev/null", ERR_USAGE, "no regular file");
    refused("", ERR_IO, "names no file");
    refused(path_of("none/page"), ERR_IO, "No such file");
    refused(path_of("none/"), ERR_IO, "names no file");
    refused(path_of("log/page"), ERR_IO, "Not a directory");
    assert_int_equal(count_files(), 2);
    check("log", "{\"a\":1}\n");
}

static void a_full_disk_leaves_what_was_there(void **state)
{
    (void)state;
    struct landing landing;
    struct diag diag = {0};
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    put("page", "");
    assert_true(full >= 0);
    assert_int_equal(landing_open(&landing, path_of("page"), NULL), OK);
    assert_int_equal(dup2(full, landing.file), landing.file);
    close(full);
    assert_int_equal(landing_finish(&landing, SLICE("x"), &diag), ERR_IO);
    assert_non_null(strstr(diag.words, "No space"));
    landing_close(&landing);
    check("page", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_teardown(
                    a_finished_file_is_there_with_the_mode_that_is_asked_for, empty_folder),
            cmocka_unit_test_teardown(until_then_the_old_file_stands, empty_folder),
            cmocka_unit_test_teardown(what_is_not_finished_leaves_nothing, empty_folder),
            cmocka_unit_test_teardown(two_at_once_do_not_meet, empty_folder),
            cmocka_unit_test_teardown(a_link_is_followed, empty_folder),
            cmocka_unit_test_teardown(what_is_no_page_is_not_replaced, empty_folder),
            cmocka_unit_test_teardown(a_full_disk_leaves_what_was_there, empty_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
