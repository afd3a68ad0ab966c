#include "archive/seal.h"

#include <fcntl.h>
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

#include "archive/check.h"
#include "archive/rows_read.h"
#include "base/memory.h"
#include "base/time.h"
#include "decode/json.h"
#include "event/field.h"
#include "event/paths.h"

enum { PATH = 400, BEHIND = 64 };
#define LOG "2eabc4e4fba1042a52d98611bb267e7c"
#define HOUR (TIME_DAY / 24)

struct rig {
    char directory[40];
    struct fields *fields;
    struct paths *paths;
    struct event event;
    struct reader *reader;
    char block[256];
    struct buf records; /* a line feed behind each */
};

static struct rig rig_new(void)
{
    const struct path_pattern all = {SLICE("*"), SLICE("*"), false};
    static const struct decode_limits limits = DECODE_LIMITS;
    struct rig rig = {.directory = "/tmp/merlon-seal-XXXXXX"};
    assert_non_null(mkdtemp(rig.directory));
    rig.fields = field_table_new();
    assert_int_equal(paths_build(rig.fields, &all, 1, &rig.paths), OK);
    assert_int_equal(event_init(&rig.event, rig.paths->field_count), OK);
    assert_int_equal(json_decoder.reader_new(rig.paths, &limits, &rig.reader), OK);
    return rig;
}

static void rig_free(struct rig *rig)
{
    char command[PATH];
    snprintf(command, sizeof command, "rm -r '%s'", rig->directory);
    assert_int_equal(system(command), 0);
    json_decoder.reader_free(rig->reader);
    event_fini(&rig->event);
    paths_free(rig->paths);
    field_table_free(rig->fields);
    buf_fini(&rig->records);
}

static struct seal *open_seal(struct rig *rig, uint64_t file_rows)
{
    struct seal_limits limits = SEAL_LIMITS;
    const struct seal_place place = {&disk_real, rig->directory, SLICE("sg/moh"), SLICE("0"), LOG};
    struct seal *seal;
    limits.file_rows = file_rows;
    assert_int_equal(seal_new(&place, &limits, &seal, NULL), OK);
    return seal;
}

static void add(struct rig *rig, struct seal *seal, uint64_t offset, int64_t received_ns)
{
    int size = snprintf(rig->block, sizeof rig->block - BEHIND,
            "{\"User\":\"eve\",\"Port\":%llu,\"at\":\"a%llu\"}", (unsigned long long)offset % 7,
            (unsigned long long)offset);
    struct slice record = slice_of(rig->block, (size_t)size);
    json_decoder.begin(rig->reader, record, (struct slice){0});
    assert_int_equal(json_decoder.next(rig->reader, &rig->event, NULL), OK);
    const struct rows_head head = {.offset = offset,
            .received_ns = received_ns,
            .time_ns = offset % 3 ? received_ns - 5 : INT64_MIN,
            .part = -1,
            .source = SLICE("dc1"),
            .format = SLICE("json"),
            .raw = rig->event.raw};
    assert_int_equal(seal_add(seal, &head, &rig->event, NULL), OK);
    buf_add(&rig->records, record);
    buf_byte(&rig->records, '\n');
}

static void list(struct rig *rig, struct catalog *catalog)
{
    assert_int_equal(catalog_read(&disk_real, rig->directory, catalog, NULL), OK);
}

static void files_end_by_hour_and_by_size(void **unused)
{
    (void)unused;
    struct rig rig = rig_new();
    struct catalog catalog;
    struct seal *seal = open_seal(&rig, 10);
    for (uint64_t i = 0; i < 45; i++) { /* 25 in one hour, 20 in the next */
        add(&rig, seal, 100 + 2 * i, i < 25 ? 5 * HOUR + 1 : 6 * HOUR);
    }
    list(&rig, &catalog);
    assert_int_equal(catalog.count, 4);
    assert_int_equal(catalog.unfinished, 1);
    catalog_fini(&catalog);
    assert_int_equal(seal_finish(seal, NULL), OK);
    assert_int_equal(seal_finish(seal, NULL), OK); /* nothing more */
    struct seal_counts counts = seal_counts(seal);
    assert_true(counts.files == 5 && counts.rows == 45 && counts.shaped == 45);
    seal_free(seal);
    list(&rig, &catalog);
    static const uint64_t first[] = {100, 120, 140, 150, 170}, rows[] = {10, 10, 5, 10, 10};
    assert_int_equal(catalog.count, 5);
    assert_true(catalog.unfinished == 0 && catalog.strays == 0);
    for (size_t i = 0; i < catalog.count; i++) {
        struct check_result result;
        struct diag diag = {0};
        assert_true(slice_equal(catalog.at[i].tenant, SLICE("sg/moh")));
        assert_int_equal(catalog.at[i].first, first[i]);
        assert_int_equal(catalog.at[i].hour, i < 3 ? 5 : 6);
        if (check_file(&disk_real, rig.directory, &catalog.at[i], &result, &diag) != OK) {
            fail_msg("%s", diag.words);
        }
        assert_int_equal(result.rows, rows[i]);
        assert_int_equal(result.records, rows[i]);
    }
    catalog_fini(&catalog);
    rig_free(&rig);
}

static void what_does_not_end_is_not_there(void **unused)
{
    (void)unused;
    struct rig rig = rig_new();
    struct catalog catalog;
    struct seal *seal = open_seal(&rig, 10);
    add(&rig, seal, 1, HOUR);
    seal_free(seal);
    list(&rig, &catalog);
    assert_true(catalog.count == 0 && catalog.unfinished == 0);
    catalog_fini(&catalog);
    rig_free(&rig);
}

static void flip(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_not_equal(fputc(byte ^ 0x10, file), EOF);
    assert_int_equal(fclose(file), 0);
}

/* A byte anywhere, another name, another tenant's folder: said, with words. */
static void what_was_changed_is_found(void **unused)
{
    (void)unused;
    struct rig rig = rig_new();
    struct catalog catalog;
    struct check_result result;
    char path[PATH];
    struct seal *seal = open_seal(&rig, 1000);
    for (uint64_t i = 0; i < 300; i++) {
        add(&rig, seal, i, HOUR);
    }
    assert_int_equal(seal_finish(seal, NULL), OK);
    seal_free(seal);
    list(&rig, &catalog);
    struct catalog_entry entry = catalog.at[0];
    snprintf(path, sizeof path, "%s/%s", rig.directory, entry.path);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    for (long at = 0; at < status.st_size; at++) {
        struct diag diag = {0};
        flip(path, at);
        if (check_file(&disk_real, rig.directory, &entry, &result, &diag) == OK || !diag.words[0]) {
            fail_msg("the byte at %ld", at);
        }
        flip(path, at);
    }
    assert_int_equal(check_file(&disk_real, rig.directory, &entry, &result, NULL), OK);
    struct catalog_entry other = entry;
    other.tenant = SLICE("sg/mof");
    assert_int_equal(check_file(&disk_real, rig.directory, &other, &result, NULL), ERR_SYNTAX);
    other = entry;
    other.first = 1;
    assert_int_equal(check_file(&disk_real, rig.directory, &other, &result, NULL), ERR_SYNTAX);
    other = entry;
    other.log[0] = '0';
    assert_int_equal(check_file(&disk_real, rig.directory, &other, &result, NULL), ERR_SYNTAX);
    catalog_fini(&catalog);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(files_end_by_hour_and_by_size),
            cmocka_unit_test(what_does_not_end_is_not_there),
            cmocka_unit_test(what_was_changed_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
