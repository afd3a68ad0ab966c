#include "event/typed.h"
#include "event/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_json_escapes_are_resolved(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
        size_t size;
    } rows[] = {
            {"", "", 0},
            {"plain", "plain", 5},
            {"C:\\\\x.exe", "C:\\x.exe", 8},
            {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 8},
            {"a\\u0041\\u00e4\\u20AC", "aA\xc3\xa4\xe2\x82\xac", 7},
            {"\\u0000", "\0", 1},
            {"\\ud83d\\ude00", "\xf0\x9f\x98\x80", 4},
            {"\\ud83d", "\xef\xbf\xbd", 3},
            {"\\ude00", "\xef\xbf\xbd", 3},
            {"\\ud83dx", "\xef\xbf\xbdx", 4},
            {"\\ud83d\\n", "\xef\xbf\xbd\n", 4},
            {"\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80", 7},
            {"\\ud83d\\u0041",
                    "\xef\xbf\xbd"
                    "A",
                    4},
            /* Not JSON: kept within bounds all the same. */
            {"\\", "\\", 1},
            {"\\u12", "u12", 3},
            {"\\u12g4", "u12g4", 5},
            {"\\x", "x", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char to[64];
        size_t n = value_unescape(slice_text(rows[i].json), to);
        if (n != rows[i].size || memcmp(to, rows[i].text, n) != 0) {
            fail_msg("%s", rows[i].json);
        }
        assert_true(n <= strlen(rows[i].json));
    }
}

static void test_an_escape_cut_off_is_not_read_past_its_end(void **state)
{
    (void)state;
    char to[8];
    for (size_t size = 2; size < 6; size++) {
        assert_int_equal(value_unescape(slice_of("\\u0041", size), to), size - 1);
        assert_memory_equal(to, "u0041", size - 1);
    }
    assert_int_equal(value_unescape(slice_of("\\ud83d\\ude00", 11), to), 3 + 4);
}

/* Escapes at every place of texts of every size, nothing written behind what was read. */
static void test_escapes_stand_anywhere(void **state)
{
    enum { LONGEST = 70 };
    (void)state;
    for (size_t size = 2; size <= LONGEST; size++) {
        for (size_t at = 0; at + 2 <= size; at++) {
            char json[LONGEST], want[LONGEST], to[LONGEST + 1];
            for (size_t i = 0; i < size; i++) {
                json[i] = (char)('A' + i % 26);
            }
            memcpy(json + at, at % 2 ? "\\n" : "\\\\", 2);
            memcpy(want, json, size);
            want[at] = at % 2 ? '\n' : '\\';
            memmove(want + at + 1, want + at + 2, size - at - 2);
            to[size] = '#';
            assert_int_equal(value_unescape(slice_of(json, size), to), size - 1);
            assert_memory_equal(to, want, size - 1);
            assert_int_equal(to[size], '#');
        }
    }
}

static void test_each_form_gives_its_text(void **state)
{
    (void)state;
    static const struct {
        struct value value;
        const char *text;
    } rows[] = {
            {{.text = {"a\\n", 3}, .kind = VALUE_STRING, .form = FORM_TEXT}, "a\\n"},
            {{.text = {"a\\n", 3}, .kind = VALUE_STRING, .form = FORM_JSON}, "a\n"},
            {{.text = {"a\0\xe4\0", 4}, .kind = VALUE_STRING, .form = FORM_UTF16}, "a\xc3\xa4"},
            {{.text = {"a\0\0\0b\0", 6}, .kind = VALUE_STRING, .form = FORM_UTF16}, "a"},
            {{.text = {"\xfe\xff", 2}, .kind = VALUE_NUMBER, .form = FORM_TYPED + TYPED_INT16},
                    "-2"},
            {{.text = {"\xfe\xff", 2}, .kind = VALUE_NUMBER, .form = FORM_TYPED + TYPED_UINT16},
                    "65534"},
            {{.text = {"\1\0\0\0", 4}, .kind = VALUE_BOOL, .form = FORM_TYPED + TYPED_BOOL},
                    "true"},
            {{.text = {"\1\1\0\0\0\0\0\5\x12\0\0\0", 12},
                     .kind = VALUE_STRING,
                     .form = FORM_TYPED + TYPED_SID},
                    "S-1-5-18"},
            {{.text = {"-1.5e3", 6}, .kind = VALUE_NUMBER}, "-1.5e3"},
            {{.text = {"true", 4}, .kind = VALUE_BOOL}, "true"},
            {{.text = {"null", 4}, .kind = VALUE_NULL}, ""},
            {{.kind = VALUE_OBJECT}, ""},
            {{.text = {"", 0}, .kind = VALUE_STRING, .form = FORM_UTF16}, ""},
    };
    struct buf scratch = {0}, out = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice text = value_slice(&rows[i].value, &scratch);
        assert_non_null(text.at);
        assert_true(slice_equal(text, slice_text(rows[i].text)));
        buf_clear(&out);
        buf_byte(&out, '>');
        value_text(&rows[i].value, &out);
        assert_int_equal(out.size, strlen(rows[i].text) + 1);
        assert_memory_equal(out.at + 1, rows[i].text, out.size - 1);
    }
    struct slice plain = value_slice(&rows[0].value, &scratch);
    assert_ptr_equal(plain.at, rows[0].value.text.at);
    buf_fini(&scratch);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_json_escapes_are_resolved),
            cmocka_unit_test(test_an_escape_cut_off_is_not_read_past_its_end),
            cmocka_unit_test(test_escapes_stand_anywhere),
            cmocka_unit_test(test_each_form_gives_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
