#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"

static void expect(const struct buf *b, const char *text, size_t size)
{
    assert_false(b->failed);
    assert_int_equal(b->size, size);
    assert_memory_equal(b->at, text, size);
}

static void test_failure_sticks_until_cleared(void **state)
{
    (void)state;
    struct buf b = {.cap = 4};
    buf_add(&b, SLICE("abcd"));
    expect(&b, "abcd", 4);
    buf_byte(&b, 'e');
    assert_true(b.failed);
    assert_int_equal(b.size, 4);
    buf_add(&b, SLICE(""));
    assert_null(buf_reserve(&b, 0));
    assert_true(b.failed);
    buf_clear(&b);
    assert_null(buf_reserve(&b, 5));
    buf_clear(&b);
    assert_non_null(buf_reserve(&b, 4));
    assert_false(b.failed);
    buf_fini(&b);
    memory_fail_after(1);
    buf_byte(&b, 'x');
    memory_fail_after(0);
    assert_true(b.failed);
    buf_byte(&b, 'x');
    assert_int_equal(b.size, 0);
    buf_clear(&b);
    assert_null(buf_reserve(&b, SIZE_MAX));
    buf_fini(&b);
}

static void test_it_grows_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct buf b = {0};
    for (int i = 0; i < 100000; i++) {
        buf_byte(&b, (char)('a' + i % 26));
    }
    assert_int_equal(b.size, 100000);
    for (size_t i = 0; i < b.size; i++) {
        assert_int_equal(b.at[i], 'a' + i % 26);
    }
    buf_fini(&b);
}

static void test_numbers_are_written_whole(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } rows[] = {{0, "0"}, {7, "7"}, {-1, "-1"}, {1234567890123, "1234567890123"},
            {INT64_MAX, "9223372036854775807"}, {INT64_MIN, "-9223372036854775808"}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_clear(&b);
        buf_i64(&b, rows[i].value);
        expect(&b, rows[i].text, strlen(rows[i].text));
    }
    buf_clear(&b);
    buf_u64(&b, UINT64_MAX);
    expect(&b, "18446744073709551615", 20);
    buf_fini(&b);
}

static void test_a_formatted_piece_is_at_most_4_kib(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_format(&b, "%*d", 4095, 1);
    assert_false(b.failed);
    assert_int_equal(b.size, 4095);
    buf_format(&b, "%*d", 4096, 1);
    assert_true(b.failed);
    buf_fini(&b);
}

static void test_json_escapes_what_it_must(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        const char *json;
    } rows[] = {
            {{"", 0}, ""},
            {{"plain /\x7f", 8}, "plain /\x7f"},
            {{"\"\\\b\f\n\r\t", 7}, "\\\"\\\\\\b\\f\\n\\r\\t"},
            {{"\0\x01\x1f", 3}, "\\u0000\\u0001\\u001f"},
            {{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9}, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
            {{"a\xff\xfe"
              "b",
                     4},
                    "a\xef\xbf\xbd\xef\xbf\xbd"
                    "b"},
            {{"\xe2\x82", 2}, "\xef\xbf\xbd\xef\xbf\xbd"},
            {{"\xed\xa0\x80", 3}, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    struct buf b = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_clear(&b);
        buf_json(&b, rows[i].text);
        assert_int_equal(b.size, strlen(rows[i].json));
        assert_true(b.size == 0 || memcmp(b.at, rows[i].json, b.size) == 0);
    }
    buf_fini(&b);
}

/* Long texts are looked at in steps: a byte that must be escaped is seen wherever it stands. */
static void test_json_escapes_at_every_place(void **state)
{
    (void)state;
    static const struct {
        char byte;
        const char *json;
    } rows[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\x1f', "\\u001f"}, {'\x00', "\\u0000"},
            {'\xff', "\xef\xbf\xbd"}, {'\x80', "\xef\xbf\xbd"}, {'\x7f', "\x7f"}, {' ', " "}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t place = 0; place < 40; place++) {
            char text[40];
            size_t size = strlen(rows[i].json);
            memset(text, 'a', sizeof text);
            text[place] = rows[i].byte;
            buf_clear(&b);
            buf_json(&b, slice_of(text, sizeof text));
            assert_int_equal(b.size, sizeof text - 1 + size);
            assert_memory_equal(b.at + place, rows[i].json, size);
            assert_true(place == 0 || memcmp(b.at, text, place) == 0);
            assert_true(place == 39 || b.at[b.size - 1] == 'a');
        }
    }
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_failure_sticks_until_cleared),
            cmocka_unit_test(test_it_grows_and_keeps_what_it_has),
            cmocka_unit_test(test_numbers_are_written_whole),
            cmocka_unit_test(test_a_formatted_piece_is_at_most_4_kib),
            cmocka_unit_test(test_json_escapes_what_it_must),
            cmocka_unit_test(test_json_escapes_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
