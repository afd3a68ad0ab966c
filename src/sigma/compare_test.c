#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sigma/compare.h"

/* "file id title level word", a line a rule; id "-": none. */
static struct ruleset *rules_of(const char *lines)
{
    const struct ruleset_options options = {0};
    struct ruleset *set;
    struct slice rest = slice_text(lines);
    struct buf text = {0};
    assert_int_equal(ruleset_new(&options, &set, NULL), OK);
    while (rest.size > 0) {
        struct slice line = slice_cut(&rest, '\n');
        struct slice file = slice_cut(&line, ' '), id = slice_cut(&line, ' ');
        struct slice title = slice_cut(&line, ' '), level = slice_cut(&line, ' ');
        buf_clear(&text);
        buf_format(&text, "title: %.*s\nlevel: %.*s\n", SLICE_ARG(title), SLICE_ARG(level));
        if (!slice_equal(id, SLICE("-"))) {
            buf_format(&text, "id: %.*s\n", SLICE_ARG(id));
        }
        buf_format(&text, "logsource: {product: linux}\ndetection: {k: [%.*s], condition: k}\n",
                SLICE_ARG(line));
        assert_int_equal(ruleset_load_text(set, file, buf_slice(&text), NULL), OK);
    }
    buf_fini(&text);
    assert_int_equal(ruleset_finish(set, NULL), OK);
    assert_int_equal(set->problem_count, 0);
    return set;
}

static void each_change_is_of_its_kind(void **state)
{
    static const struct {
        const char *before, *after;
        size_t counts[COMPARE_RENAMED + 1]; /* added, removed, changed, renamed */
        size_t same;
        unsigned what; /* of the first change */
    } cases[] = {
            {"a 1 T low w", "a 1 T low w", {0}, 1, 0},
            {"", "a 1 T low w", {1}, 0, 0},
            {"a 1 T low w", "", {0, 1}, 0, 0},
            {"a 1 T low w", "a 1 T low v", {0, 0, 1}, 0, COMPARE_MEANING},
            {"a 1 T low w", "a 1 T high w", {0, 0, 1}, 0, COMPARE_LEVEL},
            {"a 1 T low w", "a 1 U low w", {0, 0, 1}, 0, COMPARE_TITLE},
            {"a 1 T low w", "b 1 T low w", {0, 0, 0, 1}, 0, COMPARE_FILE},
            {"a 1 T low w", "b 1 T low v", {0, 0, 1}, 0, COMPARE_FILE | COMPARE_MEANING},
            {"a 1 T low w", "a 2 T low w", {1, 1}, 0, 0},
            {"a - T low w", "b - T low w", {0, 0, 0, 1}, 0, COMPARE_FILE},
            {"a - T low w", "a - U low w", {1, 1}, 0, 0},
            {"a 1 T low w", "a - T low w", {1, 1}, 0, 0},
            {"a 1 T low w\nb 1 T low v", "a 1 T low w", {0, 1}, 1, 0},
            {"a 1 T low w", "a 1 T low w\nb 1 T low v", {1}, 1, 0},
            {"a 1 T low w\nb 2 U low w", "a 2 U low w\nb 1 T low w", {0, 0, 0, 2}, 0, COMPARE_FILE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ruleset *before = rules_of(cases[i].before), *after = rules_of(cases[i].after);
        struct compare c;
        assert_int_equal(compare_rulesets(before, after, &c), OK);
        size_t all = 0;
        for (int k = 0; k <= COMPARE_RENAMED; k++) {
            assert_int_equal(c.counts[k], cases[i].counts[k]);
            all += c.counts[k];
        }
        assert_int_equal(c.count, all);
        assert_int_equal(c.same, cases[i].same);
        assert_int_equal(all ? c.changes[0].what : 0, cases[i].what);
        compare_fini(&c);
        ruleset_free(before);
        ruleset_free(after);
    }
}

static void changes_come_by_kind_then_by_file(void **state)
{
    struct ruleset *before = rules_of("a 1 A low w\nb 2 B low w\nc 3 C low w");
    struct ruleset *after = rules_of("a 1 A low v\nd 4 D low w\ne 5 E low w\nf 3 C low w");
    static const enum compare_kind kinds[] = {
            COMPARE_ADDED, COMPARE_ADDED, COMPARE_REMOVED, COMPARE_CHANGED, COMPARE_RENAMED};
    struct compare c;
    (void)state;
    assert_int_equal(compare_rulesets(before, after, &c), OK);
    assert_int_equal(c.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(c.changes[i].kind, kinds[i]);
    }
    assert_true(slice_equal(c.changes[0].after->file, SLICE("d")));
    assert_true(slice_equal(c.changes[1].after->file, SLICE("e")));
    compare_fini(&c);
    ruleset_free(before);
    ruleset_free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_change_is_of_its_kind),
            cmocka_unit_test(changes_come_by_kind_then_by_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
