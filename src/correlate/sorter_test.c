#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "correlate/sorter.h"

enum { KEY = 3, COUNT = 3000 };

/* A key of few values, then its number, then as many letters as that says. */
static struct slice record_of(uint32_t number, unsigned key, char *room)
{
    size_t more = number % 500 == 0 ? 100000 : number % 7;
    snprintf(room, 16, "%03u %08u", key, number);
    memset(room + 12, 'x', more);
    return slice_of(room, 12 + more);
}

static void run(size_t budget, int fd, bool file)
{
    static char room[256 << 10];
    const struct sorter_setting setting = {.key = KEY, .budget = budget, .fd = fd};
    struct sorter *s;
    struct slice record;
    struct diag diag = {0};
    unsigned last_key = 0;
    uint32_t last_number = 0, seen = 0;
    assert_int_equal(sorter_new(&setting, &s), OK);
    srand(9);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(sorter_add(s, record_of(i + 1, (unsigned)rand() % 40, room), &diag), OK);
    }
    assert_int_equal(sorter_finish(s, &diag), OK);
    assert_int_equal(sorter_runs(s) > 1, file);
    while (sorter_next(s, &record, &diag) == OK) {
        char head[13] = {0};
        memcpy(head, record.at, 12);
        unsigned key = (unsigned)strtoul(head, NULL, 10);
        uint32_t number = (uint32_t)strtoul(head + 4, NULL, 10);
        assert_true(key > last_key || (key == last_key && number > last_number) || seen == 0);
        assert_int_equal(record.size, 12 + (number % 500 == 0 ? 100000 : number % 7));
        assert_true(record.size == 12 || record.at[record.size - 1] == 'x');
        last_key = key;
        last_number = number;
        seen++;
    }
    assert_int_equal(seen, COUNT);
    sorter_free(s);
}

static void records_come_in_order_and_equal_ones_as_they_came(void **state)
{
    (void)state;
    run(64 << 20, -1, false);
    run(1, -1, false);
    run(64 << 20, sorter_temporary(), false);
    run(100000, sorter_temporary(), true);
    run(1, sorter_temporary(), true); /* more runs than SORTER_RUNS */
}

static void a_file_that_cannot_be_written_is_said(void **state)
{
    (void)state;
    const struct sorter_setting setting = {
            .key = 1, .budget = 1, .fd = open("/dev/null", O_RDONLY)};
    struct sorter *s;
    struct diag diag = {0};
    assert_int_equal(sorter_new(&setting, &s), OK);
    assert_int_equal(sorter_add(s, SLICE("b"), &diag), OK);
    assert_int_equal(sorter_add(s, SLICE("a"), &diag), ERR_IO);
    assert_non_null(strstr(diag.words, "temporary file"));
    sorter_free(s);
}

static void a_file_cut_short_is_said(void **state)
{
    (void)state;
    static char bytes[60000];
    int fd = sorter_temporary();
    const struct sorter_setting setting = {.key = 1, .budget = 150000, .fd = fd};
    struct sorter *s;
    struct slice record;
    struct diag diag = {0};
    enum err e;
    assert_int_equal(sorter_new(&setting, &s), OK);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(sorter_add(s, slice_of(bytes, sizeof bytes), &diag), OK);
    }
    assert_int_equal(sorter_finish(s, &diag), OK);
    assert_int_equal(ftruncate(fd, 0), 0);
    while ((e = sorter_next(s, &record, &diag)) == OK) {
    }
    assert_int_equal(e, ERR_IO);
    assert_non_null(strstr(diag.words, "shorter"));
    sorter_free(s);
}

static void the_longest_record_fits_and_no_longer_one(void **state)
{
    (void)state;
    const struct sorter_setting setting = {.key = 1, .budget = 1, .fd = -1};
    struct sorter *s;
    struct diag diag = {0};
    char *bytes = memory_alloc(SORTER_RECORD + 1);
    assert_non_null(bytes);
    assert_int_equal(sorter_new(&setting, &s), OK);
    assert_int_equal(sorter_add(s, slice_of(bytes, SORTER_RECORD), &diag), OK);
    assert_int_equal(sorter_add(s, slice_of(bytes, SORTER_RECORD + 1), &diag), ERR_LIMIT);
    sorter_free(s);
    memory_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(records_come_in_order_and_equal_ones_as_they_came),
            cmocka_unit_test(a_file_that_cannot_be_written_is_said),
            cmocka_unit_test(a_file_cut_short_is_said),
            cmocka_unit_test(the_longest_record_fits_and_no_longer_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
