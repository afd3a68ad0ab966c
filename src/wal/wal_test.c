#include "wal/wal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/crash_disk.h"
#include "wal/reader.h"

static enum err no_dice(char *to, size_t size, struct diag *diag)
{
    (void)diag;
    memset(to, 0x5a, size);
    return OK;
}

static struct wal *open_log(struct crash_disk *disk, uint64_t segment_bytes)
{
    struct wal_options options = {.disk = crash_disk_calls(disk), .random = no_dice};
    struct wal *wal = NULL;
    struct diag diag = {0};
    options.segment_bytes = segment_bytes;
    enum err e = wal_open("log", &options, &wal, &diag);
    if (e != OK) {
        fail_msg("%s: %s", err_name(e), diag.words);
    }
    return wal;
}

static enum err append(struct wal *wal, const char *text)
{
    struct frame_records records = {0};
    struct frame frame = {.kind = FRAME_RECORDS, .receipt_ns = 1};
    frame_records_add(&records, slice_text(text));
    assert_int_equal(frame_take(&frame, &records), OK);
    enum err e = wal_append(wal, &frame, NULL);
    frame_records_fini(&records);
    return e;
}

static void put(struct wal *wal, const char *text)
{
    assert_int_equal(append(wal, text), OK);
}

/* The records from `from` on, one behind the other, '!' for damage. */
static void expect(struct crash_disk *disk, uint64_t from, uint64_t committed, const char *text)
{
    struct wal_reader *reader;
    struct frame frame;
    char all[200] = "";
    size_t n = 0;
    enum err e = reader_open("log", crash_disk_calls(disk), from, &reader, NULL);
    assert_int_equal(e, OK);
    while ((e = reader_next(reader, committed, &frame, NULL)) != ERR_END) {
        struct frame_walk walk = {0};
        if (e == ERR_SYNTAX) {
            n += (size_t)snprintf(all + n, sizeof all - n, "!");
            continue;
        }
        assert_int_equal(e, OK);
        while (frame_next(&frame, &walk)) {
            n += (size_t)snprintf(all + n, sizeof all - n, "%.*s", SLICE_ARG(walk.record));
        }
    }
    reader_close(reader);
    assert_string_equal(all, text);
}

static void test_what_is_committed_is_read_again_and_goes_on(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal *wal = open_log(disk, 0);
    assert_true(wal_found(wal)->made);
    assert_int_equal(wal_found(wal)->next, 0);
    put(wal, "a");
    put(wal, "b");
    assert_int_equal(wal_committed(wal), 0);
    assert_int_equal(wal_commit(wal, NULL), OK);
    assert_int_equal(wal_committed(wal), 2);
    put(wal, "c");
    expect(disk, 0, 2, "ab");
    expect(disk, 0, READER_ALL, "ab");
    expect(disk, 1, READER_ALL, "b");
    wal_close(wal);
    wal = open_log(disk, 0);
    assert_int_equal(wal_found(wal)->next, 2);
    assert_string_equal(wal_found(wal)->log, "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a");
    assert_false(wal_found(wal)->made);
    put(wal, "d");
    assert_int_equal(wal_commit(wal, NULL), OK);
    expect(disk, 0, READER_ALL, "abd");
    wal_close(wal);
    crash_disk_free(disk);
}

static void test_a_second_process_is_refused(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal *wal = open_log(disk, 0), *second;
    struct wal_options options = {.disk = crash_disk_calls(disk)};
    assert_int_equal(wal_open("log", &options, &second, NULL), ERR_USAGE);
    wal_close(wal);
    assert_int_equal(wal_open("log", &options, &second, NULL), OK);
    wal_close(second);
    crash_disk_free(disk);
}

static void test_a_segment_that_is_full_or_old_is_finished(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal *wal = open_log(disk, 1);
    for (int i = 0; i < 5; i++) {
        put(wal, "x");
        assert_int_equal(wal_commit(wal, NULL), OK);
    }
    expect(disk, 0, READER_ALL, "xxxxx");
    struct reader_survey survey;
    assert_int_equal(reader_verify("log", crash_disk_calls(disk), NULL, &survey, NULL), OK);
    assert_int_equal(survey.segments, 5);
    assert_int_equal(survey.sealed, 4);
    assert_int_equal(survey.heads, 5);
    assert_int_equal(survey.records, 5);
    assert_int_equal(survey.by_kind[FRAME_RECORDS], 5);
    assert_int_equal(survey.torn_bytes + survey.spare_bytes + survey.strange_bytes, 0);
    uint64_t first;
    assert_int_equal(wal_remove(wal, 3, &first, NULL), OK);
    assert_int_equal(first, 3);
    expect(disk, 0, READER_ALL, "xx");
    assert_int_equal(wal_remove(wal, UINT64_MAX, &first, NULL), OK);
    assert_int_equal(first, 4);
    wal_close(wal);
    crash_disk_free(disk);
}

static void test_age_by_receipt_finishes_a_segment(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal_options options = {
            .disk = crash_disk_calls(disk), .random = no_dice, .segment_ns = 100};
    struct wal *wal;
    assert_int_equal(wal_open("log", &options, &wal, NULL), OK);
    static const struct {
        int64_t receipt_ns;
        uint64_t segments;
    } rows[] = {{1000, 1}, {1099, 1}, {1100, 2}, {900, 2}, {1199, 2}, {1200, 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frame frame = {.kind = FRAME_TICK, .receipt_ns = rows[i].receipt_ns};
        struct reader_survey survey;
        assert_int_equal(wal_append(wal, &frame, NULL), OK);
        assert_int_equal(wal_commit(wal, NULL), OK);
        assert_int_equal(reader_verify("log", crash_disk_calls(disk), NULL, &survey, NULL), OK);
        assert_int_equal(survey.segments, rows[i].segments);
    }
    wal_close(wal);
    crash_disk_free(disk);
}

static void test_a_sync_that_fails_is_gone_round_in_a_new_segment(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal *wal = open_log(disk, 0);
    put(wal, "a");
    assert_int_equal(wal_commit(wal, NULL), OK);
    put(wal, "b");
    crash_disk_fail_kind(disk, CRASH_DISK_SYNC, 1, ERR_IO);
    assert_int_equal(wal_commit(wal, NULL), OK);
    assert_int_equal(wal_failures(wal), 1);
    assert_non_null(crash_disk_file(disk, "log/00000000000000000001.seg").at);
    struct crash_disk *after = crash_disk_crash(disk, crash_disk_count(disk), 0);
    expect(after, 0, READER_ALL, "ab");
    crash_disk_free(after);
    wal_close(wal);
    crash_disk_free(disk);
}

static void test_no_room_keeps_what_waits_until_there_is_some(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal *wal = open_log(disk, 0);
    put(wal, "a");
    assert_int_equal(wal_commit(wal, NULL), OK);
    crash_disk_limit(disk, 0);
    put(wal, "b");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wal_commit(wal, NULL), ERR_LIMIT);
        assert_int_equal(wal_committed(wal), 1);
    }
    put(wal, "c");
    crash_disk_limit(disk, UINT64_MAX);
    assert_int_equal(wal_commit(wal, NULL), OK);
    assert_int_equal(wal_committed(wal), 3);
    expect(disk, 0, READER_ALL, "abc");
    wal_close(wal);
    crash_disk_free(disk);
}

static void test_the_reserve_is_left_free(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal_options options = {
            .disk = crash_disk_calls(disk), .random = no_dice, .reserve_bytes = 5000};
    struct wal *wal;
    assert_int_equal(wal_open("log", &options, &wal, NULL), OK);
    crash_disk_limit(disk, 5000);
    assert_int_equal(append(wal, "a"), ERR_LIMIT);
    assert_int_equal(wal_next(wal), 0);
    uint64_t used = crash_disk_file(disk, "log/00000000000000000000.seg").size;
    crash_disk_limit(disk, 5000 + used);
    assert_int_equal(append(wal, "a"), OK);
    wal_close(wal);
    crash_disk_free(disk);
}

static void test_more_than_64_mib_do_not_wait(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal *wal = open_log(disk, 0);
    struct frame_records records = {0};
    struct frame frame = {.kind = FRAME_RECORDS};
    static char bytes[1 << 20];
    frame_records_add(&records, slice_of(bytes, sizeof bytes - FRAME_FIXED - 11 - 4 - 1));
    for (int i = 0; i < 64; i++) {
        assert_int_equal(frame_take(&frame, &records), OK);
        assert_int_equal(wal_append(wal, &frame, NULL), OK);
    }
    assert_int_equal(wal_waiting(wal), WAL_WAITING);
    assert_int_equal(wal_append(wal, &frame, NULL), ERR_LIMIT);
    assert_int_equal(append(wal, ""), ERR_LIMIT);
    assert_int_equal(wal_next(wal), 64);
    assert_int_equal(wal_commit(wal, NULL), OK);
    assert_int_equal(append(wal, ""), OK);
    frame_records_fini(&records);
    wal_close(wal);
    crash_disk_free(disk);
}

static void test_offsets_pass_2_to_the_32(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct buf head = {0};
    struct frame frame = {.kind = FRAME_HEAD, .offset = UINT32_MAX, .durable = UINT32_MAX};
    frame.attribute[FRAME_LOG] = SLICE("000102030405060708090a0b0c0d0e0f");
    frame.attribute[FRAME_MARK] = SLICE("12345678");
    assert_int_equal(frame_write(&frame, &head, NULL), OK);
    crash_disk_put(disk, "log/00000000004294967295.seg", buf_slice(&head));
    buf_fini(&head);
    struct wal *wal = open_log(disk, 1);
    assert_int_equal(wal_found(wal)->next, UINT32_MAX);
    for (int i = 0; i < 3; i++) {
        put(wal, "x");
        assert_int_equal(wal_commit(wal, NULL), OK);
    }
    assert_int_equal(wal_committed(wal), (uint64_t)UINT32_MAX + 3);
    expect(disk, UINT32_MAX, READER_ALL, "xxx");
    expect(disk, (uint64_t)UINT32_MAX + 1, READER_ALL, "xx");
    wal_close(wal);
    wal = open_log(disk, 1);
    assert_int_equal(wal_found(wal)->next, (uint64_t)UINT32_MAX + 3);
    wal_close(wal);
    crash_disk_free(disk);
}

static void test_a_frame_without_records_takes_an_offset(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal *wal = open_log(disk, 0);
    struct wal_reader *reader;
    struct frame frame = {.kind = FRAME_TICK}, bad = {.kind = FRAME_SEAL};
    assert_int_equal(wal_append(wal, &bad, NULL), ERR_USAGE);
    assert_int_equal(wal_append(wal, &frame, NULL), OK);
    assert_int_equal(frame.count, 1);
    assert_int_equal(reader_open("log", crash_disk_calls(disk), 0, &reader, NULL), OK);
    assert_int_equal(reader_next(reader, wal_committed(wal), &frame, NULL), ERR_END);
    assert_int_equal(wal_commit(wal, NULL), OK);
    assert_int_equal(reader_next(reader, wal_committed(wal), &frame, NULL), OK);
    assert_int_equal(frame.kind, FRAME_TICK);
    assert_int_equal(reader_next(reader, wal_committed(wal), &frame, NULL), ERR_END);
    reader_close(reader);
    wal_close(wal);
    crash_disk_free(disk);
}

static void test_the_ring_is_known_after_restarts(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal *wal = open_log(disk, 0);
    struct frame frame = {.kind = FRAME_TICK};
    char ring[16] = "RINGRING";
    frame_put64(ring + 8, 4711);
    frame.attribute[FRAME_RING] = slice_of(ring, sizeof ring);
    assert_false(wal_found(wal)->has_ring);
    assert_int_equal(wal_append(wal, &frame, NULL), OK);
    assert_int_equal(wal_commit(wal, NULL), OK);
    for (int i = 0; i < 3; i++) {
        wal_close(wal);
        wal = open_log(disk, 0);
        assert_true(wal_found(wal)->has_ring);
        assert_memory_equal(wal_found(wal)->ring_id, "RINGRING", 8);
        assert_int_equal(wal_found(wal)->ring_position, 4711);
        put(wal, "behind");
        assert_int_equal(wal_commit(wal, NULL), OK);
    }
    wal_close(wal);
    crash_disk_free(disk);
}

static void test_a_reader_beside_the_writer_follows_it(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    _Atomic uint64_t committed = 0;
    struct wal_options options = {.disk = crash_disk_calls(disk),
            .random = no_dice,
            .segment_bytes = 300,
            .committed = &committed};
    struct wal *wal;
    struct wal_reader *reader;
    struct frame frame;
    uint64_t first;
    assert_int_equal(wal_open("log", &options, &wal, NULL), OK);
    assert_int_equal(reader_open("log", crash_disk_calls(disk), 0, &reader, NULL), OK);
    for (uint64_t i = 0; i < 40; i++) {
        char text[20];
        snprintf(text, sizeof text, "%d", (int)i);
        put(wal, text);
        assert_int_equal(reader_next(reader, committed, &frame, NULL), ERR_END);
        if (i % 7 == 3) {
            crash_disk_fail_kind(disk, CRASH_DISK_SYNC, 1, ERR_IO);
        }
        assert_int_equal(wal_commit(wal, NULL), OK);
        assert_int_equal(reader_next(reader, committed, &frame, NULL), OK);
        assert_int_equal(frame.offset, i);
        struct frame_walk walk = {0};
        assert_true(frame_next(&frame, &walk));
        assert_true(slice_equal(walk.record, slice_text(text)));
    }
    /* Overtaken by retention. */
    for (int i = 0; i < 20; i++) {
        put(wal, "y");
        assert_int_equal(wal_commit(wal, NULL), OK);
    }
    assert_int_equal(wal_remove(wal, 58, &first, NULL), OK);
    assert_true(first > 50 && first <= 58);
    uint64_t at = 40;
    enum err e;
    while ((e = reader_next(reader, committed, &frame, NULL)) == OK) {
        assert_int_equal(frame.offset, at);
        at++;
    }
    assert_int_equal(e, ERR_SYNTAX);
    assert_true(reader_damage(reader)->removed);
    assert_int_equal(reader_damage(reader)->from, at);
    assert_int_equal(reader_damage(reader)->to, first);
    assert_int_equal(reader_next(reader, committed, &frame, NULL), OK);
    assert_int_equal(frame.offset, first);
    reader_close(reader);
    wal_close(wal);
    crash_disk_free(disk);
}

/* In a segment that is still written to: the reader looks again, and then goes on behind it. */
static void test_a_reader_beside_the_writer_passes_damage(void **state)
{
    (void)state;
    struct crash_disk *disk = crash_disk_new();
    struct wal *wal = open_log(disk, 0);
    for (const char *text = "abcde"; *text; text++) {
        put(wal, (char[]){*text, 0});
        assert_int_equal(wal_commit(wal, NULL), OK);
    }
    struct slice file = crash_disk_file(disk, "log/00000000000000000000.seg");
    *(char *)(uintptr_t)(file.at + slice_find(file, SLICE("b\n"))) = 'X';
    *(char *)(uintptr_t)(file.at + slice_find(file, SLICE("d\n"))) = 'X';
    expect(disk, 0, 5, "a!c!e");
    expect(disk, 1, 4, "!c!");
    wal_close(wal);
    crash_disk_free(disk);
}

static void remove_log(const char *path)
{
    struct arena arena;
    struct disk_names names;
    char file[200];
    arena_init(&arena, 1 << 20);
    assert_int_equal(disk_real.list(&disk_real, path, &arena, &names, NULL), OK);
    for (size_t i = 0; i < names.count; i++) {
        snprintf(file, sizeof file, "%s/%s", path, names.at[i]);
        assert_int_equal(unlink(file), 0);
    }
    assert_int_equal(rmdir(path), 0);
    arena_fini(&arena);
}

/* A process that commits two records and waits to be killed. */
static pid_t start_writer(const struct wal_options *options, const char *path)
{
    int ends[2];
    char done;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct wal *wal;
        if (wal_open(path, options, &wal, NULL) != OK || append(wal, "a") != OK ||
                append(wal, "b") != OK || wal_commit(wal, NULL) != OK ||
                write(ends[1], "", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &done, 1), 1);
    close(ends[0]);
    return pid;
}

/* What a writer that died had committed last is written again, here into a segment of the same
 * name, while a reader has the old one open. */
static void test_a_reader_outlives_the_writer(void **state)
{
    (void)state;
    char path[] = "/tmp/merlon-wal-XXXXXX";
    struct wal_options options = {.disk = &disk_real};
    struct wal_reader *reader;
    struct frame frame;
    struct wal *wal;
    assert_non_null(mkdtemp(path));
    pid_t pid = start_writer(&options, path);
    assert_int_equal(reader_open(path, &disk_real, 0, &reader, NULL), OK);
    assert_int_equal(reader_next(reader, 2, &frame, NULL), OK);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(wal_open(path, &options, &wal, NULL), OK);
    put(wal, "c");
    assert_int_equal(wal_commit(wal, NULL), OK);
    for (uint64_t offset = 1; offset < 3; offset++) {
        assert_int_equal(reader_next(reader, 3, &frame, NULL), OK);
        assert_int_equal(frame.offset, offset);
    }
    assert_int_equal(reader_next(reader, 3, &frame, NULL), ERR_END);
    reader_close(reader);
    wal_close(wal);
    remove_log(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_what_is_committed_is_read_again_and_goes_on),
            cmocka_unit_test(test_a_second_process_is_refused),
            cmocka_unit_test(test_a_segment_that_is_full_or_old_is_finished),
            cmocka_unit_test(test_age_by_receipt_finishes_a_segment),
            cmocka_unit_test(test_a_sync_that_fails_is_gone_round_in_a_new_segment),
            cmocka_unit_test(test_no_room_keeps_what_waits_until_there_is_some),
            cmocka_unit_test(test_the_reserve_is_left_free),
            cmocka_unit_test(test_more_than_64_mib_do_not_wait),
            cmocka_unit_test(test_offsets_pass_2_to_the_32),
            cmocka_unit_test(test_a_frame_without_records_takes_an_offset),
            cmocka_unit_test(test_the_ring_is_known_after_restarts),
            cmocka_unit_test(test_a_reader_beside_the_writer_follows_it),
            cmocka_unit_test(test_a_reader_beside_the_writer_passes_damage),
            cmocka_unit_test(test_a_reader_outlives_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
