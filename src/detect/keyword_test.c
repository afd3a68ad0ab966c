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
        unsigned size, step;
        int odd;
    } cases[] = {{"a\xE2\x84\xAA", 4, 1, 1}, {"\xC5\xBF", 2, 1, 1}, {"\xC3\xA9", 2, 1, 0},
            {"\x2A\x21", 2, 1, 0}, {"", 0, 1, 0}, {"a\0\x2A\x21s", 6, 2, 1},
            {"\x7F\x01S\0~", 6, 2, 1}, {"a\0 \0\x2A\x21", 6, 2, 1}, {"\x2A\x21\x7F\x01k", 6, 2, 1},
            {"a\0\x2A\x21", 4, 2, 0}, {"\x7F\x01s\0\x7F", 6, 2, 0}, {"\x2A\x21", 2, 2, 0},
            {"\x2A\x21\x7F\x01", 4, 2, 0}, {"\n\0\x7F\x01s", 6, 2, 0}};
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
        size_t n = cases[i].size;
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

static uint32_t state = 2463534242u;

static unsigned dice(unsigned sides)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % sides;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool stands_in(struct slice record, struct slice part)
{
    for (size_t at = 0; at + part.size <= record.size; at++) {
        size_t same = 0;
        while (same < part.size && lower(record.at[at + same]) == part.at[same]) {
            same++;
        }
        if (same == part.size) {
            return true;
        }
    }
    return false;
}

/* Many parts, short and long, in records of every length; '[' and '{' differ in the bit that makes
 * cases equal. */
static void many_parts_are_found_as_one_by_one(void **unused)
{
    enum { PARTS = 90, RECORDS = 4000, LONGEST = 90 };
    static char texts[PARTS][16], record[LONGEST];
    struct keyword_entry entries[PARTS];
    uint32_t stamps[PARTS] = {0}, ids[PARTS];
    struct scan scan = {.stamps = stamps, .ids = ids, .room = PARTS};
    struct arena arena;
    const struct keyword_set *set;
    size_t found = 0;
    (void)unused;
    arena_init(&arena, 1 << 20);
    for (uint32_t i = 0; i < PARTS; i++) {
        size_t size = KEYWORD_MIN + i % 9;
        for (size_t k = 0; k < size; k++) {
            texts[i][k] = "ab[{"[dice(4)];
        }
        entries[i] = (struct keyword_entry){slice_of(texts[i], size), i};
    }
    assert_int_equal(keyword_build(&arena, entries, PARTS, &set), OK);
    for (int n = 0; n < RECORDS; n++) {
        struct slice in = slice_of(record, dice(LONGEST));
        for (size_t k = 0; k < in.size; k++) {
            record[k] = "aAbB[{"[dice(6)];
        }
        scan_start(&scan);
        assert_true(keyword_scan(set, in, 1, &scan));
        for (uint32_t i = 0; i < PARTS; i++) {
            assert_int_equal(stamps[i] == scan.epoch, stands_in(in, entries[i].part));
        }
        found += scan.count;
    }
    assert_true(found > RECORDS);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(finds_a_text_at_every_place),
            cmocka_unit_test(a_part_avoids_what_may_be_written_otherwise),
            cmocka_unit_test(letters_that_fold_into_ascii_are_noticed),
            cmocka_unit_test(what_numbers_may_show_is_bare),
            cmocka_unit_test(many_parts_are_found_as_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
