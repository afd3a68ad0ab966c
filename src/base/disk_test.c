#include "base/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct disk *const disk = &disk_real;
static char top[] = "/tmp/disk_test.XXXXXX";

static const char *path(const char *name)
{
    static char paths[4][200];
    static unsigned next;
    char *at = paths[next++ % 4];
    snprintf(at, sizeof paths[0], "%s/%s", top, name);
    return at;
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(top);
}

static void test_what_is_written_is_read_at_its_place(void **state)
{
    (void)state;
    int file, again;
    struct diag diag;
    char bytes[16] = "";
    uint64_t size;
    assert_int_equal(disk->create(disk, path("a"), &file, &diag), OK);
    assert_int_equal(disk->create(disk, path("a"), &again, &diag), ERR_IO);
    assert_int_equal(disk->write(disk, file, 0, SLICE("hello"), &diag), OK);
    assert_int_equal(disk->write(disk, file, 8, SLICE("there"), &diag), OK);
    assert_int_equal(disk->sync(disk, file, &diag), OK);
    assert_int_equal(disk->size(disk, file, &size, &diag), OK);
    assert_int_equal(size, 13);
    assert_int_equal(disk->open(disk, path("a"), &again, &diag), OK);
    struct disk_read read = {.to = bytes, .size = sizeof bytes};
    assert_int_equal(disk->read(disk, again, 3, &read, &diag), OK);
    assert_int_equal(read.got, 10);
    assert_memory_equal(bytes, "lo\0\0\0there", 10);
    assert_int_equal(disk->read(disk, again, 99, &read, &diag), OK);
    assert_int_equal(read.got, 0);
    assert_int_equal(disk->write(disk, again, 0, SLICE("x"), &diag), ERR_IO);
    disk->close(disk, again);
    disk->close(disk, file);
    assert_int_equal(disk->remove(disk, path("a"), &diag), OK);
    assert_int_equal(disk->remove(disk, path("a"), &diag), ERR_NOT_FOUND);
    assert_int_equal(disk->open(disk, path("a"), &file, &diag), ERR_NOT_FOUND);
}

static void test_names_come_in_the_order_of_their_bytes(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "a.seg", "10", "9", "a"};
    struct arena arena;
    struct disk_names list;
    int file;
    assert_int_equal(disk->make_directory(disk, path("d"), NULL), OK);
    assert_int_equal(disk->make_directory(disk, path("d"), NULL), OK);
    assert_int_equal(disk->make_directory(disk, path("x/y"), NULL), ERR_NOT_FOUND);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[20];
        snprintf(name, sizeof name, "d/%s", names[i]);
        assert_int_equal(disk->create(disk, path(name), &file, NULL), OK);
        disk->close(disk, file);
    }
    assert_int_equal(disk->sync_directory(disk, path("d"), NULL), OK);
    assert_int_equal(disk->sync_directory(disk, path("none"), NULL), ERR_NOT_FOUND);
    assert_int_equal(disk->rename(disk, path("d/b"), path("d/a"), NULL), OK);
    assert_int_equal(disk->rename(disk, path("d/b"), path("d/a"), NULL), ERR_NOT_FOUND);
    arena_init(&arena, 1 << 20);
    assert_int_equal(disk->list(disk, path("d"), &arena, &list, NULL), OK);
    static const char *const wanted[] = {"10", "9", "a", "a.seg"};
    assert_int_equal(list.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(list.at[i], wanted[i]);
        char name[20];
        snprintf(name, sizeof name, "d/%s", wanted[i]);
        assert_int_equal(disk->remove(disk, path(name), NULL), OK);
    }
    assert_int_equal(disk->list(disk, path("none"), &arena, &list, NULL), ERR_NOT_FOUND);
    arena_fini(&arena);
    arena_init(&arena, 1);
    assert_int_equal(disk->create(disk, path("d/long name"), &file, NULL), OK);
    disk->close(disk, file);
    assert_int_equal(disk->list(disk, path("d"), &arena, &list, NULL), ERR_MEMORY);
    arena_fini(&arena);
    assert_int_equal(disk->remove(disk, path("d/long name"), NULL), OK);
    assert_int_equal(rmdir(path("d")), 0);
}

static void test_a_lock_has_one_holder(void **state)
{
    (void)state;
    int file, second;
    assert_int_equal(disk->lock(disk, path("lock"), &file, NULL), OK);
    assert_int_equal(disk->lock(disk, path("lock"), &second, NULL), ERR_USAGE);
    disk->close(disk, file);
    assert_int_equal(disk->lock(disk, path("lock"), &second, NULL), OK);
    disk->close(disk, second);
    assert_int_equal(disk->remove(disk, path("lock"), NULL), OK);
}

static void test_no_space_has_an_error_of_its_own(void **state)
{
    (void)state;
    int file;
    uint64_t room = 0;
    struct diag diag;
    assert_int_equal(disk->room(disk, top, &room, NULL), OK);
    assert_true(room > 0);
    assert_int_equal(disk->room(disk, path("none"), &room, NULL), ERR_NOT_FOUND);
    /* Always full. A lock is the one file opened for writing that may be there already. */
    if (disk->lock(disk, "/dev/full", &file, NULL) != OK) {
        skip();
    }
    assert_int_equal(disk->write(disk, file, 0, SLICE("x"), &diag), ERR_LIMIT);
    assert_non_null(strstr(diag.words, "No space left"));
    disk->close(disk, file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_what_is_written_is_read_at_its_place),
            cmocka_unit_test(test_names_come_in_the_order_of_their_bytes),
            cmocka_unit_test(test_a_lock_has_one_holder),
            cmocka_unit_test(test_no_space_has_an_error_of_its_own),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
