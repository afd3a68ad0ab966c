#include "app/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/crash_disk.h"

static uint64_t read_one(struct crash_disk *disk)
{
    uint64_t at = 99;
    assert_int_equal(cursor_read(crash_disk_calls(disk), "cursors", "a", &at, NULL), OK);
    return at;
}

static struct crash_disk *start(void)
{
    struct crash_disk *disk = crash_disk_new();
    const struct disk *calls = crash_disk_calls(disk);
    assert_int_equal(calls->make_directory(calls, "cursors", NULL), OK);
    assert_int_equal(calls->sync_directory(calls, ".", NULL), OK);
    return disk;
}

static void the_last_one_is_read(void **unused)
{
    (void)unused;
    struct crash_disk *disk = start();
    assert_int_equal(read_one(disk), 0);
    for (uint64_t at = 1; at < UINT64_MAX / 7; at *= 7) {
        assert_int_equal(cursor_write(crash_disk_calls(disk), "cursors", "a", at, NULL), OK);
        assert_int_equal(read_one(disk), at);
    }
    crash_disk_free(disk);
}

/* After any crash it is one of the two, and the later one when writing it had ended. */
static void a_crash_leaves_one_of_two(void **unused)
{
    (void)unused;
    struct crash_disk *disk = start();
    assert_int_equal(cursor_write(crash_disk_calls(disk), "cursors", "a", 7, NULL), OK);
    uint64_t before = crash_disk_count(disk);
    assert_int_equal(cursor_write(crash_disk_calls(disk), "cursors", "a", 8, NULL), OK);
    uint64_t end = crash_disk_count(disk);
    for (uint64_t point = before; point <= end; point++) {
        for (uint64_t seed = 0; seed < 50; seed++) {
            struct crash_disk *after = crash_disk_crash(disk, point, seed);
            uint64_t at = read_one(after);
            assert_true(at == 8 || (at == 7 && point < end));
            crash_disk_free(after);
        }
    }
    crash_disk_free(disk);
}

static void a_call_that_fails_is_said_and_gone_round(void **unused)
{
    (void)unused;
    for (uint64_t n = 1;; n++) {
        struct crash_disk *disk = start();
        assert_int_equal(cursor_write(crash_disk_calls(disk), "cursors", "a", 7, NULL), OK);
        crash_disk_fail(disk, n, 0, ERR_IO);
        enum err e = cursor_write(crash_disk_calls(disk), "cursors", "a", 8, NULL);
        crash_disk_fail(disk, 0, 0, ERR_IO);
        assert_true(read_one(disk) == 8 || (e != OK && read_one(disk) == 7));
        assert_int_equal(cursor_write(crash_disk_calls(disk), "cursors", "a", 9, NULL), OK);
        assert_int_equal(read_one(disk), 9);
        crash_disk_free(disk);
        if (e == OK) {
            assert_true(n > 5);
            return;
        }
    }
}

static void nonsense_is_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"", "7", "7\n", "0000000000000000000x\n",
            "99999999999999999999\n", "00000000000000000007\n1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct crash_disk *disk = start();
        struct crash_disk *after = crash_disk_crash(disk, crash_disk_count(disk), 1);
        uint64_t at;
        crash_disk_put(after, "cursors/a", slice_text(texts[i]));
        assert_int_equal(
                cursor_read(crash_disk_calls(after), "cursors", "a", &at, NULL), ERR_SYNTAX);
        crash_disk_free(after);
        crash_disk_free(disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_last_one_is_read),
            cmocka_unit_test(a_crash_leaves_one_of_two),
            cmocka_unit_test(a_call_that_fails_is_said_and_gone_round),
            cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
