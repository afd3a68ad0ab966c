/* The records of an archive, as pieces that decoders read: what stands together, what stands alone,
 * what is left out, and what is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/hunt_archive.h"
#include "archive/seal.h"
#include "base/time.h"
#include "decode/json.h"
#include "event/field.h"
#include "event/paths.h"

#define HOUR (TIME_DAY / 24)
#define LOG "0123456789abcdef0123456789abcdef"

static char folder[64], path[96];

static int make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/hunt_archive_test.XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/archive", folder);
    return 0;
}

static int clean(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

struct row {
    uint64_t offset;
    int64_t received_ns, part;
    const char *format, *raw; /* NULL: it came before */
};

/* Rows of a tenant, two of them in a row group. Each has the values of some event. */
static void seal_rows(const char *tenant, const struct row *rows, size_t count)
{
    struct diag diag = {0};
    struct seal *seal;
    struct fields *fields = field_table_new();
    struct paths *paths;
    struct reader *reader;
    struct event event;
    struct seal_limits limits = SEAL_LIMITS;
    const struct seal_place place = {.disk = &disk_real,
            .archive = path,
            .tenant = slice_text(tenant),
            .version = SLICE("1"),
            .log = LOG};
    limits.rows.group_rows = 2;
    const struct path_pattern all = {SLICE("*"), SLICE("*"), false};
    const struct decode_limits decode = DECODE_LIMITS;
    char block[128] = "{\"a\":1}";
    assert_int_equal(paths_build(fields, &all, 1, &paths), OK);
    assert_int_equal(event_init(&event, paths->field_count), OK);
    assert_int_equal(json_decoder.reader_new(paths, &decode, &reader), OK);
    json_decoder.begin(reader, slice_text(block), (struct slice){0});
    assert_int_equal(json_decoder.next(reader, &event, &diag), OK);
    assert_int_equal(seal_new(&place, &limits, &seal, &diag), OK);
    for (size_t i = 0; i < count; i++) {
        const struct row *it = &rows[i];
        struct rows_head head = {.offset = it->offset,
                .received_ns = it->received_ns,
                .time_ns = INT64_MIN,
                .part = it->part,
                .source = SLICE("s"),
                .format = slice_text(it->format)};
        head.raw = it->raw ? slice_text(it->raw) : (struct slice){0};
        assert_int_equal(seal_add(seal, &head, &event, &diag), OK);
    }
    assert_int_equal(seal_finish(seal, &diag), OK);
    seal_free(seal);
    json_decoder.reader_free(reader);
    event_fini(&event);
    paths_free(paths);
    field_table_free(fields);
}

/* "17+2:{..}\n{..}\n ..." of each piece. */
static void read_all(const struct hunt_input *input, struct buf *out, struct hunt_archive *a)
{
    struct diag diag = {0};
    struct hunt_archive_piece piece;
    enum err e;
    assert_int_equal(hunt_archive_open(a, input, &diag), OK);
    hunt_archive_begin(a);
    while ((e = hunt_archive_next(a, &piece, &diag)) == OK) {
        buf_format(out, "%llu+%llu:", (unsigned long long)piece.first,
                (unsigned long long)piece.count);
        buf_add(out, piece.bytes);
        buf_byte(out, '|');
    }
    assert_int_equal(e, ERR_END);
    buf_byte(out, 0);
}

static void expect(const struct hunt_input *input, const char *pieces)
{
    struct hunt_archive a;
    struct buf out = {0};
    read_all(input, &out, &a);
    assert_string_equal(out.at, pieces);
    assert_false(a.partial);
    hunt_archive_fini(&a);
    buf_fini(&out);
}

static void rows_that_follow_stand_together(void **state)
{
    (void)state;
    const struct row rows[] = {
            {1, 5, -1, "json", "{}"},
            {2, 5, -1, "json", "[]"}, /* and a row group ends */
            {3, 5, -1, "json", "{1}"},
            {5, 5, -1, "json", "{2}"}, /* a gap */
            {6, 6, -1, "json", "{3}"}, /* another time */
            {7, 6, -1, "syslog", "a"}, /* another format */
            {8, 6, -1, "syslog", "b\nc"},
            {9, 6, -1, "syslog", "d"},
            {10, 6, -1, "auditd", "e"},
            {11, 6, -1, "auditd", "f"},
    };
    const struct hunt_input input = {.archive = path, .to.offset = UINT64_MAX};
    seal_rows("t", rows, sizeof rows / sizeof *rows);
    expect(&input, "1+2:{}\n[]\n|3+1:{1}\n|5+1:{2}\n|6+1:{3}\n|7+1:a\n|8+1:b\nc|9+1:d\n|10+1:e|"
                   "11+1:f|");
}

static void a_chunk_comes_once_and_whole(void **state)
{
    (void)state;
    const struct row rows[] = {
            {4, 5, 1, "evtx", "chunk"}, /* its record 3 could not be read */
            {5, 5, 2, "evtx", NULL},
            {6, 5, 3, "evtx", NULL}, /* in the next row group */
            {7, 5, 0, "evtx", "other"},
    };
    struct hunt_input input = {.archive = path, .to.offset = UINT64_MAX};
    seal_rows("t", rows, sizeof rows / sizeof *rows);
    expect(&input, "3+1:chunk|7+1:other|");
    /* Which of its records are wanted is asked of them. */
    input.from.offset = 6;
    expect(&input, "3+1:chunk|7+1:other|");
}

static void a_part_is_chosen(void **state)
{
    (void)state;
    const struct row rows[] = {
            {1, HOUR - 1, -1, "json", "1"},
            {2, HOUR, -1, "json", "2"},
            {3, HOUR + 1, -1, "json", "3"},
            {4, 3 * HOUR, -1, "json", "4"},
    };
    const struct row other = {7, 0, -1, "json", "7"};
    struct hunt_input input = {.archive = path, .to.offset = UINT64_MAX};
    seal_rows("a/b", rows, sizeof rows / sizeof *rows);
    seal_rows("a", &other, 1);
    seal_rows("ab", &other, 1);
    input.tenant = "a/b";
    input.from = (struct replay_place){.timed = true, .ns = HOUR};
    expect(&input, "2+1:2\n|3+1:3\n|4+1:4\n|");
    input.to = (struct replay_place){.timed = true, .ns = HOUR + 1};
    expect(&input, "2+1:2\n|");
    input.from = (struct replay_place){.offset = 2};
    input.to = (struct replay_place){.offset = 4};
    expect(&input, "2+1:2\n|3+1:3\n|");
    input.tenant = "a";
    input.from.offset = 4;
    input.to.offset = UINT64_MAX;
    expect(&input, "7+1:7\n|4+1:4\n|");
}

static void what_is_damaged_is_named_once(void **state)
{
    (void)state;
    char command[256];
    const struct row rows[] = {{1, 5, -1, "json", "1"}};
    const struct hunt_input input = {.archive = path, .to.offset = UINT64_MAX};
    struct hunt_archive a;
    struct buf out = {0};
    seal_rows("a", rows, 1);
    seal_rows("b", rows, 1);
    seal_rows("c", rows, 1);
    /* One that is cut off, one of somebody else. */
    snprintf(command, sizeof command,
            "cd %s && truncate -s 99 tenant=a/*/*.parquet && mv tenant=b tenant=d", path);
    assert_int_equal(system(command), 0);
    read_all(&input, &out, &a);
    assert_string_equal(out.at, "1+1:1\n|");
    assert_true(a.partial);
    assert_int_equal(a.unread, 2);
    buf_byte(&a.notes, 0);
    assert_non_null(strstr(a.notes.at, "tenant=a/day=1970-01-01/00-" LOG "-1.parquet: "));
    assert_non_null(strstr(
            a.notes.at, "tenant=d/day=1970-01-01/00-" LOG "-1.parquet: it is another tenant's\n"));
    hunt_archive_fini(&a);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(rows_that_follow_stand_together, make, clean),
            cmocka_unit_test_setup_teardown(a_chunk_comes_once_and_whole, make, clean),
            cmocka_unit_test_setup_teardown(a_part_is_chosen, make, clean),
            cmocka_unit_test_setup_teardown(what_is_damaged_is_named_once, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
