/* Each limit of reading rules holds at N and is named at N + 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sigma/condition.h"
#include "sigma/loader.h"
#include "sigma/merge.h"
#include "sigma/modifier.h"
#include "sigma/ruleset.h"

#define HEAD "title: t\nlogsource: {category: test}\n"

/* NULL: it loads; else the reason holds `words`. Ends the text. */
static void assert_limit(struct buf *text, const char *words)
{
    struct ruleset_options options = {0};
    struct ruleset *set = NULL;
    assert_false(text->failed);
    assert_int_equal(ruleset_new(&options, &set, NULL), OK);
    assert_int_equal(ruleset_load_text(set, SLICE("f"), buf_slice(text), NULL), OK);
    assert_int_equal(ruleset_finish(set, NULL), OK);
    assert_int_equal(set->rule_count, words ? 0 : 1);
    if (words) {
        assert_int_equal(set->problem_count, 1);
        assert_int_equal(set->problems[0].err, ERR_LIMIT);
        if (slice_find(set->problems[0].reason, slice_text(words)) == SIZE_MAX) {
            fail_msg("%.*s", SLICE_ARG(set->problems[0].reason));
        }
    }
    ruleset_free(set);
    buf_fini(text);
}

static void repeat(struct buf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_add(out, slice_text(text));
    }
}

static void begin(struct buf *out, const char *text)
{
    *out = (struct buf){0};
    buf_add(out, SLICE(HEAD "detection:\n"));
    buf_add(out, slice_text(text));
}

static void a_condition_has_so_many_bytes(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct buf text;
        begin(&text, "  s: {A: x}\n  condition: \"s");
        repeat(&text, " ", CONDITION_BYTES - 1 + more);
        buf_add(&text, SLICE("\"\n"));
        assert_limit(&text, more ? "more than the limit of 65536" : NULL);
    }
}

static void brackets_are_so_deep(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct buf text;
        begin(&text, "  s: {A: x}\n  condition: ");
        repeat(&text, "(", CONDITION_DEPTH + more);
        buf_byte(&text, 's');
        repeat(&text, ")", CONDITION_DEPTH + more);
        assert_limit(&text, more ? "brackets nested deeper than the limit of 64" : NULL);
    }
}

static void ten_thousand_negations_are_no_tree(void **state)
{
    (void)state;
    struct buf text;
    begin(&text, "  s: {A: x}\n  condition: ");
    repeat(&text, "not ", 10000);
    buf_add(&text, SLICE("s\n"));
    assert_limit(&text, NULL);
}

static void there_are_so_many_search_identifiers(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct buf text;
        begin(&text, "");
        for (int i = 0; i < CONDITION_NAMES - 1 + more; i++) {
            buf_format(&text, "  s%d: {A: x}\n", i);
        }
        buf_add(&text, SLICE("  condition: 1 of them\n"));
        assert_limit(&text, more ? "more search identifiers than the limit of 1000" : NULL);
    }
}

static void a_field_has_so_many_modifiers(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct buf text;
        begin(&text, "  s: {A");
        repeat(&text, "|cased", MODIFIER_CHAIN + more);
        buf_add(&text, SLICE(": x}\n  condition: s\n"));
        assert_limit(&text, more ? "more modifiers than the limit of 16" : NULL);
    }
}

static void a_value_expands_to_so_much(void **state)
{
    (void)state;
    struct buf text;
    begin(&text, "  s: {A|windash: ' -a -b -c -d -e -f'}\n  condition: s\n");
    assert_limit(&text, NULL); /* 5^6 */
    begin(&text, "  s: {A|windash: ' -a -b -c -d -e -f -g'}\n  condition: s\n");
    assert_limit(&text, "expands to more than the limit of 20000");
    begin(&text, "  s: {A|windash: ' -a -b -c -d -e -f -g -h -i'}\n  condition: s\n");
    assert_limit(&text, "more than 8 options");
    begin(&text, "  s: {A|base64offset|base64offset|base64offset|base64offset|base64offset|"
                 "base64offset|base64offset|base64offset|base64offset: foobarfoobarfoobar}\n"
                 "  condition: s\n");
    assert_limit(&text, NULL); /* 3^9 = 19,683 */
    begin(&text, "  s: {A|base64offset|base64offset|base64offset|base64offset|base64offset|"
                 "base64offset|base64offset|base64offset|base64offset|base64offset: foobarfoobar}\n"
                 "  condition: s\n");
    assert_limit(&text, "expands to more than the limit of 20000");
}

static void a_value_is_so_long(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct buf text;
        begin(&text, "  s: {A: ");
        repeat(&text, "x", MODIFIER_VALUE + more);
        buf_add(&text, SLICE("}\n  condition: s\n"));
        assert_limit(&text, more ? "value longer than the limit of 1048576" : NULL);
    }
    struct buf text;
    begin(&text, "  s: {A|base64: ");
    repeat(&text, "x", MODIFIER_VALUE);
    buf_add(&text, SLICE("}\n  condition: s\n"));
    assert_limit(&text, "value longer than the limit of 1048576");
    begin(&text, "  s: {A|windash: -a -b -c ");
    repeat(&text, "x", MODIFIER_VALUE / 2);
    buf_add(&text, SLICE("}\n  condition: s\n"));
    assert_limit(&text, "expands to more than the limit of 16777216");
}

static void a_rule_has_so_many_tests(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct buf text;
        begin(&text, "  s:\n    A:\n");
        repeat(&text, "    - x\n", MAKER_PREDICATES + more);
        buf_add(&text, SLICE("  condition: s\n"));
        assert_limit(&text, more ? "more tests in a rule than the limit of 200000" : NULL);
    }
}

/* Each use of `s` counts its 3 * 1,000 + 1 nodes; an `or` between two counts one. */
static void a_tree_has_so_many_nodes(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct buf text;
        begin(&text, "  s:\n    A:\n");
        repeat(&text, "    - x\n", 1000);
        buf_add(&text, SLICE("  condition: s"));
        repeat(&text, " or s", 332 + more);
        assert_limit(&text, more ? "the tree grows over the limit of 1000000 nodes" : NULL);
    }
}

static void a_meaning_has_so_many_bytes(void **state)
{
    (void)state;
    for (size_t uses = 60; uses <= 70; uses += 10) {
        struct buf text;
        begin(&text, "  s: {A: ");
        repeat(&text, "x", MODIFIER_VALUE);
        buf_add(&text, SLICE("}\n  condition: s"));
        repeat(&text, " or s", uses - 1);
        assert_limit(&text, uses > 64 ? "longer than the limit of 67108864" : NULL);
    }
}

static void merged_maps_have_so_many_keys(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct buf text = {0};
        buf_add(&text, SLICE("action: global\n"));
        for (int i = 0; i < MERGE_KEYS - 1 + more; i++) {
            buf_format(&text, "k%d: x\n", i);
        }
        buf_add(&text, SLICE("---\n" HEAD "detection: {s: {A: x}, condition: s}\n"));
        assert_limit(&text, more ? "map to merge has more keys than 4096" : NULL);
    }
}

static void a_file_has_so_many_documents(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct ruleset_options options = {0};
        struct ruleset *set = NULL;
        struct buf text = {0};
        repeat(&text, "--- {action: reset}\n", LOADER_DOCUMENTS - 1 + more);
        buf_add(&text, SLICE("---\n" HEAD "detection: {s: {A: x}, condition: s}\n"));
        assert_int_equal(ruleset_new(&options, &set, NULL), OK);
        assert_int_equal(ruleset_load_text(set, SLICE("f"), buf_slice(&text), NULL), OK);
        assert_int_equal(ruleset_finish(set, NULL), OK);
        assert_int_equal(set->rule_count, !more);
        assert_int_equal(set->problem_count, more);
        if (more) {
            assert_int_equal(set->problems[0].line, LOADER_DOCUMENTS + 2);
            assert_int_equal(set->problems[0].err, ERR_LIMIT);
        }
        ruleset_free(set);
        buf_fini(&text);
    }
}

/* Programs of regexes take most: 20,000 of these would take three gigabytes. */
static void a_file_takes_so_much_memory(void **state)
{
    (void)state;
    struct buf text;
    begin(&text, "  s:\n    A|re:\n");
    for (int i = 0; i < 5000; i++) {
        buf_format(&text, "      - (abc|def){1,900}%d\n", i);
    }
    buf_add(&text, SLICE("  condition: s\n"));
    assert_limit(&text, "take more than the limit of 268435456 bytes");
}

static void a_hundred_megabytes_are_not_even_read(void **state)
{
    (void)state;
    char path[] = "/tmp/merlon-large-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 100 << 20), 0);
    assert_int_equal(close(fd), 0);
    struct ruleset_options options = {0};
    struct ruleset *set = NULL;
    assert_int_equal(ruleset_new(&options, &set, NULL), OK);
    assert_int_equal(ruleset_load(set, path, NULL), OK);
    assert_int_equal(ruleset_finish(set, NULL), OK);
    assert_int_equal(set->problem_count, 1);
    assert_int_equal(set->problems[0].err, ERR_LIMIT);
    assert_true(slice_find(set->problems[0].reason, SLICE("16777216 bytes")) != SIZE_MAX);
    ruleset_free(set);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_condition_has_so_many_bytes),
            cmocka_unit_test(brackets_are_so_deep),
            cmocka_unit_test(ten_thousand_negations_are_no_tree),
            cmocka_unit_test(there_are_so_many_search_identifiers),
            cmocka_unit_test(a_field_has_so_many_modifiers),
            cmocka_unit_test(a_value_expands_to_so_much),
            cmocka_unit_test(a_value_is_so_long),
            cmocka_unit_test(a_rule_has_so_many_tests),
            cmocka_unit_test(a_tree_has_so_many_nodes),
            cmocka_unit_test(a_meaning_has_so_many_bytes),
            cmocka_unit_test(merged_maps_have_so_many_keys),
            cmocka_unit_test(a_file_has_so_many_documents),
            cmocka_unit_test(a_file_takes_so_much_memory),
            cmocka_unit_test(a_hundred_megabytes_are_not_even_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
