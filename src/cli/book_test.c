#include "cli/book.h"

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

enum { PATH = 200 };

static const char rule[] = "title: One\nid: 5b7bb1d8-55ef-4f6f-8c1b-6c5b6e9d7d11\n"
                           "logsource: {product: linux}\n"
                           "detection: {words: [odd], condition: words}\n";
static const char exception[] = "title: Known\nlogsource: {product: linux}\n"
                                "filter: {rules: [One], host: {host: h1}, condition: not host}\n";
static char folder[] = "/tmp/merlon-book-XXXXXX";

static void path_of(char path[PATH], const char *name)
{
    snprintf(path, PATH, "%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
    char path[PATH];
    path_of(path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **unused)
{
    char path[PATH];
    (void)unused;
    assert_non_null(mkdtemp(folder));
    path_of(path, "rules");
    assert_int_equal(mkdir(path, 0700), 0);
    write_file("rules/one.yml", rule);
    write_file("rules/one.test.yml", "tests: []\n");
    write_file("rules/notes.txt", "no rule\n");
    write_file("known.yml", exception);
    return 0;
}

static int tear_down(void **unused)
{
    static const char *const names[] = {"rules/one.yml", "rules/one.test.yml", "rules/notes.txt",
            "known.yml", "kept/current", "kept/part.new", "rules", "kept"};
    char path[PATH];
    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_of(path, names[i]);
        (void)remove(path);
    }
    return rmdir(folder);
}

/* A book of the folder's rules, and of one tenant's exception. */
static void collect(struct buf *out)
{
    char path[PATH], known[PATH];
    struct diag diag = {0};
    struct load_request request = {0};
    path_of(path, "rules");
    path_of(known, "known.yml");
    const struct slice exceptions = slice_text(known);
    struct config_tenant tenant = {
            .tenant = SLICE("sg/moh"), .exceptions = &exceptions, .exception_count = 1};
    const struct config_tenants tenants = {&tenant, 1};
    assert_int_equal(words_add(&request.rules, path), OK);
    if (book_collect(&request, &tenants, out, &diag) != OK) {
        fail_msg("%s", diag.words);
    }
    words_fini(&request.rules);
}

static void what_is_kept_comes_back(void **unused)
{
    (void)unused;
    char kept[PATH], file[PATH * 2], hash[DIGEST_HEX], current[DIGEST_HEX];
    struct diag diag = {0};
    struct buf book = {0}, again = {0};
    struct loaded loaded;
    path_of(kept, "kept");
    collect(&book);
    collect(&again);
    assert_true(slice_equal(buf_slice(&book), buf_slice(&again)));
    book_hash(buf_slice(&book), hash);
    assert_true(book_is_hash(slice_text(hash)));
    for (int i = 0; i < 2; i++) { /* the second time it is there */
        assert_int_equal(book_publish(&disk_real, kept, buf_slice(&book), &diag), OK);
        assert_int_equal(book_read(&disk_real, kept, hash, &again, &diag), OK);
        assert_true(slice_equal(buf_slice(&book), buf_slice(&again)));
    }
    book_current(&disk_real, kept, current);
    assert_string_equal(current, "");
    assert_int_equal(book_set_current(&disk_real, kept, hash, &diag), OK);
    book_current(&disk_real, kept, current);
    assert_string_equal(current, hash);
    assert_int_equal(book_load(buf_slice(&again), &loaded, &diag), OK);
    assert_int_equal(loaded.set->rule_count, 2); /* the rule, and the exception */
    assert_int_equal(loaded.set->problem_count, 0);
    load_fini(&loaded);
    snprintf(file, sizeof file, "%s/%s", kept, hash);
    assert_int_equal(truncate(file, (off_t)book.size - 1), 0);
    assert_int_equal(book_read(&disk_real, kept, hash, &again, &diag), ERR_SYNTAX);
    assert_int_equal(book_publish(&disk_real, kept, buf_slice(&book), &diag), OK); /* made whole */
    assert_int_equal(book_read(&disk_real, kept, hash, &again, &diag), OK);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(book_read(&disk_real, kept, hash, &again, &diag), ERR_NOT_FOUND);
    assert_int_equal(book_read(&disk_real, kept, "../x", &again, &diag), ERR_NOT_FOUND);
    buf_fini(&book);
    buf_fini(&again);
}

static void what_cannot_be_read_is_no_book(void **unused)
{
    (void)unused;
    struct load_request request = {0};
    const struct config_tenants none = {0};
    struct diag diag = {0};
    struct buf book = {0};
    char path[PATH];
    path_of(path, "absent");
    assert_int_equal(words_add(&request.rules, path), OK);
    assert_int_not_equal(book_collect(&request, &none, &book, &diag), OK);
    assert_non_null(strstr(diag.words, "absent"));
    words_fini(&request.rules);
    buf_fini(&book);
}

static void what_is_damaged_is_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"", "merlon rules 2\n", "merlon rules 1\nrule 3 a\nabc",
            "merlon rules 1\nrule 4 a\nabc\n", "merlon rules 1\nrule x a\nabc\n",
            "merlon rules 1\nrule 3 \nabc\n", "merlon rules 1\nodd 3 a\nabc\n",
            "merlon rules 1\nrule 99999999999999999999 a\nabc\n",
            "merlon rules 1\nrule -1 a\nabc\n", "merlon rules 1\nrule 3 a\nabcd\n",
            "merlon rules 1\nrule 3 a\nabcX", "merlon rules 1\n\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct loaded loaded;
        struct diag diag = {0};
        if (book_load(slice_text(texts[i]), &loaded, &diag) != ERR_SYNTAX) {
            fail_msg("%zu: %s", i, texts[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_kept_comes_back),
            cmocka_unit_test(what_cannot_be_read_is_no_book),
            cmocka_unit_test(what_is_damaged_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
