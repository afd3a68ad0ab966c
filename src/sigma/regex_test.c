#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/fold.h"
#include "base/memory.h"
#include "sigma/regex.h"
#include "sigma/regex_class.h"

/* Caches that make the three ways of searching: the automaton, one that forgets its states again
 * and again, the simulation. */
enum { WAYS = 3 };
static const size_t WAY_BYTES[WAYS] = {8 << 20, 3000, 0};

static struct arena arena;
static struct regex_cache *caches[WAYS];

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 256 << 20);
    for (int i = 0; i < WAYS; i++) {
        caches[i] = regex_cache_new(WAY_BYTES[i]);
        assert_non_null(caches[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < WAYS; i++) {
        regex_cache_free(caches[i]);
    }
    arena_fini(&arena);
    return 0;
}

static struct regex *compiled(struct slice pattern, unsigned flags)
{
    struct regex *re = NULL;
    struct diag diag = {0};
    enum err e = regex_compile(&arena, pattern, flags, &re, &diag);
    if (e != OK) {
        fail_msg("%.*s: %s at %u: %s", SLICE_ARG(pattern), err_name(e), diag.column, diag.words);
    }
    return re;
}

/* The same answer every way, twice. */
static enum verdict searched(const struct regex *re, struct slice text)
{
    enum verdict v = regex_search(re, caches[0], text);
    for (int i = 0; i < 2 * WAYS; i++) {
        assert_int_equal(regex_search(re, caches[i % WAYS], text), v);
    }
    return v;
}

struct match {
    const char *pattern;
    unsigned flags;
    const char *text; /* '\1' stands for NUL */
    int yes;
};

static void check_matches(const struct match *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[256];
        size_t size = strlen(rows[i].text);
        assert_true(size < sizeof text);
        for (size_t j = 0; j < size; j++) {
            text[j] = rows[i].text[j] == '\1' ? '\0' : rows[i].text[j];
        }
        struct regex *re = compiled(slice_text(rows[i].pattern), rows[i].flags);
        enum verdict v = searched(re, slice_of(text, size));
        if (v != (rows[i].yes ? VERDICT_YES : VERDICT_NO)) {
            fail_msg("/%s/ flags %u on \"%s\": %d", rows[i].pattern, rows[i].flags, rows[i].text,
                    (int)v);
        }
    }
}

#define CHECK_MATCHES(rows) check_matches((rows), sizeof(rows) / sizeof *(rows))

static void test_a_text_matches_what_its_pattern_says(void **state)
{
    (void)state;
    static const struct match ROWS[] = {
            {"", 0, "", 1},
            {"", 0, "x", 1},
            {"a", 0, "", 0},
            {"abc", 0, "xxabcxx", 1},
            {"abc", 0, "xxabxcx", 0},
            {"a|b", 0, "xb", 1},
            {"a|", 0, "x", 1},
            {"(a|b)c", 0, "ac bd", 1},
            {"(a|b)c", 0, "ad bd", 0},
            {"ab*c", 0, "ac", 1},
            {"ab+c", 0, "ac", 0},
            {"ab?c", 0, "abbc", 0},
            {"a{0}b", 0, "b", 1},
            {"^a{2}$", 0, "aa", 1},
            {"^a{2}$", 0, "aaa", 0},
            {"^a{2,}$", 0, "aaaa", 1},
            {"^a{2,3}$", 0, "a", 0},
            {"^a{2,3}$", 0, "aaaa", 0},
            {"^(?:ab){2,3}$", 0, "ababab", 1},
            {"^(?:ab){2,3}$", 0, "abababab", 0},
            {"^(?:(?:a{2}){2}){2}$", 0, "aaaaaaaa", 1},
            {"^(?:(?:a{2}){2}){2}$", 0, "aaaaaaa", 0},
            {"a{", 0, "a{", 1},
            {"a{x}", 0, "a{x}", 1},
            {"a{1,x}", 0, "a{1,x}", 1},
            {"a.c", 0, "a\nc", 0},
            {"a.c", REGEX_DOTALL, "a\nc", 1},
            {"a.c", 0, "a\rc", 1},
            {"^.$", 0, "\xC3\xA9", 1},
            {"^..$", 0, "\xC3\xA9", 0},
            {"^.$", 0, "\xF0\x9F\x98\x80", 1},
            {"(a*)*b", 0, "aaac", 0},
            {"(a*)+$", 0, "b", 1},
            {"(|a)+b", 0, "ab", 1},
            {"a*?b", 0, "aab", 1},
            {"\x01", 0, "\x01", 0},
            {"a\\x00b", 0, "a\1b", 1},
            {"\xC3\xA9+x", 0, "\xC3\xA9\xC3\xA9x", 1},
    };
    CHECK_MATCHES(ROWS);
}

static void test_classes_hold_what_they_name(void **state)
{
    (void)state;
    static const struct match ROWS[] = {
            {"^[abc]$", 0, "b", 1},
            {"^[^abc]$", 0, "b", 0},
            {"^[^abc]$", 0, "\n", 1},
            {"^[a-c]$", 0, "d", 0},
            {"^[]a]$", 0, "]", 1},
            {"^[^]a]$", 0, "]", 0},
            {"^[a-]$", 0, "-", 1},
            {"^[-a]$", 0, "-", 1},
            {"^[\\w-]$", 0, "-", 1},
            {"^[a\\-z]$", 0, "m", 0},
            {"^[\\b]$", 0, "\b", 1},
            {"^[\\101]$", 0, "A", 1},
            {"^[[:digit:]x]$", 0, "7", 1},
            {"^[[:^digit:]]$", 0, "7", 0},
            {"^[^[:^digit:]]$", 0, "7", 1},
            {"^[[:alpha]$", 0, "[", 1},
            {"^[\\Qa]\\E]$", 0, "]", 1},
            {"^[\xC3\xA0-\xC3\xBC]$", 0, "\xC3\xA9", 1},
            {"^[\xC3\xA0-\xC3\xBC]$", 0, "\xC3\xBD", 0},
            {"^[^\xC3\xA9]$", 0, "\xC3\xA8", 1},
            {"^[^\xC3\xA9]$", 0, "\xC3\xA9", 0},
            {"^[\\x{10000}-\\x{10FFFF}]$", 0, "\xF0\x90\x80\x80", 1},
            {"^[\\x{10000}-\\x{10FFFF}]$", 0, "\xEF\xBF\xBF", 0},
            {"^[\\x{7FF}-\\x{800}]$", 0, "\xE0\xA0\x80", 1},
            {"^\\d\\D\\w\\W\\s\\S$", 0, "1xx.\x0Bz", 1},
            {"^\\w$", 0, "\xC3\xA9", 0},
            {"^\\W$", 0, "\xC3\xA9", 1},
            {"^\\h\\v\\H\\V\\N$", 0, "\t\nx.x", 1},
            {"^\\h$", 0, "\xE3\x80\x80", 1},
            {"^\\v$", 0, "\xE2\x80\xA8", 1},
    };
    CHECK_MATCHES(ROWS);
}

static void test_anchors_and_boundaries_are_those_of_pcre(void **state)
{
    (void)state;
    enum { M = REGEX_MULTILINE };
    static const struct match ROWS[] = {
            {"^b", 0, "a\nb", 0},
            {"^b", M, "a\nb", 1},
            {"\\Ab", M, "a\nb", 0},
            {"a$", 0, "a", 1},
            {"a$", 0, "a\n", 1},
            {"a$", 0, "a\n\n", 0},
            {"a$", 0, "a\nb", 0},
            {"a$", M, "a\nb", 1},
            {"a\\Z", M, "a\nb", 0},
            {"a\\Z", 0, "a\n", 1},
            {"a\\z", 0, "a\n", 0},
            {"a\\z", 0, "a", 1},
            {"a$\\n", 0, "a\n", 1},
            {"a$\\n$", 0, "a\n", 1},
            {"$^", 0, "", 1},
            {"$^", 0, "\n", 1},
            {"$^", 0, "\n\n", 0},
            {"^$", M, "a\n\nb", 1},
            {"^$", M, "a\n", 0}, /* no line after a newline that ends the text */
            {"^$", M, "\n", 1},
            {"\\n^", M, "a\n", 0},
            {"x*$", 0, "a\n", 1},
            {"\\bfoo\\b", 0, "a foo b", 1},
            {"\\bfoo\\b", 0, "a food", 0},
            {"\\bfoo\\b", 0, "_foo", 0},
            {"\\bfoo\\b", 0,
                    "\xC3\xA9"
                    "foo",
                    1},
            {"\\Boo\\b", 0, "foo", 1},
            {"\\Bfoo", 0, "foo", 0},
            {"\\B", 0,
                    "a\xC3\xA9"
                    "a",
                    0}, /* not within a code point */
            {"\\b", 0, "", 0},
            {"\\B", 0, "", 1},
            {"\\b", 0, "..", 0},
            {"(^|/)x", 0, "a/x", 1},
            {"(^|/)x", 0, "ax", 0},
            {"(?:^a|b)c", 0, "bc", 1},
            {"(?:a$|b)\\s", 0, "a\n", 1},
            {"(?:^)*a", 0, "ba", 1},
    };
    CHECK_MATCHES(ROWS);
}

static void test_flags_hold_for_their_part_alone(void **state)
{
    (void)state;
    enum { I = REGEX_NOCASE };
    static const struct match ROWS[] = {
            {"abc", I, "xABCx", 1},
            {"(?i)abc", 0, "aBC", 1},
            {"a(?i)b", 0, "AB", 0},
            {"a(?i)b", 0, "aB", 1},
            {"(a(?i)b)c", 0, "aBC", 0},
            {"(a(?i)b|c)d", 0, "Cd", 1},
            {"a(?i:b)c", 0, "aBC", 0},
            {"(?i)a(?-i)b", 0, "AB", 0},
            {"(?i)a(?^)b", 0, "AB", 0},
            {"(?i-s:a.)", REGEX_DOTALL, "A\n", 0},
            {"(?s)a.", 0, "a\n", 1},
            {"(?m)^b$", 0, "a\nb\nc", 1},
            {"(?x) a b # c\n d", 0, "abd", 1},
            {"(?x)a\\ b[ ]c", 0, "a b c", 1},
            {"(?#a comment)b", 0, "b", 1},
            {"(?i)K", 0, "\xE2\x84\xAA", 1}, /* KELVIN SIGN */
            {"\\x{212A}", I, "k", 1},
            {"(?i)s", 0, "\xC5\xBF", 1}, /* LONG S */
            {"\\x{17F}", I, "S", 1},
            {"k", 0, "\xE2\x84\xAA", 0},
            {"(?i)[a-z]+$", 0, "\xE2\x84\xAA", 1},
            {"^(?i)[^k]$", 0, "\xE2\x84\xAA", 0},
            {"(?i)\\w", 0, "\xE2\x84\xAA", 0}, /* \w has no case */
            {"(?i)\xC3\x89", 0, "\xC3\xA9", 1},
            {"(?i)[\xCE\xB1-\xCF\x89]", 0, "\xCE\xA3", 1},
            {"(?i)\xCF\x83", 0, "\xCF\x82", 1}, /* final sigma */
            {"(?i)stra\xC3\x9F"
             "e",
                    0, "STRASSE", 0}, /* simple folding alone */
            {"[[:upper:]]", I, "a", 1},
            {"(?<name>a)(?'b'b)(?P<c>c)(?|d|e)", 0, "abce", 1},
            {"\\Q.*\\E+x", 0, ".**x", 1},
            {"\\Q.*\\E", 0, "ab", 0},
            {"\\x41\\x{42}\\u0043\\0103\\o{104}", 0, "ABC\b3D", 1},
            {"\\a\\e\\f\\n\\r\\t\\cA", 0, "\a\x1B\f\n\r\t\x01", 0},
            {"\\a\\e\\f\\n\\r\\t\\cB", 0, "\a\x1B\f\n\r\t\x02", 1},
            {"\\.\\*\\/\\\"\\'\\-\\_\\<", 0, ".*/\"'-_<", 1},
    };
    CHECK_MATCHES(ROWS);
}

static void test_bytes_that_are_not_utf8_match_negated_sets_alone(void **state)
{
    (void)state;
    static const struct match ROWS[] = {
            {"^.$", 0, "\xFF", 1},
            {"^.$", 0, "\x80", 1},
            {"^..$", 0, "\xE2\x82", 1},
            {"^.{3}$", 0, "\xED\xA0\x80", 1}, /* a surrogate is three such bytes */
            {"^[^a]\\W\\D\\S[[:^alpha:]]$", 0, "\xC0\xC1\xF5\xFE\xBF", 1},
            {"\\x{FF}", 0, "\xFF", 0},
            {"[\\x80-\\x{10FFFF}]", 0, "\xFF\x80\xED\xA0\x80", 0},
            {"^[^\\x00-\\x{10FFFF}]$", 0, "\x80", 1},
            {"[^\\x00-\\x{10FFFF}]", 0, "a\xC3\xA9", 0},
            {"a\\b.b$", 0,
                    "a\x80"
                    "b",
                    1},
            {"^\xC3\xA9.$", 0, "\xC3\xA9\xC3", 1},
    };
    CHECK_MATCHES(ROWS);
}

struct refusal {
    const char *pattern;
    enum err err;
    uint32_t column;
    const char *words; /* a part of them */
};

static void check_refused(const struct refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct regex *re = NULL;
        struct diag diag = {0};
        enum err e = regex_compile(&arena, slice_text(rows[i].pattern), 0, &re, &diag);
        if (e != rows[i].err || diag.column != rows[i].column ||
                !strstr(diag.words, rows[i].words) || re) {
            fail_msg("%s: %s at %u: %s", rows[i].pattern, err_name(e), diag.column, diag.words);
        }
    }
}

static void test_errors_are_found_at_their_place(void **state)
{
    (void)state;
    static const struct refusal ROWS[] = {
            {"a(b", ERR_SYNTAX, 2, "without its )"},
            {"ab)", ERR_SYNTAX, 3, "without its ("},
            {"*a", ERR_SYNTAX, 1, "nothing to repeat"},
            {"(+a)", ERR_SYNTAX, 2, "nothing to repeat"},
            {"a|?", ERR_SYNTAX, 3, "nothing to repeat"},
            {"a**", ERR_UNSUPPORTED, 3, "repetition of a repetition"},
            {"a{2}{3}", ERR_UNSUPPORTED, 5, "repetition of a repetition"},
            {"a{3,2}", ERR_SYNTAX, 2, "out of order"},
            {"a{,2}", ERR_UNSUPPORTED, 2, "{0,n}"},
            {"a{65536}", ERR_LIMIT, 2, "65535"},
            {"a{99999999999999999999}", ERR_LIMIT, 2, "65535"},
            {"[a", ERR_SYNTAX, 1, "without its ]"},
            {"x[]", ERR_SYNTAX, 2, "without its ]"},
            {"[z-a]", ERR_SYNTAX, 3, "out of order"},
            {"[\\w-z]", ERR_SYNTAX, 2, "escape the '-'"},
            {"[a-\\d]", ERR_SYNTAX, 3, "to a class"},
            {"[[:nope:]]", ERR_SYNTAX, 2, "nope"},
            {"[:alpha:]", ERR_SYNTAX, 1, "outside of"},
            {"[[.a.]]", ERR_UNSUPPORTED, 2, "collating"},
            {"[\\B]", ERR_SYNTAX, 2, "in a class"},
            {"a\\", ERR_SYNTAX, 2, "at the end"},
            {"\\x{}", ERR_SYNTAX, 1, "digits"},
            {"\\x{110000}", ERR_SYNTAX, 1, "no code point"},
            {"\\x{D800}", ERR_SYNTAX, 1, "no code point"},
            {"\\x{FFFFFFFFFFFFFFFFFF41}", ERR_SYNTAX, 1, "no code point"},
            {"\\u12", ERR_SYNTAX, 1, "digits"},
            {"\\xg", ERR_SYNTAX, 1, "digits"},
    };
    check_refused(ROWS, sizeof ROWS / sizeof *ROWS);
}

static void test_what_is_not_regular_is_refused_by_name_and_place(void **state)
{
    (void)state;
    static const struct refusal ROWS[] = {
            {"(a)\\1", ERR_UNSUPPORTED, 4, "back-reference"},
            {"\\103", ERR_UNSUPPORTED, 1, "back-reference"},
            {"(?<n>a)\\k<n>", ERR_UNSUPPORTED, 8, "back-reference"},
            {"(?P<n>a)(?P=n)", ERR_UNSUPPORTED, 9, "back-reference"},
            {"(a)\\g{1}", ERR_UNSUPPORTED, 4, "back-reference"},
            {"a(?=b)", ERR_UNSUPPORTED, 2, "look-ahead"},
            {"a(?!b)", ERR_UNSUPPORTED, 2, "look-ahead"},
            {"(?<=a)b", ERR_UNSUPPORTED, 1, "look-behind"},
            {"(?<!a)b", ERR_UNSUPPORTED, 1, "look-behind"},
            {"(?>a)", ERR_UNSUPPORTED, 1, "atomic"},
            {"a*+", ERR_UNSUPPORTED, 3, "possessive"},
            {"a{2}+", ERR_UNSUPPORTED, 5, "possessive"},
            {"(?R)", ERR_UNSUPPORTED, 1, "recursion"},
            {"(?1)", ERR_UNSUPPORTED, 1, "recursion"},
            {"(?-1)", ERR_UNSUPPORTED, 1, "recursion"},
            {"(?&n)", ERR_UNSUPPORTED, 1, "recursion"},
            {"(?(1)a|b)", ERR_UNSUPPORTED, 1, "conditional"},
            {"(?C1)", ERR_UNSUPPORTED, 1, "callout"},
            {"(*ACCEPT)", ERR_UNSUPPORTED, 1, "verb"},
            {"a\\Kb", ERR_UNSUPPORTED, 2, "\\K"},
            {"\\Ga", ERR_UNSUPPORTED, 1, "\\G"},
            {"\\R", ERR_UNSUPPORTED, 1, "\\R"},
            {"\\X", ERR_UNSUPPORTED, 1, "\\X"},
            {"\\p{L}", ERR_UNSUPPORTED, 1, "Unicode property"},
            {"ab\\y", ERR_UNSUPPORTED, 3, "unknown escape \\y"},
            {"\\N{U+41}", ERR_UNSUPPORTED, 1, "\\x{}"},
            {"(?y)", ERR_SYNTAX, 3, "unknown group"},
            {"(?xx)", ERR_UNSUPPORTED, 3, "xx"},
            {"(?<1>a)", ERR_SYNTAX, 4, "name"},
            {"(?Pxa)", ERR_SYNTAX, 1, "unknown group"},
            {"(?#a", ERR_SYNTAX, 1, "comment"},
            {"a\xFF", ERR_SYNTAX, 2, "not UTF-8"},
            {"a(?i)*", ERR_SYNTAX, 6, "nothing to repeat"},
    };
    check_refused(ROWS, sizeof ROWS / sizeof *ROWS);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static struct slice repeated(struct buf *b, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        buf_add(b, slice_text(text));
    }
    return buf_slice(b);
}

static enum err compile_error(struct slice pattern, const char *words)
{
    struct regex *re = NULL;
    struct diag diag = {0};
    enum err e = regex_compile(&arena, pattern, 0, &re, &diag);
    if (words && !strstr(diag.words, words)) {
        fail_msg("%s", diag.words);
    }
    return e;
}

static void test_limits_are_named_and_hold_at_n_and_n_plus_one(void **state)
{
    (void)state;
    struct buf b = {0};
    (void)repeated(&b, "(", REGEX_GROUP_DEPTH);
    (void)repeated(&b, "a", 1);
    assert_int_equal(
            searched(compiled(repeated(&b, ")", REGEX_GROUP_DEPTH), 0), SLICE("a")), VERDICT_YES);
    buf_clear(&b);
    (void)repeated(&b, "(", REGEX_GROUP_DEPTH + 1);
    assert_int_equal(compile_error(repeated(&b, ")", REGEX_GROUP_DEPTH + 1), "REGEX_GROUP_DEPTH"),
            ERR_LIMIT);
    buf_clear(&b);
    /* One for the match itself, one for each byte. */
    assert_int_equal(compile_error(SLICE("a{49999}"), NULL), OK);
    assert_int_equal(compile_error(SLICE("a{49998}b"), NULL), OK);
    assert_int_equal(compile_error(SLICE("a{50000}"), "REGEX_PROGRAM_LIMIT"), ERR_LIMIT);
    assert_int_equal(compile_error(SLICE("a{49999}b"), "REGEX_PROGRAM_LIMIT"), ERR_LIMIT);
    assert_int_equal(compile_error(SLICE("a{49998}|b"), "REGEX_PROGRAM_LIMIT"), ERR_LIMIT);
    struct slice longest = repeated(&b, "(?:)", REGEX_PATTERN_LIMIT / 4);
    assert_int_equal(compile_error(longest, NULL), OK);
    assert_int_equal(compile_error(repeated(&b, "a", 1), "REGEX_PATTERN_LIMIT"), ERR_LIMIT);
    buf_fini(&b);
}

static void test_hostile_patterns_are_refused_quickly(void **state)
{
    (void)state;
    struct buf b = {0};
    clock_t start = clock();
    assert_int_equal(compile_error(repeated(&b, "(", 10000), "REGEX_GROUP_DEPTH"), ERR_LIMIT);
    buf_clear(&b);
    assert_int_equal(compile_error(repeated(&b, ".{1,10000}", 6000), NULL), ERR_LIMIT);
    buf_clear(&b);
    (void)repeated(&b, "(?:", 200);
    assert_int_equal(compile_error(repeated(&b, "x){1,60000}", 200), NULL), ERR_LIMIT);
    assert_int_equal(
            compile_error(SLICE("(?:(?:(?:(?:a{0}){9999}){9999}){9999}){9999}"), NULL), OK);
    assert_int_equal(
            compile_error(SLICE("(?:(?:(?:a{9999}){9999}){9999}){9999}"), "REGEX_PROGRAM_LIMIT"),
            ERR_LIMIT);
    buf_clear(&b);
    (void)compile_error(repeated(&b, "(?i)\xC3\xA9[\xC3\xA0-\xC5\xBF]", 4500), NULL);
    buf_clear(&b);
    (void)compile_error(repeated(&b, "[^\xC3\xA9]\\W", 9000), NULL);
    buf_fini(&b);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20); /* sanitizers included */
}

static void test_hostile_texts_take_time_by_their_length(void **state)
{
    (void)state;
    static const char *const PATTERNS[] = {"(a+)+$", "(a|a)*b", "(a*)*b", "(.*)(.*)(.*)(.*)x$",
            "(?:a?){30}a{30}b", "a.{0,60}b", "(?i)(?:ka|as)*$x", "(?:\\ba|a\\B)*c"};
    size_t size = 1 << 20;
    char *text = memory_alloc(size);
    assert_non_null(text);
    memset(text, 'a', size);
    clock_t start = clock();
    for (size_t i = 0; i < sizeof PATTERNS / sizeof *PATTERNS; i++) {
        struct regex *re = compiled(slice_text(PATTERNS[i]), 0);
        enum verdict v = regex_search(re, caches[0], slice_of(text, size));
        assert_int_equal(v, i == 0 ? VERDICT_YES : VERDICT_NO);
    }
    memory_free(text);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20);
}

static void test_counts_as_rules_have_them(void **state)
{
    (void)state;
    char text[1001];
    memset(text, 'x', sizeof text);
    struct regex *re = compiled(SLICE(".{1000,}"), 0);
    assert_int_equal(searched(re, slice_of(text, 999)), VERDICT_NO);
    assert_int_equal(searched(re, slice_of(text, 1000)), VERDICT_YES);
    text[500] = '\n';
    assert_int_equal(searched(re, slice_of(text, 1001)), VERDICT_NO);
    re = compiled(SLICE("(.){200,}"), 0);
    assert_int_equal(searched(re, slice_of(text + 301, 200)), VERDICT_NO);
    assert_int_equal(searched(re, slice_of(text + 300, 200)), VERDICT_YES);
}

static void test_no_memory_is_undetermined_and_then_forgotten(void **state)
{
    (void)state;
    struct regex *re = compiled(SLICE("a.*[x-z]b"), 0);
    struct slice text = SLICE("..a.....yb");
    int undetermined = 0;
    for (uint64_t n = 1; n < 30; n++) {
        memory_fail_after(0);
        struct regex_cache *cache = regex_cache_new(1 << 20);
        assert_non_null(cache);
        memory_fail_after(n);
        enum verdict v = regex_search(re, cache, text);
        memory_fail_after(0);
        assert_true(v == VERDICT_YES || v == VERDICT_UNDETERMINED);
        undetermined += v == VERDICT_UNDETERMINED;
        assert_int_equal(regex_search(re, cache, text), VERDICT_YES);
        regex_cache_free(cache);
    }
    assert_true(undetermined > 0);
}

static void test_no_memory_to_compile_is_an_error(void **state)
{
    (void)state;
    int refused = 0;
    for (size_t cap = 0; cap < 4000; cap += 64) {
        struct arena small;
        arena_init(&small, cap);
        struct regex *re = NULL;
        enum err e = regex_compile(&small, SLICE("a[^b]+(cd|ef)"), 0, &re, NULL);
        assert_true(e == OK || e == ERR_MEMORY);
        refused += e == ERR_MEMORY;
        arena_fini(&small);
    }
    assert_true(refused > 3 && refused < 60);
}

static void test_states_that_skip_come_to_the_same_answer(void **state)
{
    (void)state;
    static const char *const PATTERNS[] = {"\\+.*\\+.*\\+z", "-[^x]*x.*y$", "a.*b.*\xC3\xA9",
            "(?i)k\\S*\\+[^+]*\\+$", "(?m)^-.*=$", "\\b\\+.*\\b="};
    uint32_t random = 7;
    char text[300];
    for (size_t p = 0; p < sizeof PATTERNS / sizeof *PATTERNS; p++) {
        struct regex *re = compiled(slice_text(PATTERNS[p]), 0);
        for (int round = 0; round < 2000; round++) {
            size_t size = (random >> 10) % sizeof text;
            for (size_t i = 0; i < size; i++) {
                random = random * 1664525 + 1013904223;
                text[i] = random >> 28 ? 'q' : "+-=xyabzkK\n \xC3\xA9"[(random >> 20) % 14];
            }
            enum verdict v = regex_search(re, caches[2], slice_of(text, size));
            assert_int_equal(regex_search(re, caches[0], slice_of(text, size)), v);
            assert_int_equal(regex_search(re, caches[1], slice_of(text, size)), v);
        }
    }
}

static void test_the_largest_programs_work(void **state)
{
    (void)state;
    static char text[40001];
    memset(text, 'a', sizeof text);
    text[40000] = 'b';
    struct regex *re = compiled(SLICE("^a{40000}b|^b{9000}c"), 0);
    struct regex_cache *cache = regex_cache_new(32 << 20);
    assert_non_null(cache);
    assert_int_equal(regex_search(re, cache, slice_of(text, 40001)), VERDICT_YES);
    assert_int_equal(regex_search(re, caches[2], slice_of(text, 40001)), VERDICT_YES);
    assert_int_equal(regex_search(re, cache, slice_of(text + 1, 40000)), VERDICT_NO);
    regex_cache_free(cache);
}

/* ---- literals -------------------------------------------------------------------------------- */

struct needed {
    const char *pattern;
    const char *literals; /* joined by commas, in order of their bytes; "": none known */
};

static void join_sorted(const struct slice *at, size_t count, struct buf *out)
{
    struct slice last = {0};
    for (size_t i = 0; i < count; i++) {
        struct slice next = {0};
        for (size_t j = 0; j < count; j++) {
            bool later = i == 0 || slice_compare(at[j], last) > 0;
            if (later && (!next.at || slice_compare(at[j], next) < 0)) {
                next = at[j];
            }
        }
        buf_add(out, i ? SLICE(",") : SLICE(""));
        buf_add(out, next);
        last = next;
    }
}

static void test_literals_are_those_that_every_match_needs(void **state)
{
    (void)state;
    static const struct needed ROWS[] = {
            {"abc", "abc"},
            {"ABC", "abc"},
            {"(?i)AbC", "abc"},
            {"[Aa][Bb]c", "abc"},
            {"foo.*barbaz", "barbaz"},
            {"foo|barbaz", "barbaz,foo"},
            {"(foo|bar)qux", "barqux,fooqux"},
            {"https?://x", "http://x,https://x"},
            {"a{3}b", "aaab"},
            {"xa{2,}b", "aab"},
            {"a{2,}bcd", "aabcd"},
            {"a+", "a"},
            {"a*", ""},
            {"(abc)?", ""},
            {"abc|", ""},
            {".", ""},
            {"[^a]", ""},
            {"\\bfoo$", "foo"},
            {"(?i)\\x{212A}", "k"},
            {"[a-c]x", "ax,bx,cx"},
            {"\\w+foo\\w+", "foo"},
            {"(?i)\xC3\x89tat", "\xC3\xA9tat"},
            {"abc|xabcx|de", "abc,de"}, /* xabcx has abc */
            {"[^\\x00-\\x{10FFFF}]abc", "abc"},
            {"(?i)echo.*clip.*&&.*(Clipboard|i`?n`?v`?o)", "clip"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        size_t count;
        const struct slice *at = regex_literals(compiled(slice_text(ROWS[i].pattern), 0), &count);
        struct buf b = {0};
        join_sorted(at, count, &b);
        if (!slice_equal(buf_slice(&b), slice_text(ROWS[i].literals))) {
            fail_msg("%s: %.*s", ROWS[i].pattern, SLICE_ARG(buf_slice(&b)));
        }
        buf_fini(&b);
    }
}

static void test_there_are_at_most_so_many_literals(void **state)
{
    (void)state;
    struct buf b = {0};
    for (int i = 0; i < REGEX_LITERALS; i++) {
        buf_format(&b, "%sx%02d", i ? "|" : "", i);
    }
    size_t count;
    (void)regex_literals(compiled(buf_slice(&b), 0), &count);
    assert_int_equal(count, REGEX_LITERALS);
    buf_add(&b, SLICE("|yyy"));
    (void)regex_literals(compiled(buf_slice(&b), 0), &count);
    assert_int_equal(count, 0);
    buf_fini(&b);
}

static void test_every_code_point_with_a_fold_is_found_by_its_fold(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code++) {
        uint32_t fold = fold_code(code);
        if (fold == code) {
            continue;
        }
        struct arena small;
        arena_init(&small, 1 << 20);
        static struct regex_class_folds folds;
        struct regex_class set = {0};
        assert_int_equal(regex_class_add(&small, &set, fold, fold), OK);
        assert_int_equal(regex_class_fold(&arena, &set, &folds), OK);
        if (!regex_class_has(&set, code)) {
            fail_msg("U+%04X is not in the class of U+%04X", code, fold);
        }
        arena_fini(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_a_text_matches_what_its_pattern_says),
            cmocka_unit_test(test_classes_hold_what_they_name),
            cmocka_unit_test(test_anchors_and_boundaries_are_those_of_pcre),
            cmocka_unit_test(test_flags_hold_for_their_part_alone),
            cmocka_unit_test(test_bytes_that_are_not_utf8_match_negated_sets_alone),
            cmocka_unit_test(test_errors_are_found_at_their_place),
            cmocka_unit_test(test_what_is_not_regular_is_refused_by_name_and_place),
            cmocka_unit_test(test_limits_are_named_and_hold_at_n_and_n_plus_one),
            cmocka_unit_test(test_hostile_patterns_are_refused_quickly),
            cmocka_unit_test(test_hostile_texts_take_time_by_their_length),
            cmocka_unit_test(test_counts_as_rules_have_them),
            cmocka_unit_test(test_no_memory_is_undetermined_and_then_forgotten),
            cmocka_unit_test(test_no_memory_to_compile_is_an_error),
            cmocka_unit_test(test_states_that_skip_come_to_the_same_answer),
            cmocka_unit_test(test_the_largest_programs_work),
            cmocka_unit_test(test_literals_are_those_that_every_match_needs),
            cmocka_unit_test(test_there_are_at_most_so_many_literals),
            cmocka_unit_test(test_every_code_point_with_a_fold_is_found_by_its_fold),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
