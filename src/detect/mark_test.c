/* What is marked of a text is what satisfied the test, and nothing of a text that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "detect/mark.h"

#define ANY "\xFF"
#define ONE "\xFE"

struct example {
    enum op op;
    const char *text;  /* of the test */
    const char *value; /* of the event */
    const char *shown; /* the value, what is marked between [ and ] */
    bool cased;
};

static void show(struct slice text, const struct mark_list *marks, struct buf *out)
{
    size_t at = 0;
    for (size_t i = 0; i < marks->count; i++) {
        const struct mark_part *part = &marks->parts[i];
        assert_true(part->at >= at && part->size > 0 && part->at + part->size <= text.size);
        buf_add(out, slice_of(text.at + at, part->at - at));
        buf_byte(out, '[');
        buf_add(out, slice_of(text.at + part->at, part->size));
        buf_byte(out, ']');
        at = part->at + part->size;
    }
    buf_add(out, slice_of(text.at + at, text.size - at));
    buf_byte(out, 0);
}

static void check(const struct predicate *p, const struct example *e)
{
    struct buf scratch = {0}, out = {0};
    struct mark_list marks = {0};
    struct mark_tools tools = {regex_cache_new(1 << 20), &scratch};
    assert_non_null(tools.regexes);
    mark_add(&marks, p, slice_text(e->value), &tools);
    mark_finish(&marks);
    show(slice_text(e->value), &marks, &out);
    assert_string_equal(out.at, e->shown);
    buf_fini(&scratch);
    buf_fini(&out);
    regex_cache_free(tools.regexes);
}

static void check_all(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct predicate p = {.op = examples[i].op,
                .cased = examples[i].cased,
                .text = slice_text(examples[i].text)};
        check(&p, &examples[i]);
    }
}

static void literals_are_marked_where_they_stand(void **state)
{
    (void)state;
    static const struct example examples[] = {
            {OP_CONTAINS, "-enc", "x -ENC y -enc", "x [-ENC] y [-enc]", false},
            {OP_CONTAINS, "-enc", "x -ENC y -enc", "x -ENC y [-enc]", true},
            {OP_CONTAINS, "aa", "aaaaa", "[aaaa]a", false},
            {OP_CONTAINS, "z", "x", "x", false},
            {OP_EQUAL, "abc", "ABC", "[ABC]", false},
            {OP_EQUAL, "abc", "ABCD", "ABCD", false},
            {OP_EQUAL, "abc", "ABC", "ABC", true},
            {OP_PREFIX, "ab", "ABC", "[AB]C", false},
            {OP_PREFIX, "bc", "ABC", "ABC", false},
            {OP_SUFFIX, "\\cmd.exe", "C:\\CMD.exe", "C:[\\CMD.exe]", false},
            {OP_SUFFIX, "x", "C:\\CMD.exe", "C:\\CMD.exe", false},
            {OP_CONTAINS, "x", "", "", false},
    };
    check_all(examples, sizeof examples / sizeof *examples);
}

/* U+212A folds from three bytes to one, U+023A from two to three. */
static void marks_stand_in_the_text_and_not_in_its_fold(void **state)
{
    (void)state;
    static const struct example examples[] = {
            {OP_CONTAINS, "kel",
                    "a \xE2\x84\xAA"
                    "EL b",
                    "a [\xE2\x84\xAA"
                    "EL] b",
                    false},
            {OP_SUFFIX, "b",
                    "\xC8\xBA\xC8\xBA"
                    "B",
                    "\xC8\xBA\xC8\xBA[B]", false},
            {OP_PREFIX, "\xE2\xB1\xA5",
                    "\xC8\xBA"
                    "B",
                    "[\xC8\xBA]B", false},
            {OP_CONTAINS, "b", "\xFF\xC3(B", "\xFF\xC3([B]", false},
    };
    check_all(examples, sizeof examples / sizeof *examples);
}

static void pieces_of_a_pattern_are_marked(void **state)
{
    (void)state;
    static const struct example examples[] = {
            {OP_PATTERN, ANY "one" ANY "two" ANY, "xONEyytwoz", "x[ONE]yy[two]z", false},
            {OP_PATTERN, "a" ANY "b", "axxbxb", "[a]xxbx[b]", false},
            {OP_PATTERN, "a" ANY "b", "axxbxc", "axxbxc", false},
            {OP_PATTERN, "a" ONE "c" ANY,
                    "a\xC3\xA4"
                    "cd",
                    "[a\xC3\xA4"
                    "c]d",
                    false},
            {OP_PATTERN, ANY ONE ONE, "abcd", "ab[cd]", false},
            {OP_PATTERN, ANY "b" ONE, "abab", "abab", false},
            {OP_PATTERN, "ab", "ab", "[ab]", false},
    };
    check_all(examples, sizeof examples / sizeof *examples);
}

static void a_regex_marks_its_first_match(void **state)
{
    (void)state;
    static const struct example examples[] = {
            {OP_REGEX, "[0-9]+x", "ab 123x 4x", "ab 12[3x] 4x", false},
            {OP_REGEX, "b+", "aBbb", "aB[b]b", false},
            {OP_REGEX, "\xC3\xA4", "x\xC3\xA4y", "x[\xC3\xA4]y", false},
            {OP_REGEX, "^ab", "abc", "[abc]", false},
            {OP_REGEX, "c$", "cbc", "[cbc]", false},
            {OP_REGEX, "[^b]c", "bcac", "bc[ac]", false},
            {OP_REGEX, "z", "abc", "abc", false},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct arena arena;
        struct regex *regex;
        struct slice text = slice_text(examples[i].text);
        arena_init(&arena, 1 << 20);
        assert_int_equal(regex_compile(&arena, text, 0, &regex, NULL), OK);
        struct predicate p = {.op = OP_REGEX, .text = text, .regex = regex};
        check(&p, &examples[i]);
        arena_fini(&arena);
    }
}

static void tests_of_the_whole_value_mark_it_whole(void **state)
{
    (void)state;
    struct predicate less = {.op = OP_LESS, .number = 5, .is_integer = true, .integer = 5};
    check(&less, &(struct example){.value = "4", .shown = "[4]"});
    check(&less, &(struct example){.value = "5", .shown = "5"});
    check(&(struct predicate){.op = OP_PRESENT}, &(struct example){.value = "x", .shown = "[x]"});
    check(&(struct predicate){.op = OP_NULL}, &(struct example){.value = "x", .shown = "x"});
}

static void parts_that_touch_become_one(void **state)
{
    (void)state;
    struct mark_list list = {.parts = {{6, 2}, {0, 3}, {3, 1}, {1, 1}, {6, 1}}, .count = 5};
    mark_finish(&list);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.parts[0].at, 0);
    assert_int_equal(list.parts[0].size, 4);
    assert_int_equal(list.parts[1].at, 6);
    assert_int_equal(list.parts[1].size, 2);
}

static void limits_mark_the_whole_text_or_keep_the_first_parts(void **state)
{
    (void)state;
    struct buf scratch = {0};
    struct mark_tools tools = {NULL, &scratch};
    struct predicate p = {.op = OP_CONTAINS, .text = SLICE("ab")};
    char *text = memory_alloc(MARK_TEXT + 1);
    assert_non_null(text);
    memset(text, 'x', MARK_TEXT + 1);
    memcpy(text, "ab", 2);
    for (size_t more = 0; more < 2; more++) {
        struct mark_list list = {0};
        mark_add(&list, &p, slice_of(text, MARK_TEXT + more), &tools);
        assert_int_equal(list.count, 1);
        assert_int_equal(list.parts[0].size, more ? MARK_TEXT + 1 : 2);
    }
    struct mark_list list = {0};
    for (size_t i = 0; i < 2 * (MARK_PLACES + 1); i += 2) {
        memcpy(text + 3 * i, "ab", 2);
    }
    mark_add(&list, &p, slice_of(text, 6 * MARK_PLACES), &tools);
    assert_int_equal(list.count, MARK_PLACES);
    list.count = 0;
    mark_add(&list, &p, slice_of(text, 6 * (MARK_PLACES + 1)), &tools);
    assert_int_equal(list.count, MARK_PLACES);
    for (int i = 0; i < 10; i++) {
        mark_add(&list, &p, slice_of(text, MARK_TEXT), &tools);
    }
    assert_int_equal(list.count, MARK_PARTS);
    /* A pattern that would compare for ever. */
    memset(text, 'a', MARK_TEXT);
    p = (struct predicate){.op = OP_PATTERN,
            .text = SLICE("\xFF"
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\xFF")};
    list.count = 0;
    mark_add(&list, &p, slice_of(text, MARK_TEXT), &tools);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.parts[0].size, MARK_TEXT);
    memory_free(text);
    buf_fini(&scratch);
}

static void without_memory_the_text_is_marked_whole(void **state)
{
    (void)state;
    struct buf scratch = {.cap = 1};
    struct mark_tools tools = {NULL, &scratch};
    struct predicate p = {.op = OP_CONTAINS, .text = SLICE("ab")};
    struct mark_list list = {0};
    mark_add(&list, &p, SLICE("xaby"), &tools);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.parts[0].size, 4);
    buf_fini(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(literals_are_marked_where_they_stand),
            cmocka_unit_test(marks_stand_in_the_text_and_not_in_its_fold),
            cmocka_unit_test(pieces_of_a_pattern_are_marked),
            cmocka_unit_test(a_regex_marks_its_first_match),
            cmocka_unit_test(tests_of_the_whole_value_mark_it_whole),
            cmocka_unit_test(parts_that_touch_become_one),
            cmocka_unit_test(limits_mark_the_whole_text_or_keep_the_first_parts),
            cmocka_unit_test(without_memory_the_text_is_marked_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
