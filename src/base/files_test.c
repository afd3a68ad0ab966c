#include "base/files.h"

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

static char root[] = "/tmp/merlon-files-XXXXXX";
static struct arena arena;

static const char *at(const char *name)
{
    static char paths[4][200];
    static int next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(at(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 16 << 20);
    assert_non_null(mkdtemp(root));
    assert_int_equal(mkdir(at("b"), 0700), 0);
    assert_int_equal(mkdir(at("b/c"), 0700), 0);
    assert_int_equal(mkdir(at(".git"), 0700), 0);
    put("b.yml", "1");
    put("b/z.yml", "22");
    put("b/c/a.YAML", "");
    put("b-x.yml", "");
    put("B.yml", "");
    put("readme.md", "");
    put(".yml", "");
    put(".git/x.yml", "");
    assert_int_equal(symlink("..", at("b/up")), 0);
    assert_int_equal(symlink("../b.yml", at("b/link.yml")), 0);
    assert_int_equal(symlink("nowhere", at("b/broken.yml")), 0);
    assert_int_equal(mkfifo(at("b/pipe.yml"), 0600), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"b/up", "b/link.yml", "b/broken.yml", "b/pipe.yml",
            "b/z.yml", "b/c/a.YAML", "b.yml", "b-x.yml", "B.yml", "readme.md", ".yml",
            ".git/x.yml"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unlink(at(names[i]));
    }
    (void)rmdir(at("b/c"));
    (void)rmdir(at("b"));
    (void)rmdir(at(".git"));
    (void)rmdir(root);
    arena_fini(&arena);
    return 0;
}

static void a_walk_is_in_byte_order_and_ends(void **state)
{
    (void)state;
    static const char *const suffixes[] = {".yml", ".yaml", NULL};
    static const char *const want[] = {
            "B.yml", "b-x.yml", "b.yml", "b/c/a.YAML", "b/link.yml", "b/z.yml"};
    struct files_list list;
    struct diag diag;
    assert_int_equal(files_walk(&arena, root, suffixes, &list, &diag), OK);
    assert_true(list.is_directory);
    assert_int_equal(list.count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(list.paths[i], at(want[i]));
    }
    assert_int_equal(list.refusal_count, 0);
}

static void all_files_come_without_suffixes(void **state)
{
    (void)state;
    struct files_list list;
    assert_int_equal(files_walk(&arena, at("b/"), NULL, &list, NULL), OK);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.paths[0], at("b/c/a.YAML"));
}

static void a_file_is_walked_as_itself(void **state)
{
    (void)state;
    static const char *const suffixes[] = {".yml", NULL};
    struct files_list list;
    assert_int_equal(files_walk(&arena, at("readme.md"), suffixes, &list, NULL), OK);
    assert_false(list.is_directory);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.paths[0], at("readme.md"));
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    struct files_list list;
    struct diag diag = {0};
    struct buf text = {0};
    assert_int_equal(files_walk(&arena, at("none"), NULL, &list, &diag), ERR_IO);
    assert_non_null(strstr(diag.words, "none: No such file"));
    assert_int_equal(files_read(at("none"), 10, &text, &diag), ERR_IO);
    assert_int_equal(files_read(at("b"), 10, &text, &diag), ERR_IO);
    assert_non_null(strstr(diag.words, "Is a directory"));
    buf_fini(&text);
}

static void a_file_is_read_up_to_the_limit(void **state)
{
    (void)state;
    struct buf text = {0};
    struct diag diag = {0};
    assert_int_equal(files_read(at("b/z.yml"), 2, &text, &diag), OK);
    assert_true(slice_equal(buf_slice(&text), SLICE("22")));
    assert_int_equal(files_read(at("b/z.yml"), 1, &text, &diag), ERR_LIMIT);
    assert_non_null(strstr(diag.words, "larger than 1 bytes"));
    assert_int_equal(files_read("/dev/zero", 100000, &text, &diag), ERR_LIMIT);
    assert_int_equal(files_read(at("B.yml"), 0, &text, &diag), OK);
    assert_int_equal(text.size, 0);
    buf_fini(&text);
}

/* Permissions bind no root: a directory that is too deep stands for one that cannot be read. */
static void a_directory_too_deep_is_refused_alone(void **state)
{
    (void)state;
    char path[1024] = "/tmp/merlon-deep-XXXXXX";
    assert_non_null(mkdtemp(path));
    size_t base = strlen(path), size = base;
    for (int i = 0; i <= FILES_DEPTH; i++) {
        memcpy(path + size, "/d", 3);
        size += 2;
        assert_int_equal(mkdir(path, 0700), 0);
    }
    struct files_list list;
    path[base] = '\0';
    assert_int_equal(files_walk(&arena, path, NULL, &list, NULL), OK);
    assert_int_equal(list.refusal_count, 1);
    assert_int_equal(strlen(list.refusals[0].path), size);
    path[base] = '/';
    assert_int_equal(rmdir(path), 0);
    path[size - 2] = '\0';
    path[base] = '\0';
    assert_int_equal(files_walk(&arena, path, NULL, &list, NULL), OK);
    assert_int_equal(list.refusal_count, 0);
    path[base] = '/';
    for (size_t end = size - 2; end >= base; end -= 2) {
        path[end] = '\0';
        assert_int_equal(rmdir(path), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_walk_is_in_byte_order_and_ends),
            cmocka_unit_test(all_files_come_without_suffixes),
            cmocka_unit_test(a_file_is_walked_as_itself),
            cmocka_unit_test(what_is_not_there_is_said),
            cmocka_unit_test(a_file_is_read_up_to_the_limit),
            cmocka_unit_test(a_directory_too_deep_is_refused_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
