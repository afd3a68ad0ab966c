#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_text.h"

static void refuses_what_the_standard_does(void **state)
{
    (void)state;
    static const char *const bad[] = {"{", "}", "[", "]", "{]", "[}", "{\"a\"}", "{\"a\":}",
            "{\"a\":1,}", "[1,]", "[,1]", "[1 2]", "{a:1}", "{'a':1}", "01", "-", "1.", ".5", "1e",
            "1e+", "+1", "tru", "nul", "True", "NaN", "\"", "\"\\x\"", "\"\\u12G4\"", "\"\\u12",
            "\"\n\"", "\"\xFF\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "{\"a\" 1}", "{1:2}",
            "\xEF\xBB\xBF{}", "{\"a\":1 \"b\":2}", "{,}", "//"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct diag diag = {0};
        if (json_text_check_whole(slice_text(bad[i]), 8, &diag) != ERR_SYNTAX || !diag.words[0]) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    struct diag diag = {0};
    assert_int_equal(json_text_check_whole(SLICE("{} x"), 8, &diag), ERR_SYNTAX);
    assert_int_equal(diag.column, 4);
    assert_int_equal(json_text_check_whole(SLICE("{\"a\":\n  x}"), 8, &diag), ERR_SYNTAX);
    assert_int_equal(diag.line, 2);
    assert_int_equal(diag.column, 3);
    assert_int_equal(json_text_check_whole(SLICE("\"a\0b\""), 8, &diag), ERR_SYNTAX);
    assert_int_equal(json_text_check_whole(SLICE("[\0]"), 8, &diag), ERR_SYNTAX);
    assert_int_equal(json_text_check_whole(SLICE(" \n"), 8, &diag), ERR_SYNTAX);
}

static void accepts_what_the_standard_does(void **state)
{
    (void)state;
    static const char *const good[] = {"{}", "[]", "0", "-0", "1.5e-3", "1E9", "\"\"", "true",
            "false", "null", " [ ] ", "{\"a\":{\"b\":[1,[2],{}]},\"c\":null}", "\"\\ud800\"",
            "\"\\\\\\\"\\/\\b\\f\\n\\r\\t\\u00e9\"", "\"\xC3\xA9\xF0\x9F\x98\x80\"", "[[],[]]"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (json_text_check_whole(slice_text(good[i]), 8, NULL) != OK) {
            fail_msg("refused: %s", good[i]);
        }
    }
}

static void nests_up_to_the_limit(void **state)
{
    (void)state;
    char text[2 * (JSON_TEXT_DEPTH + 1)];
    for (size_t n = JSON_TEXT_DEPTH; n <= JSON_TEXT_DEPTH + 1; n++) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        enum err want = n > JSON_TEXT_DEPTH ? ERR_LIMIT : OK;
        assert_int_equal(json_text_check_whole(slice_of(text, 2 * n), 999, NULL), want);
    }
    assert_int_equal(json_text_check_whole(SLICE("[[1]]"), 2, NULL), OK);
    assert_int_equal(json_text_check_whole(SLICE("[[{}]]"), 2, NULL), ERR_LIMIT);
    assert_int_equal(json_text_check_whole(SLICE("[[{\"a\":1}]]"), 2, NULL), ERR_LIMIT);
}

static void takes_values_one_behind_another(void **state)
{
    (void)state;
    struct slice s = SLICE("{\"a\":1}{\"b\":2} \n {\"c\":3}");
    size_t size, seen = 0;
    while (json_text_check(s, 8, &size, NULL) == OK) {
        s = slice_from(s, size);
        seen++;
    }
    assert_int_equal(seen, 3);
    assert_int_equal(s.size, 0);
    assert_int_equal(json_text_check(SLICE("  "), 8, &size, NULL), ERR_END);
}

static void walks_members(void **state)
{
    (void)state;
    struct slice s =
            SLICE(" { \"a\" : \"x,}\\\"\" , \"b\":[1, {\"c\":2}] ,\"d\":-1.5e3, \"e\":{} }");
    static const char *const keys[] = {"a", "b", "d", "e"};
    static const char *const values[] = {"\"x,}\\\"\"", "[1, {\"c\":2}]", "-1.5e3", "{}"};
    assert_int_equal(json_text_check_whole(s, 8, NULL), OK);
    struct json_text_members m = json_text_open(s);
    size_t i = 0;
    for (; json_text_next(&m); i++) {
        assert_true(slice_equal(m.key, slice_text(keys[i])));
        assert_true(slice_equal(m.value, slice_text(values[i])));
    }
    assert_int_equal(i, 4);
    m = json_text_open(json_text_get(s, SLICE("b")));
    assert_true(m.array && json_text_next(&m) && slice_equal(m.value, SLICE("1")));
    assert_true(json_text_next(&m) && json_text_is_object(m.value));
    assert_false(json_text_next(&m));
    assert_null(json_text_get(s, SLICE("x")).at);
    assert_true(slice_equal(json_text_get(SLICE("{\"a\":1,\"a\":2}"), SLICE("a")), SLICE("2")));
    assert_null(json_text_get(SLICE("[1]"), SLICE("")).at);
    m = json_text_open(SLICE("17"));
    assert_false(json_text_next(&m));
}

static void resolves_escapes(void **state)
{
    (void)state;
    struct buf out = {0};
    json_text_add(&out, SLICE("\"a\\n\\u00e9\\ud83d\\ude00\\ud800x\\\"\\/\""));
    assert_true(slice_equal(buf_slice(&out), SLICE("a\n\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBDx\"/")));
    buf_clear(&out);
    json_text_add(&out, SLICE("17"));
    assert_true(slice_equal(buf_slice(&out), SLICE("17")));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(refuses_what_the_standard_does),
            cmocka_unit_test(accepts_what_the_standard_does),
            cmocka_unit_test(nests_up_to_the_limit),
            cmocka_unit_test(takes_values_one_behind_another),
            cmocka_unit_test(walks_members),
            cmocka_unit_test(resolves_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
