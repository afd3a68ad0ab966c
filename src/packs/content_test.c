#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/memory.h"
#include "packs/content.h"

static void the_digest_depends_on_paths_and_bytes_alone(void **state)
{
    struct content a, b, c;
    (void)state;
    content_init(&a);
    content_init(&b);
    content_init(&c);
    assert_int_equal(content_add(&a, SLICE("x.yml"), SLICE("one"), NULL), OK);
    assert_int_equal(content_add(&a, SLICE("d/y.yml"), SLICE("two"), NULL), OK);
    assert_int_equal(content_add(&b, SLICE("d/y.yml"), SLICE("two"), NULL), OK);
    assert_int_equal(content_add(&b, SLICE("x.yml"), SLICE("one"), NULL), OK);
    assert_int_equal(content_add(&c, SLICE("x.yml"), SLICE("two"), NULL), OK);
    assert_int_equal(content_add(&c, SLICE("d/y.yml"), SLICE("one"), NULL), OK);
    assert_int_equal(content_finish(&a, NULL), OK);
    assert_int_equal(content_finish(&b, NULL), OK);
    assert_int_equal(content_finish(&c, NULL), OK);
    assert_string_equal(a.digest, b.digest);
    assert_string_not_equal(a.digest, c.digest);
    /* By sha256sum, of what content.h says. */
    assert_string_equal(
            a.digest, "3e9591da083d463563b26991eea8fd6016ecc5f6378a709dc06e82c6591f8c4f");
    content_fini(&a);
    content_fini(&b);
    content_fini(&c);
}

static void paths_that_lead_out_or_hide_are_refused(void **state)
{
    static const char *const bad[] = {"", "/a.yml", "../a.yml", "a/../b.yml", "./a.yml",
            "a/./b.yml", "a//b.yml", "a/", "a\\b.yml", "a\nb.yml", "a\x7f.yml", "\xff.yml", ".."};
    static const char *const good[] = {
            "a.yml", "a/b.yml", "..a.yml", "a..yml", "a b.yml", "\xc3\xa4.yml", ".hidden/a.yml"};
    struct content content;
    struct diag diag;
    (void)state;
    content_init(&content);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        diag.words[0] = '\0';
        assert_int_equal(content_add(&content, slice_text(bad[i]), SLICE("x"), &diag), ERR_SYNTAX);
        assert_true(diag.words[0]);
    }
    assert_int_equal(content_add(&content, slice_of("a\0b.yml", 7), SLICE("x"), &diag), ERR_SYNTAX);
    assert_int_equal(content.count, 0);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(content_add(&content, slice_text(good[i]), SLICE("x"), &diag), OK);
    }
    content_fini(&content);
}

static void limits_hold_at_n_and_not_at_n_plus_1(void **state)
{
    struct content content;
    struct buf path = {0}, bytes = {0};
    (void)state;
    content_init(&content);
    while (path.size < CONTENT_PATH_BYTES) {
        buf_byte(&path, 'a');
    }
    assert_int_equal(content_add(&content, buf_slice(&path), SLICE("x"), NULL), OK);
    buf_byte(&path, 'a');
    assert_int_equal(content_add(&content, buf_slice(&path), SLICE("x"), NULL), ERR_SYNTAX);
    buf_clear(&path);
    for (int i = 0; i < CONTENT_PATH_PARTS - 1; i++) {
        buf_add(&path, SLICE("d/"));
    }
    buf_byte(&path, 'b');
    assert_int_equal(content_add(&content, buf_slice(&path), SLICE("x"), NULL), OK);
    buf_add(&path, SLICE("/b"));
    assert_int_equal(content_add(&content, buf_slice(&path), SLICE("x"), NULL), ERR_SYNTAX);
    assert_non_null(buf_reserve(&bytes, CONTENT_FILE_BYTES + 1));
    memset(bytes.at, ' ', CONTENT_FILE_BYTES + 1);
    struct slice large = slice_of(bytes.at, CONTENT_FILE_BYTES);
    assert_int_equal(content_add(&content, SLICE("large"), large, NULL), OK);
    large.size++;
    assert_int_equal(content_add(&content, SLICE("larger"), large, NULL), ERR_LIMIT);
    buf_fini(&path);
    buf_fini(&bytes);
    content_fini(&content);
}

static void files_are_limited(void **state)
{
    struct content content;
    struct buf path = {0};
    (void)state;
    content_init(&content);
    for (int i = 0; i <= CONTENT_FILES; i++) {
        buf_clear(&path);
        buf_format(&path, "%d.yml", i);
        enum err wanted = i < CONTENT_FILES ? OK : ERR_LIMIT;
        assert_int_equal(content_add(&content, buf_slice(&path), SLICE(""), NULL), wanted);
    }
    buf_fini(&path);
    content_fini(&content);
}

static void two_files_of_one_path_are_refused(void **state)
{
    struct content content;
    (void)state;
    content_init(&content);
    assert_int_equal(content_add(&content, SLICE("a"), SLICE("x"), NULL), OK);
    assert_int_equal(content_add(&content, SLICE("b"), SLICE("x"), NULL), OK);
    assert_int_equal(content_add(&content, SLICE("a"), SLICE("y"), NULL), OK);
    assert_int_equal(content_finish(&content, NULL), ERR_SYNTAX);
    content_fini(&content);
}

static void only_a_folder_of_all_is_left_out(void **state)
{
    static const struct {
        const char *paths[2];
        const char *first;
    } cases[] = {{{"t/a.yml", "t/d/b.yml"}, "a.yml"}, {{"t/a.yml", "u/b.yml"}, "t/a.yml"},
            {{"t/a.yml", "b.yml"}, "t/a.yml"}, {{"a.yml", "t/b.yml"}, "a.yml"},
            {{"t/a.yml", "tt/b.yml"}, "t/a.yml"}, {{"t/t/a.yml", "t/t/b.yml"}, "t/a.yml"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct content content;
        content_init(&content);
        for (size_t k = 0; k < 2; k++) {
            struct slice path = slice_text(cases[i].paths[k]);
            assert_int_equal(content_add(&content, path, SLICE("x"), NULL), OK);
        }
        content_strip(&content);
        assert_true(slice_equal(content.files[0].path, slice_text(cases[i].first)));
        content_fini(&content);
    }
}

static void refused_memory_is_said(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 4; n++) {
        struct content content;
        content_init(&content);
        memory_fail_after(n);
        enum err e = content_add(&content, SLICE("a"), SLICE("x"), NULL);
        memory_fail_after(0);
        assert_true(e == ERR_MEMORY || (e == OK && n > 1));
        content_fini(&content);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_digest_depends_on_paths_and_bytes_alone),
            cmocka_unit_test(paths_that_lead_out_or_hide_are_refused),
            cmocka_unit_test(limits_hold_at_n_and_not_at_n_plus_1),
            cmocka_unit_test(files_are_limited),
            cmocka_unit_test(two_files_of_one_path_are_refused),
            cmocka_unit_test(only_a_folder_of_all_is_left_out),
            cmocka_unit_test(refused_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
