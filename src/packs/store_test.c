#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "packs/store.h"

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/store_test.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* A pack of one file. */
static enum err put(const char *name, const char *text)
{
    struct store store;
    struct content content;
    struct store_pack pack = {
            .name = slice_text(name), .source = SLICE("/from"), .added = SLICE("then")};
    content_init(&content);
    assert_int_equal(store_open(&store, dir, STORE_WRITE, NULL), OK);
    assert_int_equal(content_add(&content, SLICE("a.yml"), slice_text(text), NULL), OK);
    assert_int_equal(content_finish(&content, NULL), OK);
    enum err e = store_put(&store, &pack, &content, NULL);
    store_close(&store);
    content_fini(&content);
    return e;
}

static enum err get(const char *name, bool previous, char text[64])
{
    struct store store;
    struct content content;
    struct store_pack pack;
    content_init(&content);
    assert_int_equal(store_open(&store, dir, STORE_READ, NULL), OK);
    enum err e = store_get(&store, (struct store_state){name, previous}, &pack, &content, NULL);
    if (e == OK) {
        assert_int_equal(content.count, 1);
        snprintf(text, 64, "%.*s", SLICE_ARG(content.files[0].bytes));
    }
    store_close(&store);
    content_fini(&content);
    return e;
}

static void write_file(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/packs/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static bool there(const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/packs/%s", dir, name);
    return access(path, F_OK) == 0;
}

static void what_was_put_is_there_with_the_state_before(void **state)
{
    char text[64];
    (void)state;
    assert_int_equal(get("p", false, text), ERR_NOT_FOUND);
    assert_int_equal(put("p", "one"), OK);
    assert_int_equal(get("p", false, text), OK);
    assert_string_equal(text, "one");
    assert_int_equal(get("p", true, text), ERR_NOT_FOUND);
    assert_int_equal(put("p", "two"), OK);
    assert_int_equal(put("p", "three"), OK);
    assert_int_equal(get("p", false, text), OK);
    assert_string_equal(text, "three");
    assert_int_equal(get("p", true, text), OK);
    assert_string_equal(text, "two");
    assert_false(there("p.pack.new"));
}

/* Each state in which a crash can leave the folder gives the old pack or the new one. */
static void a_crash_leaves_the_old_state_or_the_new(void **state)
{
    char text[64];
    (void)state;
    assert_int_equal(put("p", "one"), OK);
    write_file("p.pack.new", "half of a pa"); /* while writing aside */
    assert_int_equal(get("p", false, text), OK);
    assert_string_equal(text, "one");
    assert_int_equal(put("p", "two"), OK); /* the next writer is not stopped by it */
    assert_int_equal(get("p", false, text), OK);
    assert_string_equal(text, "two");
    write_file("p.previous.new", "left over"); /* before the state before was renamed */
    write_file("q.pack.new", "left over");
    assert_int_equal(put("p", "three"), OK);
    assert_false(there("p.previous.new"));
    assert_false(there("q.pack.new"));
    assert_int_equal(get("p", true, text), OK);
    assert_string_equal(text, "two");
}

static void a_failed_write_changes_nothing(void **state)
{
    char text[64], path[200];
    (void)state;
    assert_int_equal(put("p", "one"), OK);
    /* A folder stands where the new file would be put in place. */
    snprintf(path, sizeof path, "%s/packs/q.pack", dir);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(put("q", "two"), ERR_IO);
    assert_int_equal(get("p", false, text), OK);
    rmdir(path);
    assert_int_equal(put("q", "two"), OK);
}

static void a_link_in_place_of_a_pack_is_not_followed(void **state)
{
    char text[64], path[200], to[200];
    (void)state;
    assert_int_equal(put("p", "one"), OK);
    snprintf(path, sizeof path, "%s/packs/q.pack", dir);
    snprintf(to, sizeof to, "%s/packs/p.pack", dir);
    assert_int_equal(symlink(to, path), 0);
    assert_int_equal(get("q", false, text), ERR_IO);
}

static void names_are_plain(void **state)
{
    char longest[STORE_NAME_BYTES + 1];
    (void)state;
    memset(longest, 'a', sizeof longest);
    assert_true(store_name_valid(SLICE("sigma-2.1_x")));
    assert_true(store_name_valid(slice_of(longest, STORE_NAME_BYTES)));
    assert_false(store_name_valid(slice_of(longest, STORE_NAME_BYTES + 1)));
    assert_false(store_name_valid(SLICE("")));
    assert_false(store_name_valid(SLICE(".x")));
    assert_false(store_name_valid(SLICE("..")));
    assert_false(store_name_valid(SLICE("a/b")));
    assert_false(store_name_valid(SLICE("a b")));
}

static void a_reader_of_nothing_finds_nothing(void **state)
{
    struct store store;
    struct arena arena;
    struct slice *names;
    size_t count = 7;
    char text[64];
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(store_open(&store, "/nonexistent/place", STORE_READ, NULL), OK);
    assert_int_equal(store_list(&store, &arena, &names, &count, NULL), OK);
    assert_int_equal(count, 0);
    store_close(&store);
    arena_fini(&arena);
    assert_int_equal(get("p", false, text), ERR_NOT_FOUND);
}

static void packs_are_listed_in_order_and_removed(void **state)
{
    struct store store;
    struct arena arena;
    struct slice *names;
    size_t count;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(put("zeta", "z"), OK);
    assert_int_equal(put("alpha", "a"), OK);
    assert_int_equal(put("alpha", "b"), OK);
    write_file("bad name.pack", "x");
    assert_int_equal(store_open(&store, dir, STORE_WRITE, NULL), OK);
    assert_int_equal(store_list(&store, &arena, &names, &count, NULL), OK);
    assert_int_equal(count, 2);
    assert_true(slice_equal(names[0], SLICE("alpha")));
    assert_int_equal(store_remove(&store, "alpha", NULL), OK);
    assert_int_equal(store_remove(&store, "alpha", NULL), ERR_NOT_FOUND);
    assert_int_equal(store_list(&store, &arena, &names, &count, NULL), OK);
    assert_int_equal(count, 1);
    assert_false(there("alpha.previous"));
    store_close(&store);
    arena_fini(&arena);
}

static void a_writer_keeps_others_out(void **state)
{
    struct store store;
    char path[200];
    (void)state;
    assert_int_equal(store_open(&store, dir, STORE_WRITE, NULL), OK);
    snprintf(path, sizeof path, "%s/packs/lock", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_not_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
    store_close(&store);
    assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
            TEST(what_was_put_is_there_with_the_state_before),
            TEST(a_crash_leaves_the_old_state_or_the_new),
            TEST(a_failed_write_changes_nothing),
            TEST(a_link_in_place_of_a_pack_is_not_followed),
            TEST(names_are_plain),
            TEST(a_reader_of_nothing_finds_nothing),
            TEST(packs_are_listed_in_order_and_removed),
            TEST(a_writer_keeps_others_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
