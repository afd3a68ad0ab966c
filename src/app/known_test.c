#include "app/known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/crash_disk.h"

static const struct known_at here = {"0123456789abcdef0123456789abcdef", UINT64_C(1) << 40};

static struct counts *make(void)
{
    struct counts *counts = NULL;
    assert_int_equal(counts_new(&counts, NULL), OK);
    return counts;
}

static struct crash_disk *start(void)
{
    struct crash_disk *disk = crash_disk_new();
    const struct disk *calls = crash_disk_calls(disk);
    assert_int_equal(calls->make_directory(calls, "data", NULL), OK);
    assert_int_equal(calls->sync_directory(calls, ".", NULL), OK);
    return disk;
}

/* So many sources, heard of at `last_ns` and behind. */
static struct counts *some(unsigned count, int64_t last_ns)
{
    struct counts *counts = make();
    char name[COUNTS_NAME + 20];
    for (unsigned i = 0; i < count; i++) {
        memset(name, 'a', sizeof name);
        int size = snprintf(name, 20, "tcp/%u", i);
        name[size] = 'b';
        counts_recall(counts, SLICE("sg/moh"), slice_of(name, i % 2 ? sizeof name : (size_t)size),
                last_ns + (int64_t)i);
    }
    return counts;
}

static size_t standing(const struct counts *counts)
{
    size_t count = 0;
    for (size_t i = 0; i < counts_size(counts); i++) {
        count += counts_at(counts, i) != NULL;
    }
    return count;
}

static void who_was_heard_of_is_known_again(void **unused)
{
    (void)unused;
    struct crash_disk *disk = start();
    struct counts *before = some(1000, 5), *after = make();
    struct known_at at;
    /* Of one that was never heard of there is nothing to know. */
    (void)counts_source(before, SLICE("sg"), SLICE("udp/(any)"));
    counts_add(&counts_source(before, SLICE(""), SLICE("x"))->taken, 7);
    counts_recall(before, SLICE(""), SLICE("x"), -1);
    counts_recall(before, SLICE(""), SLICE("x"), INT64_MAX);
    assert_int_equal(known_save(crash_disk_calls(disk), "data", before, &here, NULL), OK);
    assert_int_equal(known_load(crash_disk_calls(disk), "data", after, &at, NULL), OK);
    assert_string_equal(at.log, here.log);
    assert_true(at.offset == here.offset);
    assert_int_equal(standing(after), 1001);
    for (size_t i = 0; i < counts_size(after); i++) {
        const struct counts_source *a = counts_at(after, i);
        const struct counts_source *b =
                counts_source(before, slice_text(a->tenant), slice_text(a->name));
        assert_true(a->last_ns == b->last_ns && a->last_ns != 0 && a->taken == 0);
    }
    assert_int_equal(standing(before), 1002);
    counts_free(before);
    counts_free(after);
    crash_disk_free(disk);
}

static void as_many_as_have_a_place_and_one_more(void **unused)
{
    (void)unused;
    for (unsigned more = 0; more < 2; more++) {
        struct crash_disk *disk = start();
        struct counts *before = some(COUNTS_SOURCES + more, 5), *after = make();
        struct known_at at;
        assert_int_equal(counts_crowded(before), more);
        assert_int_equal(known_save(crash_disk_calls(disk), "data", before, &here, NULL), OK);
        assert_int_equal(known_load(crash_disk_calls(disk), "data", after, &at, NULL), OK);
        assert_int_equal(standing(after), COUNTS_SOURCES);
        assert_int_equal(counts_crowded(after), 0); /* (others) are nobody */
        counts_free(before);
        counts_free(after);
        crash_disk_free(disk);
    }
}

static void where_there_is_none_nothing_is_known(void **unused)
{
    (void)unused;
    struct crash_disk *disk = start();
    struct counts *counts = make();
    struct known_at at = here;
    assert_int_equal(known_load(crash_disk_calls(disk), "data", counts, &at, NULL), ERR_NOT_FOUND);
    assert_true(at.offset == 0 && at.log[0] == 0);
    counts_free(counts);
    crash_disk_free(disk);
}

/* The list with a bit turned, cut, or longer. */
static void what_is_not_whole_is_not_believed(void **unused)
{
    (void)unused;
    struct crash_disk *disk = start();
    const struct disk *calls = crash_disk_calls(disk);
    struct counts *before = some(3, 5);
    struct known_at at;
    struct diag diag;
    char bytes[1024];
    struct disk_read read = {.to = bytes, .size = sizeof bytes};
    int file;
    assert_int_equal(known_save(calls, "data", before, &here, NULL), OK);
    assert_int_equal(calls->open(calls, "data/sources", &file, NULL), OK);
    assert_int_equal(calls->read(calls, file, 0, &read, NULL), OK);
    calls->close(calls, file);
    assert_true(read.got > 100 && read.got < sizeof bytes - 1);
    bytes[read.got] = 0;
    for (size_t i = 0; i < 2 * read.got + 2; i++) {
        size_t size = i <= read.got ? i : read.got;
        size += i == read.got;
        char *turned = &bytes[(i - read.got) % read.got];
        *turned ^= i > read.got ? 1 << i % 8 : 0;
        assert_int_equal(calls->remove(calls, "data/sources", NULL), OK);
        assert_int_equal(calls->create(calls, "data/sources", &file, NULL), OK);
        assert_int_equal(calls->write(calls, file, 0, slice_of(bytes, size), NULL), OK);
        calls->close(calls, file);
        struct counts *after = make();
        diag = (struct diag){0};
        assert_int_equal(known_load(calls, "data", after, &at, &diag), ERR_SYNTAX);
        assert_non_null(strstr(diag.words, "data/sources"));
        assert_true(standing(after) == 0 && at.offset == 0);
        counts_free(after);
        *turned ^= i > read.got ? 1 << i % 8 : 0;
    }
    counts_free(before);
    crash_disk_free(disk);
}

/* After any crash it is one of the two, and the later one when writing it had ended. */
static void a_crash_leaves_one_of_two(void **unused)
{
    (void)unused;
    struct crash_disk *disk = start();
    const struct disk *calls = crash_disk_calls(disk);
    struct counts *first = some(3, 5), *second = some(5, 90);
    const struct known_at later = {"0123456789abcdef0123456789abcdef", here.offset + 1};
    assert_int_equal(known_save(calls, "data", first, &here, NULL), OK);
    uint64_t before = crash_disk_count(disk);
    assert_int_equal(known_save(calls, "data", second, &later, NULL), OK);
    uint64_t end = crash_disk_count(disk);
    for (uint64_t point = before; point <= end; point++) {
        for (uint64_t seed = 0; seed < 50; seed++) {
            struct crash_disk *left = crash_disk_crash(disk, point, seed);
            struct counts *after = make();
            struct known_at at;
            assert_int_equal(known_load(crash_disk_calls(left), "data", after, &at, NULL), OK);
            bool new = at.offset == later.offset;
            assert_true(new || (at.offset == here.offset && point < end));
            assert_int_equal(standing(after), new ? 5 : 3);
            /* And it can be written again. */
            assert_int_equal(known_save(crash_disk_calls(left), "data", after, &at, NULL), OK);
            counts_free(after);
            crash_disk_free(left);
        }
    }
    counts_free(first);
    counts_free(second);
    crash_disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(who_was_heard_of_is_known_again),
            cmocka_unit_test(as_many_as_have_a_place_and_one_more),
            cmocka_unit_test(where_there_is_none_nothing_is_known),
            cmocka_unit_test(what_is_not_whole_is_not_believed),
            cmocka_unit_test(a_crash_leaves_one_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
