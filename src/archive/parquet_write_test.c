#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "archive/parquet_dict.h"
#include "archive/parquet_read.h"
#include "archive/parquet_write.h"
#include "base/memory.h"
#include "support/crash_disk.h"

#define PATH "d/a.parquet"

struct rig {
    struct crash_disk *crash;
    const struct disk *disk;
    struct parquet_write *w;
    struct diag diag;
};

static void start(struct rig *rig)
{
    struct parquet_write_place place = {rig->disk, "d", "a.parquet"};
    assert_int_equal(parquet_write_new(&place, SLICE("merlon test"), &rig->w, &rig->diag), OK);
}

static struct rig begin(void)
{
    struct rig rig = {.crash = crash_disk_new()};
    rig.disk = crash_disk_calls(rig.crash);
    assert_int_equal(rig.disk->make_directory(rig.disk, "d", &rig.diag), OK);
    assert_int_equal(rig.disk->sync_directory(rig.disk, ".", &rig.diag), OK);
    start(&rig);
    return rig;
}

static void end(struct rig *rig)
{
    parquet_write_free(rig->w);
    crash_disk_free(rig->crash);
}

static enum err add_field(struct rig *rig, const char *name, enum parquet_kind kind, bool optional)
{
    uint32_t number;
    struct parquet_field field = {slice_text(name), kind, optional};
    return parquet_write_field(rig->w, &field, &number, &rig->diag);
}

static enum err add_texts(
        struct rig *rig, uint32_t column, const uint64_t *present, const struct slice *at, size_t n)
{
    return parquet_write_texts(rig->w, column, &(struct parquet_texts){present, at, n}, &rig->diag);
}

static enum err add_integers(
        struct rig *rig, uint32_t column, const uint64_t *present, const int64_t *at, size_t n)
{
    return parquet_write_integers(
            rig->w, column, &(struct parquet_integers){present, at, n}, &rig->diag);
}

/* A file of two columns and two groups; the disk or memory may fail. */
static enum err put_file(struct rig *rig)
{
    static const int64_t integers[] = {3, 2, 1};
    static const struct slice texts[] = {{"a", 1}, {"b", 1}};
    uint64_t present = 5;
    TRY(add_field(rig, "n", PARQUET_INT64, false));
    TRY(add_field(rig, "t", PARQUET_TEXT, true));
    for (int i = 0; i < 2; i++) {
        TRY(parquet_write_group(rig->w, 3, &rig->diag));
        TRY(add_integers(rig, 0, NULL, integers, 3));
        TRY(add_texts(rig, 1, &present, texts, 2));
    }
    return parquet_write_finish(rig->w, &rig->diag);
}

static bool is_whole(const struct disk *disk)
{
    struct parquet_read *r;
    struct diag diag = {0};
    enum err e = parquet_read_open(disk, PATH, &r, &diag);
    if (e == ERR_NOT_FOUND) {
        return false;
    }
    assert_int_equal(e, OK);
    struct parquet_read_column column = {0};
    for (uint32_t g = 0; g < 2; g++) {
        assert_int_equal(parquet_read_column(r, g, 1, &column, &diag), OK);
        assert_int_equal(column.rows, 3);
        assert_true(column.count == 2 && column.present[0] == 5);
    }
    parquet_read_column_fini(&column);
    parquet_read_close(r);
    return true;
}

static void a_crash_leaves_a_whole_file_or_none(void **state)
{
    (void)state;
    struct rig rig = begin();
    assert_int_equal(put_file(&rig), OK);
    uint64_t calls = crash_disk_count(rig.crash);
    unsigned whole = 0;
    for (uint64_t point = 2; point <= calls; point++) {
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct crash_disk *after = crash_disk_crash(rig.crash, point, seed);
            whole += is_whole(crash_disk_calls(after));
            assert_true(point < calls || is_whole(crash_disk_calls(after)));
            crash_disk_free(after);
        }
    }
    assert_in_range(whole, 41, 79); /* all once it was finished, some just before */
    end(&rig);
}

static void what_a_crash_left_is_in_nobodys_way(void **state)
{
    (void)state;
    struct rig rig = begin();
    crash_disk_freeze(rig.crash, true); /* dead: it cannot take its file away */
    parquet_write_free(rig.w);
    crash_disk_freeze(rig.crash, false);
    crash_disk_kill(rig.crash);
    assert_non_null(crash_disk_file(rig.crash, PATH ".new").at);
    start(&rig);
    assert_int_equal(put_file(&rig), OK);
    assert_true(is_whole(rig.disk));
    assert_null(crash_disk_file(rig.crash, PATH ".new").at);
    end(&rig);
}

static void a_file_not_finished_goes_away(void **state)
{
    (void)state;
    struct rig rig = begin();
    assert_int_equal(add_field(&rig, "n", PARQUET_INT64, false), OK);
    parquet_write_free(rig.w);
    rig.w = NULL;
    assert_null(crash_disk_file(rig.crash, PATH ".new").at);
    assert_null(crash_disk_file(rig.crash, PATH).at);
    end(&rig);
}

static void each_failure_of_the_disk_is_told(void **state)
{
    (void)state;
    static const enum crash_disk_kind kinds[] = {
            CRASH_DISK_WRITE, CRASH_DISK_SYNC, CRASH_DISK_RENAME, CRASH_DISK_SYNC_DIRECTORY};
    for (size_t i = 0; i < 4; i++) {
        struct rig rig = begin();
        crash_disk_fail_kind(rig.crash, kinds[i], 1, i % 2 ? ERR_IO : ERR_LIMIT);
        assert_int_equal(put_file(&rig), i % 2 ? ERR_IO : ERR_LIMIT);
        assert_true((crash_disk_file(rig.crash, PATH).at != NULL) == (i == 3));
        end(&rig);
    }
}

static void each_refusal_of_memory_is_told(void **state)
{
    (void)state;
    enum err e = ERR_MEMORY;
    for (unsigned n = 1; e != OK; n++) {
        struct rig rig = begin();
        memory_fail_after(n);
        e = put_file(&rig);
        memory_fail_after(0);
        assert_true(e == OK || e == ERR_MEMORY || e == ERR_LIMIT);
        assert_true((crash_disk_file(rig.crash, PATH).at != NULL) == (e == OK));
        assert_in_range(n, 1, 60);
        end(&rig);
    }
}

static void misuse_is_refused(void **state)
{
    (void)state;
    static const int64_t integers[] = {1, INT64_C(1) << 31, 3};
    static const struct slice texts[] = {{"a", 1}, {"\xFF", 1}, {"c", 1}};
    uint64_t present = 0xFFFFFFFFFFFFFFFD;
    struct rig rig = begin();
    assert_int_equal(add_field(&rig, "n", PARQUET_INT64, false), OK);
    assert_int_equal(add_field(&rig, "t", PARQUET_TEXT, true), OK);
    assert_int_equal(add_field(&rig, "b", PARQUET_BYTES, true), OK);
    assert_int_equal(add_field(&rig, "i", PARQUET_INT32, true), OK);
    assert_int_equal(add_integers(&rig, 0, NULL, integers, 3), ERR_USAGE); /* no group */
    assert_int_equal(parquet_write_group(rig.w, 3, &rig.diag), OK);
    assert_int_equal(add_integers(&rig, 4, NULL, integers, 3), ERR_USAGE);
    assert_int_equal(add_integers(&rig, 0, NULL, integers, 2), ERR_USAGE);
    assert_int_equal(add_integers(&rig, 0, &present, integers, 2), ERR_USAGE); /* required */
    assert_int_equal(add_integers(&rig, 1, NULL, integers, 3), ERR_USAGE);     /* of texts */
    assert_int_equal(add_integers(&rig, 3, NULL, integers, 3), ERR_USAGE);     /* 32 bits */
    assert_int_equal(add_texts(&rig, 0, NULL, texts, 3), ERR_USAGE);
    assert_int_equal(add_texts(&rig, 1, &present, texts, 3), ERR_USAGE);
    assert_int_equal(add_texts(&rig, 1, &present, texts, 2), ERR_SYNTAX);
    assert_string_equal(rig.diag.words, "column t: a value is not UTF-8");
    assert_int_equal(add_texts(&rig, 2, &present, texts, 2), OK);
    assert_int_equal(add_texts(&rig, 2, &present, texts, 2), ERR_USAGE); /* twice */
    assert_int_equal(parquet_write_finish(rig.w, &rig.diag), ERR_USAGE); /* n is missing */
    assert_string_equal(rig.diag.words, "column 0 (n): required, but not given for a row group");
    assert_int_equal(add_field(&rig, "r", PARQUET_TEXT, false), ERR_USAGE);
    end(&rig);
    rig = begin();
    assert_int_equal(parquet_write_finish(rig.w, &rig.diag), ERR_USAGE); /* no column */
    end(&rig);
}

static void limits_are_kept(void **state)
{
    (void)state;
    struct rig rig = begin();
    static char name[PARQUET_NAME_BYTES + 2];
    memset(name, 'n', PARQUET_NAME_BYTES + 1);
    assert_int_equal(add_field(&rig, name, PARQUET_TEXT, true), ERR_LIMIT);
    name[PARQUET_NAME_BYTES] = '\0';
    assert_int_equal(add_field(&rig, name, PARQUET_TEXT, true), OK);
    for (unsigned i = 1; i < PARQUET_COLUMNS; i++) {
        assert_int_equal(add_field(&rig, "n", PARQUET_TEXT, true), OK);
    }
    assert_int_equal(add_field(&rig, "n", PARQUET_TEXT, true), ERR_LIMIT);
    assert_int_equal(parquet_write_group(rig.w, 0, &rig.diag), ERR_LIMIT);
    assert_int_equal(parquet_write_group(rig.w, PARQUET_GROUP_ROWS + 1, &rig.diag), ERR_LIMIT);
    assert_int_equal(parquet_write_group(rig.w, PARQUET_GROUP_ROWS, &rig.diag), OK);
    char *large = memory_alloc(PARQUET_CHUNK_BYTES / 2);
    struct slice texts[2] = {{large, PARQUET_CHUNK_BYTES / 2}, {large, 1}};
    uint64_t *present = memory_alloc(PARQUET_GROUP_ROWS / 8);
    present[0] = 3;
    assert_int_equal(add_texts(&rig, 1, present, texts, 2), ERR_LIMIT);
    present[0] = 1;
    assert_int_equal(add_texts(&rig, 1, present, texts, 1), OK);
    assert_int_equal(parquet_write_finish(rig.w, &rig.diag), OK);
    struct parquet_read *r;
    struct parquet_read_column column = {0};
    assert_int_equal(parquet_read_open(rig.disk, PATH, &r, &rig.diag), OK);
    assert_int_equal(parquet_read_column(r, 0, 1, &column, &rig.diag), OK);
    assert_true(column.count == 1 && slice_equal(column.entries[0], texts[0]));
    parquet_read_column_fini(&column);
    parquet_read_close(r);
    memory_free(present);
    memory_free(large);
    end(&rig);
}

enum { MANY = 100000 };

static void check_many(struct rig *rig, const struct slice *texts, const uint64_t *present,
        uint32_t count, bool dictionary)
{
    struct parquet_read *r;
    struct parquet_read_column column = {0};
    assert_int_equal(parquet_read_open(rig->disk, PATH, &r, &rig->diag), OK);
    assert_int_equal(parquet_read_column(r, 0, 0, &column, &rig->diag), OK);
    assert_int_equal(column.count, count);
    assert_true((column.indexes != NULL) == dictionary);
    assert_memory_equal(column.present, present, parquet_words(MANY) * 8);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(slice_equal(texts[i], column.entries[column.indexes ? column.indexes[i] : i]));
    }
    parquet_read_column_fini(&column);
    parquet_read_close(r);
}

/* Some 4 MiB of texts of 1 to 90 bytes, of which every `again`-th begins anew: over several pages,
 * or in a dictionary. */
static void check_pages(uint32_t again, bool dictionary)
{
    static char bytes[MANY + 100];
    static struct slice texts[MANY];
    static uint64_t present[MANY / 64 + 1];
    struct rig rig = begin();
    uint64_t random = again;
    uint32_t count = 0;
    memset(present, 0, sizeof present);
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (char)('a' + (random >> 40) % 26);
    }
    for (uint32_t row = 0; row < MANY; row++) {
        if (row % 50 > 3 && row / 1000 % 4 != 2) {
            present[row / 64] |= UINT64_C(1) << row % 64;
            texts[count] = slice_of(bytes + count % again, 1 + count % again % 90);
            count++;
        }
    }
    assert_int_equal(add_field(&rig, "t", PARQUET_TEXT, true), OK);
    assert_int_equal(parquet_write_group(rig.w, MANY, &rig.diag), OK);
    assert_int_equal(add_texts(&rig, 0, present, texts, count), OK);
    assert_int_equal(parquet_write_finish(rig.w, &rig.diag), OK);
    check_many(&rig, texts, present, count, dictionary);
    end(&rig);
}

static void texts_go_to_pages_or_to_a_dictionary(void **state)
{
    (void)state;
    check_pages(MANY, false);
    check_pages(300, true);
}

/* 3,000 texts of 30 random letters, `distinct` of them distinct. */
static void check_choice(unsigned distinct, bool dictionary)
{
    static char bytes[3000][30];
    struct slice first[3000], texts[3000];
    uint64_t random = 7;
    struct rig rig = begin();
    for (unsigned i = 0; i < 3000; i++) {
        for (unsigned j = 0; j < 30; j++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            bytes[i][j] = (char)('a' + (random >> 40) % 26);
        }
        first[i] = slice_of(bytes[i], 30);
        texts[i] = slice_of(bytes[i < distinct ? i : (random >> 33) % distinct], 30);
    }
    assert_int_equal(add_field(&rig, "first", PARQUET_TEXT, false), OK);
    assert_int_equal(add_field(&rig, "t", PARQUET_TEXT, false), OK);
    assert_int_equal(parquet_write_group(rig.w, 3000, &rig.diag), OK);
    assert_int_equal(add_texts(&rig, 0, NULL, first, 3000), OK);
    assert_int_equal(add_texts(&rig, 1, NULL, texts, 3000), OK);
    assert_int_equal(parquet_write_finish(rig.w, &rig.diag), OK);
    struct parquet_read *r;
    struct parquet_read_column column = {0};
    assert_int_equal(parquet_read_open(rig.disk, PATH, &r, &rig.diag), OK);
    assert_int_equal(parquet_read_column(r, 0, 1, &column, &rig.diag), OK);
    assert_true((column.indexes != NULL) == dictionary);
    for (unsigned i = 0; i < 3000; i++) {
        assert_true(slice_equal(column.entries[dictionary ? column.indexes[i] : i], texts[i]));
    }
    parquet_read_column_fini(&column);
    parquet_read_close(r);
    end(&rig);
}

static void the_shorter_way_is_taken(void **state)
{
    (void)state;
    check_choice(300, true);
    check_choice(3000, false);
}

static void a_dictionary_knows_each_value_once_or_gives_up(void **state)
{
    (void)state;
    struct parquet_dict dict = {0};
    static struct slice values[70000];
    static char bytes[70000][6];
    bool small;
    for (unsigned i = 0; i < 70000; i++) {
        snprintf(bytes[i], 6, "%05u", i);
        values[i] = slice_of(bytes[i / 2], 5);
    }
    assert_int_equal(parquet_dict_build(&dict, values, 70000, &small, NULL), OK);
    assert_true(small);
    assert_int_equal(dict.count, 35000);
    for (unsigned i = 0; i < 70000; i++) {
        assert_int_equal(dict.indexes[i], i / 2);
        values[i] = slice_of(bytes[i], 5);
    }
    assert_int_equal(parquet_dict_build(&dict, values, 70000, &small, NULL), OK);
    assert_false(small);
    assert_int_equal(parquet_dict_build(&dict, values, 1000, &small, NULL), OK);
    assert_true(small && dict.count == 1000);
    static struct slice pairs[2 * PARQUET_DICT_ENTRIES + 1];
    for (unsigned i = 0; i <= 2 * PARQUET_DICT_ENTRIES; i++) {
        pairs[i] = slice_of(bytes[i / 2], 5);
    }
    assert_int_equal(parquet_dict_build(&dict, pairs, 2 * PARQUET_DICT_ENTRIES, &small, NULL), OK);
    assert_true(small && dict.count == PARQUET_DICT_ENTRIES);
    assert_int_equal(
            parquet_dict_build(&dict, pairs, 2 * PARQUET_DICT_ENTRIES + 1, &small, NULL), OK);
    assert_false(small);
    assert_int_equal(parquet_dict_build(&dict, values, 0, &small, NULL), OK);
    assert_true(small && dict.count == 0);
    parquet_dict_fini(&dict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_crash_leaves_a_whole_file_or_none),
            cmocka_unit_test(what_a_crash_left_is_in_nobodys_way),
            cmocka_unit_test(a_file_not_finished_goes_away),
            cmocka_unit_test(each_failure_of_the_disk_is_told),
            cmocka_unit_test(each_refusal_of_memory_is_told),
            cmocka_unit_test(misuse_is_refused),
            cmocka_unit_test(limits_are_kept),
            cmocka_unit_test(texts_go_to_pages_or_to_a_dictionary),
            cmocka_unit_test(the_shorter_way_is_taken),
            cmocka_unit_test(a_dictionary_knows_each_value_once_or_gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
