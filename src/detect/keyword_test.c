/* The sieve for keywords never misses: in text and in UTF-16, in every case, at every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "detect/keyword.h"

static void check_place(const struct keyword_set *set, size_t at, unsigned step)
{
    static const char text[] = "LSADUMP::";
    char record[160];
    uint32_t stamps[3] = {0}, ids[3];
    struct scan scan = {.stamps = stamps, .ids = ids, .room = 3};
    memset(record, step == 2 ? 0 : '.', sizeof record);
    scan_start(&scan);
    keyword_scan(set, slice_of(record, sizeof record), step, &scan);
    assert_int_equal(scan.count, 0);
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        record[at + i * step] = text[i];
    }
    scan_start(&scan);
    keyword_scan(set, slice_of(record, sizeof record), step, &scan);
    assert_int_equal(scan.count, 1);
    assert_int_equal(scan.ids[0], 1);
}

static void finds_a_text_at_every_place(void **unused)
{
    static const char *const texts[] = {"kiwi legit printer", "lsadump::", "dpapi::masterkey"};
    struct arena arena;
    struct keyword_entry entries[3];
    const struct keyword_set *set;
    (void)unused;
    arena_init(&arena, 1 << 20);
    for (uint32_t i = 0; i < 3; i++) {
        entries[i] = (struct keyword_entry){keyword_part(slice_text(texts[i])), i};
        assert_true(entries[i].part.size >= KEYWORD_MIN);
    }
    assert_int_equal(keyword_build(&arena, entries, 3, &set), OK);
    for (size_t at = 0; at <= 160 - 9; at++) {
        check_place(set, at, 1);
    }
    for (size_t at = 0; at <= 160 - 18; at++) {
        check_place(set, at, 2);
    }
    arena_fini(&arena);
}

static void a_part_avoids_what_may_be_written_otherwise(void **unused)
{
    static const struct {
        const char *text, *part;
    } cases[] = {{"\\mimilib.dll", "mimilib.dll"}, {"kiwi", "kiwi"}, {"a\"bcd", "bcd"},
            {"\xC3\xA9"
             "abc",
                    "abc"},
            {"k\\s\"k", ""}, {"ab", ""}, {"", ""}};
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice part = keyword_part(slice_text(cases[i].text));
        assert_int_equal(part.size, strlen(cases[i].part));
        assert_true(slice_equal(part, slice_text(cases[i].part)));
    }
}

static void letters_that_fold_into_ascii_are_noticed(void **unused)
{
    static const struct {
        const char *text;
        unsigned step;
        int odd;
    } cases[] = {{"a\xE2\x84\xAA", 1, 1}, {"\xC5\xBF", 1, 1}, {"a\x2A\x21", 2, 1},
            {"\x7F\x01", 2, 1}, {"\xC3\xA9", 1, 0}, {"\x2A\x21", 1, 0}, {"", 1, 0}};
    char record[200];
    struct arena arena;
    const struct keyword_set *set;
    struct keyword_entry e = {SLICE("lsadump"), 0};
    uint32_t stamps[1] = {0}, ids[1];
    struct scan scan = {.stamps = stamps, .ids = ids, .room = 1};
    (void)unused;
    arena_init(&arena, 1 << 20);
    assert_int_equal(keyword_build(&arena, &e, 1, &set), OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].text);
        for (size_t at = 0; at + n <= sizeof record; at++) {
            memset(record, 'x', sizeof record);
            memcpy(record + at, cases[i].text, n);
            scan_start(&scan);
            assert_int_equal(
                    keyword_scan(set, slice_of(record, sizeof record), cases[i].step, &scan),
                    !cases[i].odd);
        }
    }
    arena_fini(&arena);
}

static void what_numbers_may_show_is_bare(void **unused)
{
    (void)unused;
    assert_true(keyword_is_bare(SLICE("4624")));
    assert_true(keyword_is_bare(SLICE("true")));
    assert_true(keyword_is_bare(SLICE("0x1f")));
    assert_false(keyword_is_bare(SLICE("mimilib.dll")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(finds_a_text_at_every_place),
            cmocka_unit_test(a_part_avoids_what_may_be_written_otherwise),
            cmocka_unit_test(letters_that_fold_into_ascii_are_noticed),
            cmocka_unit_test(what_numbers_may_show_is_bare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
