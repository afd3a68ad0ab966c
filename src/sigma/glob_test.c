#include "sigma/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "sigma/literal.h"
#include "sigma/predicate.h"

static struct arena arena;

static enum verdict match(const char *pattern, struct slice text)
{
    struct slice literal;
    arena_reset(&arena);
    assert_int_equal(literal_parse(&arena, slice_text(pattern), &literal), OK);
    char *copy = (char *)(uintptr_t)arena_copy(&arena, literal).at;
    return glob_match(literal_squeeze(copy, literal.size), text);
}

static void patterns_match_whole_texts(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        struct slice text;
        enum verdict want;
    } cases[] = {
            {"a*c", {"abc", 3}, VERDICT_YES},
            {"a*c", {"ac", 2}, VERDICT_YES},
            {"a*c", {"abcd", 4}, VERDICT_NO},
            {"a*c", {"xabc", 4}, VERDICT_NO},
            {"a*c", {"a\r\n\0c", 5}, VERDICT_YES},
            {"a?c", {"abc", 3}, VERDICT_YES},
            {"a?c", {"ac", 2}, VERDICT_NO},
            {"a?c",
                    {"a\xC3\xA9"
                     "c",
                            4},
                    VERDICT_YES},
            {"a?c",
                    {"a\xF0\x9F\x98\x80"
                     "c",
                            6},
                    VERDICT_YES},
            {"a??c",
                    {"a\xC3\xA9"
                     "c",
                            4},
                    VERDICT_NO},
            {"a?c",
                    {"a\xFF"
                     "c",
                            3},
                    VERDICT_YES},
            {"*?", {"\xC3\xA9", 2}, VERDICT_YES},
            {"*??", {"\xC3\xA9", 2}, VERDICT_NO},
            {"??*", {"\xC3\xA9", 2}, VERDICT_NO},
            {"*a?b*", {"xaaab", 5}, VERDICT_YES},
            {"*ab*ab", {"xabab", 5}, VERDICT_YES},
            {"*ab*ab", {"xab", 3}, VERDICT_NO},
            {"ab*ba", {"aba", 3}, VERDICT_NO},
            {"*a*b*c", {"xaxbxc", 6}, VERDICT_YES},
            {"*a*c*b", {"xaxbxc", 6}, VERDICT_NO},
            {"?", {"", 0}, VERDICT_NO},
            {"*", {"", 0}, VERDICT_YES},
            {"", {"", 0}, VERDICT_YES},
            {"", {"a", 1}, VERDICT_NO},
            {"\\*\\?", {"*?", 2}, VERDICT_YES},
            {"\\*\\?", {"ab", 2}, VERDICT_NO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (match(cases[i].pattern, cases[i].text) != cases[i].want) {
            fail_msg("%s on %.*s", cases[i].pattern, SLICE_ARG(cases[i].text));
        }
    }
}

/* By the definition: reach[j]: the pattern so far can end before character j. */
static bool naive(struct slice pattern, struct slice text)
{
    bool reach[64] = {true};
    size_t places[64], count = 0;
    for (size_t i = 0; i < text.size;) {
        size_t size = utf8_sequence(text.at + i, text.size - i);
        places[count++] = i;
        i += size ? size : 1;
    }
    places[count] = text.size;
    for (size_t k = 0; k < pattern.size;) {
        bool next[64] = {false};
        size_t size = utf8_sequence(pattern.at + k, pattern.size - k);
        size = size ? size : 1;
        for (size_t j = 0; j <= count; j++) {
            if (pattern.at[k] == PATTERN_MANY) {
                next[j] = reach[j] || (j > 0 && next[j - 1]);
            } else if (j > 0 && reach[j - 1]) {
                struct slice c = slice_of(text.at + places[j - 1], places[j] - places[j - 1]);
                next[j] = pattern.at[k] == PATTERN_ONE ||
                          slice_equal(c, slice_of(pattern.at + k, size));
            }
        }
        memcpy(reach, next, sizeof reach);
        k += size;
    }
    return reach[count];
}

static void random_patterns_agree_with_the_definition(void **state)
{
    (void)state;
    static const char *const letters[] = {"a", "b", "\xC3\xA9", "\xE2\x82\xAC", "*", "?"};
    uint32_t seed = 1;
    int yes = 0;
    for (int round = 0; round < 200000; round++) {
        char pattern[64], text[64];
        size_t p = 0, t = 0;
        for (int i = 0; i < 8; i++) {
            seed = seed * 1664525 + 1013904223;
            const char *letter = letters[(seed >> 16) % 6];
            if ((seed >> 24) % 3) {
                memcpy(pattern + p, letter, strlen(letter));
                p += strlen(letter);
                if (*letter == '*' || *letter == '?') {
                    pattern[p - 1] = *letter == '*' ? PATTERN_MANY : PATTERN_ONE;
                }
            }
            seed = seed * 1664525 + 1013904223;
            letter = letters[(seed >> 16) % 4];
            if ((seed >> 24) % 4) {
                memcpy(text + t, letter, strlen(letter));
                t += strlen(letter);
            }
        }
        bool want = naive(slice_of(pattern, p), slice_of(text, t));
        struct slice squeezed = literal_squeeze(pattern, p);
        assert_int_equal(glob_match(squeezed, slice_of(text, t)), want);
        yes += want;
    }
    assert_true(yes > 1000);
}

/* A backtracking matcher would take years. */
static void many_wildcards_take_linear_time(void **state)
{
    (void)state;
    size_t size = 1 << 20;
    char *text = memory_alloc(size);
    assert_non_null(text);
    memset(text, 'a', size);
    assert_int_equal(match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", slice_of(text, size)), VERDICT_NO);
    assert_int_equal(match("*a?a*a?a*a?a*a?a*a?a*b*", slice_of(text, size)), VERDICT_NO);
    memory_free(text);
}

static void a_budget_that_is_spent_is_no_no(void **state)
{
    (void)state;
    struct slice text = SLICE("aaaaaaaaaaaaaaab");
    struct slice pattern = SLICE("\xFF"
                                 "a\xFE"
                                 "c\xFF");
    assert_int_equal(glob_match_within(pattern, text, 1000), VERDICT_NO);
    assert_int_equal(glob_match_within(pattern, text, 20), VERDICT_UNDETERMINED);
}

static void literals_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const char *const cases[] = {"a*b?c", "a\\*b\\?", "C:\\x\\\\*", "\\\\\\*", "x\\"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice literal;
        struct buf out = {0};
        assert_int_equal(literal_parse(&arena, slice_text(cases[i]), &literal), OK);
        literal_write(literal, &out);
        assert_true(slice_equal(buf_slice(&out), slice_text(cases[i])));
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(patterns_match_whole_texts),
            cmocka_unit_test(random_patterns_agree_with_the_definition),
            cmocka_unit_test(many_wildcards_take_linear_time),
            cmocka_unit_test(a_budget_that_is_spent_is_no_no),
            cmocka_unit_test(literals_are_written_as_they_are_read),
    };
    arena_init(&arena, 1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    return failed;
}
